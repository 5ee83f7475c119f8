package loglines

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// at is lines that were written a second apart from a time on.
func at(t time.Time, lines ...string) (raw []container.Line) {
	for i, text := range lines {
		raw = append(raw, container.Line{Time: t.Add(time.Duration(i) * time.Second), Text: text})
	}
	return raw
}

func newOf(raw []container.Line, m *Memory) (said []string) {
	chosen, _ := Choose(raw, m)
	for _, c := range chosen {
		if c.New {
			said = append(said, c.Text)
		}
	}
	return said
}

func TestLinesThatWereNotSeenBeforeAreNew(t *testing.T) {
	var m Memory
	failed := at(start, "listening on port 8080", "panic: boom")
	healthy := at(start.Add(time.Hour), "GET /health 200", "WARN cache miss for item 17")
	tooLate := at(start.Add(3*time.Hour), "WARN disk is slow")
	if got := newOf(failed, &m); len(got) > 0 {
		t.Errorf("a memory that knows nothing calls %q new", got)
	}
	m.Learn(slices.Concat(failed, healthy, tooLate), start.Add(time.Minute), start.Add(2*time.Hour))
	now := at(start.Add(50*time.Hour), "GET /cart 200", "WARN cache miss for item 4711", "panic: boom", "WARN disk is slow", "WARN disk is slow", "GET /cart 502")
	if got := newOf(now, &m); !slices.Equal(got, []string{"WARN disk is slow", "GET /cart 502"}) {
		t.Errorf("new are %q", got)
	}
	if got := newOf(at(start.Add(-time.Hour), "older than what is known"), &m); len(got) > 0 {
		t.Errorf("new are %q", got)
	}
	if days := m.Days(start.Add(50 * time.Hour)); days != 2 {
		t.Errorf("it reaches back %d days", days)
	}
}

// TestUnusualMessagesComeFirst: what a service writes all the time is no reason.
func TestUnusualMessagesComeFirst(t *testing.T) {
	log := func(last string) (text []string) {
		for i := range 30 {
			text = append(text, fmt.Sprintf("ERROR %s feed not refreshed", strings.Repeat("x", i+1)), "tick", "tick")
		}
		return append(text, last)
	}
	has := func(chosen []Chosen) bool {
		return slices.ContainsFunc(chosen, func(c Chosen) bool { return c.Text == "checkpoint skipped: no space left" })
	}
	raw := at(start.Add(time.Hour), append([]string{"checkpoint skipped: no space left"}, log("bye")...)...)
	var m Memory
	m.Learn(at(start, log("tick")...), start, start.Add(time.Hour))
	without, _ := Choose(raw, nil)
	with, _ := Choose(raw, &m)
	if has(without) || !has(with) {
		t.Errorf("without a memory: %v, with one: %v", has(without), has(with))
	}
	m.Learn(at(start.Add(2*time.Hour), "checkpoint skipped: no space left"), start.Add(3*time.Hour), start.Add(4*time.Hour))
	if of, _ := Choose(raw, &m); !has(of) {
		t.Error("a message of an earlier failure is as usual as one of healthy times")
	}
}

// word is a number without digits.
func word(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'g' }, fmt.Sprint(n))
}

func TestMemoryIsBounded(t *testing.T) {
	var m Memory
	var lines []container.Line
	for i := range 3 * maxTemplates {
		lines = append(lines, at(start.Add(time.Duration(i)*time.Minute), "message "+word(i))...)
		if len(lines) == 100 {
			m.Learn(lines, start, start.Add(9999*time.Hour))
			lines = nil
		}
	}
	if len(m.seen) > maxTemplates {
		t.Errorf("it has %d templates", len(m.seen))
	}
	end := start.Add(3 * maxTemplates * time.Minute)
	if reach := end.Sub(m.since); reach > (maxTemplates+100)*time.Minute {
		t.Errorf("it says that it reaches back %s, which it has forgotten", reach)
	}
}

func TestTemplatesLeaveOutWhatVaries(t *testing.T) {
	for _, same := range [][2]string{
		{"took 12ms at 10:02:03", "took 9ms at 11:12:13"},
		{"job 550e8400-e29b-41d4-a716-446655440000 done", "job aaaabbbb-cccc-dddd-eeee-ffffaaaabbbb done"},
		{"client 10.0.0.1:4242 left", "client 192.168.17.3:80 left"},
		{"commit 4f2a9c1 built", "commit 9d01b7e built"},
		{`1.2.3.4 - - "GET /a HTTP/1.1" 200 5 "curl"`, `5.6.7.8 - - "POST /b/c HTTP/1.1" 204 0 "firefox"`},
	} {
		if a, b := Template(same[0]), Template(same[1]); a != b {
			t.Errorf("%q and %q differ", a, b)
		}
	}
	for _, other := range [][2]string{
		{"connection refused", "connection reset"},
		{`"GET /a HTTP/1.1" 200 5`, `"GET /a HTTP/1.1" 503 5`},
	} {
		if a, b := Template(other[0]), Template(other[1]); a == b {
			t.Errorf("%q and %q have the same template", other[0], other[1])
		}
	}
}
