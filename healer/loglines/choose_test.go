package loglines

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"logstream/internal/container"
	"logstream/internal/raced"
)

func logOf(text string) (raw []container.Line) {
	for line := range strings.SplitSeq(text, "\n") {
		raw = append(raw, container.Line{Text: line})
	}
	return raw
}

// timed gives each line a time, a second apart.
func timed(raw []container.Line) []container.Line {
	for i := range raw {
		raw[i].Time = time.Unix(int64(i), 0)
	}
	return raw
}

// checkChoice checks what holds for every log.
func checkChoice(t *testing.T, raw []container.Line, memory *Memory) {
	t.Helper()
	chosen, truncated := Choose(raw, memory)
	if len(chosen) > Most {
		t.Errorf("%d lines are chosen", len(chosen))
	}
	shown := 0
	for i, line := range raw {
		if _, ok := read(line.Text); ok && i >= len(raw)-Read {
			shown++
		}
	}
	if want := len(raw) > Read || shown > len(chosen); truncated != want || !want && len(chosen) != shown || shown > Most && len(chosen) != Most {
		t.Errorf("%d of %d lines (%d in all) are chosen, truncated %v", len(chosen), shown, len(raw), truncated)
	}
	for i, c := range chosen {
		if i > 0 && c.Place <= chosen[i-1].Place || c.Place < len(raw)-Read || c.Place >= len(raw) {
			t.Errorf("line %d of %d is chosen out of order", c.Place, len(raw))
		}
		if len(c.Text) > maxLine || !utf8.ValidString(c.Text) || strings.ContainsFunc(c.Text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("chosen: %q", c.Text)
		}
		if c.Text != show(raw[c.Place].Text) {
			t.Errorf("line %d is shown as %q", c.Place, c.Text)
		}
	}
	again, _ := Choose(raw, memory)
	if fmt.Sprint(again) != fmt.Sprint(chosen) {
		t.Errorf("chosen twice: %v, then %v", chosen, again)
	}
}

func FuzzChoose(f *testing.F) {
	for _, format := range formats {
		f.Add(format.log, 20, format.name)
	}
	f.Add("\x1b[31mERROR\x1b[0m x\n\x00\xff\n{\"level\":50,\"msg\":\"x\"}\n\tat a.B(C.java:1)", 1200, "ERROR x")
	f.Add("Traceback (most recent call last):\n\nDuring handling of the above exception, another exception occurred:\nTraceback (most recent call last):", 3, "")
	f.Add(strings.Repeat("\u0130", 40)+" enospc\n"+strings.Repeat("\u023a", 40)+" ENOSPC", 20, "") // they are longer in lower case
	f.Add(strings.Repeat("(", 2000)+"\n"+strings.Repeat("\x1b[", 900), 1, "\t")
	f.Fuzz(func(t *testing.T, text string, repeat int, learned string) {
		raw := logOf(text)
		for len(raw) < min(max(repeat, 0), 40) {
			raw = append(raw, raw...)
		}
		var memory Memory
		memory.Learn(timed(logOf(learned)), time.Time{}, time.Unix(1<<40, 0))
		checkChoice(t, raw, nil)
		checkChoice(t, timed(raw), &memory)
	})
}

func TestChoiceHoldsOnEveryLog(t *testing.T) {
	raced.Skip(t)
	t.Parallel()
	for _, logs := range corpus(t) {
		for _, m := range logs {
			t.Run(m.name, func(t *testing.T) { checkChoice(t, m.raw(), nil) })
		}
	}
	checkChoice(t, logOf(strings.Repeat("ERROR a\nb\n\n", Read)), nil)
}

func TestSecretsAndEscapesInChosenLines(t *testing.T) {
	const canary = "hunter2canary"
	for _, line := range []string{
		"ERROR login failed: password=" + canary,
		"\x1b[31mERROR\x1b[0m pass\x1b[0mword=" + canary,
		"ERROR cannot reach postgres://app:" + canary + "@db:5432/shop",
		`{"level":"error","msg":"refused","password":"` + canary + `"}`,
		"ERROR " + strings.Repeat("x", judgedHead-20) + " token=" + canary + strings.Repeat("y", 2000),
	} {
		raw := logOf(strings.Repeat("all is well\n", 50) + line)
		chosen, _ := Choose(raw, nil)
		last := chosen[len(chosen)-1]
		if last.Place != 50 || strings.Contains(last.Text, canary) || strings.Contains(last.Text, "[31m") || strings.Contains(last.Text, "[0m") {
			t.Errorf("%q is shown as %q", line, last.Text)
		}
	}
}

func TestTruncatedSaysThatLinesWereLeftOut(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: false, Most: false, Most + 1: true, Read: true, Read + 1: true} {
		if _, truncated := Choose(logOf(strings.TrimSuffix(strings.Repeat("x\n", n), "\n"))[:n], nil); truncated != want {
			t.Errorf("of %d lines: truncated %v", n, truncated)
		}
	}
	if _, truncated := Choose(logOf(strings.Repeat("x\n\n \n\x1b[0m\n", Most)), nil); truncated {
		t.Error("empty lines are counted as left out")
	}
}

func TestFewerLinesThanFitAreAllShown(t *testing.T) {
	chosen, truncated := Choose(logOf("a\nERROR b\nc"), nil)
	if len(chosen) != 3 || truncated || chosen[0].Text != "a" || chosen[2].Text != "c" {
		t.Errorf("chosen %v, truncated %v", chosen, truncated)
	}
}

func TestWeights(t *testing.T) {
	for _, c := range []struct {
		line string
		want weight
	}{
		{"ready to accept connections", routine},
		{`{"time":1,"level":"error","msg":"x"}`, failure},
		{`{"level":30,"msg":"ok"}`, routine},
		{`{"msg":"\"level\":\"fatal\"","level":30}`, hint},
		{`{"name":"a","level":60,"msg":"x"}`, fatal},
		{`time=2026-11-29T01:02:03Z level=warning msg="slow"`, warning},
		{`level=info msg="retrying" error="connection refused"`, hint},
		{"E1129 01:04:49.526589   18982 main.go:134] lost lease", failure},
		{"[error] 12#12: *3 connect() failed", failure},
		{"[proxy:error] [pid 1] refused", failure},
		{"2026-11-29 01:02:03,123 CRITICAL app: no", fatal},
		{"ERROR: 0 failed, 12 ok", closing},
		{`10.0.0.1 - - [29/Nov/2026] "GET /errors/fatal HTTP/1.1" 200 12`, routine},
		{`10.0.0.1 - - [29/Nov/2026] "GET /cart HTTP/1.1" 502 12`, hint},
		{"tests/test_errors.py::test_failure PASSED", routine},
		{"process exited with code 1", closing},
		{"npm ERR! code 1", closing},
		{"Error: Process completed with exit code 1.", closing},
		{"write /data/x: no space left on device", hint},
		{"write failed: ENOSPC, exiting", failure},
		{"npm WARN deprecated request@2.88.2: not supported", routine},
		{"example exchange every event", routine},
	} {
		if got := weigh(c.line); got != c.want {
			t.Errorf("%q has the weight %d, want %d", c.line, got, c.want)
		}
	}
}

// worst is 1,000 lines of 16 KB: what a hostile container can make us read.
func worst() (raw []container.Line) {
	for i := range Read {
		text := fmt.Sprintf("2026-11-29T01:02:03Z ERROR request %d failed: ", i) + strings.Repeat(fmt.Sprintf("\x1b[31mat com.example.Shop(Shop.java:%d) \"k\":{", i), 400)
		raw = append(raw, container.Line{Text: text[:16<<10], Time: time.Unix(int64(i), 0)})
	}
	return raw
}

func BenchmarkChooseWorst(b *testing.B) {
	raw := worst()
	for b.Loop() {
		Choose(raw, nil)
	}
}

func BenchmarkChooseOrdinary(b *testing.B) {
	var raw []container.Line
	for _, logs := range corpus(b) {
		for _, m := range logs {
			raw = append(raw, m.raw()...)
		}
	}
	raw = raw[:Read]
	for b.Loop() {
		Choose(raw, nil)
	}
}
