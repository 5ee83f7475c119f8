package docker

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/docker/docker/pkg/stdcopy"

	"logstream/internal/container"
	"logstream/internal/redact"
)

func texts(lines []container.Line) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func TestLogs(t *testing.T) {
	r := newReplay(t)
	r.file(t, "GET", "/containers/x/json", "inspect-running")
	r.file(t, "GET", "/containers/x/logs", "logs")
	lines, err := r.runtime(t).Logs(t.Context(), "x", 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"INFO listening on :8080", "INFO signal terminated"}
	if got := texts(lines); !slices.Equal(got[:2], want) {
		t.Errorf("the log begins with %q, want %q", got, want)
	}
	if at := lines[0].Time; at.Year() != 2026 {
		t.Errorf("the first line is dated %v", at)
	}
	if calls := r.calls("GET /containers/x/logs"); len(calls) != 1 || !strings.Contains(calls[0], "tail=10") || !strings.Contains(calls[0], "timestamps=1") {
		t.Errorf("asked %q, want 10 lines with their times", calls)
	}
	if _, err := r.runtime(t).Logs(t.Context(), "x", 1<<30); err != nil || len(r.calls("GET /containers/x/logs?stderr=1&stdout=1&tail=1000&")) != 1 {
		t.Errorf("asked %q for very many lines, want 1000 of them (%v)", r.calls("GET /containers/x/logs"), err)
	}
}

func TestLogsOfATerminal(t *testing.T) {
	r := newReplay(t)
	r.file(t, "GET", "/containers/tty/json", "inspect-tty")
	r.file(t, "GET", "/containers/tty/logs", "logs-tty")
	lines, err := r.runtime(t).Logs(t.Context(), "tty", 10)
	if want := []string{"INFO listening on :8080"}; err != nil || !slices.Equal(texts(lines), want) || lines[0].Time.IsZero() {
		t.Errorf("Logs gives %v and %v, want %q with its time", lines, err, want)
	}
}

// What a container's own variables say is secret is masked wherever it prints it,
// and so is a private key, no line of which looks like a secret.
func TestSecretsInLogsAreMasked(t *testing.T) {
	lines := []container.Line{{Text: "with hunter22 for s3cret"}, {Text: "-----BEGIN PRIVATE KEY-----"}, {Text: "MIIEowIBAAKCAQEAcanary"}, {Text: "ready"}}
	hide(lines, redact.OfEnvironment([]string{"TOKEN=hunter22", "DATABASE_URL=mysql://app:s3cret@db/x", "MODE=production"}))
	if want := []string{"with *** for ***", "***", "***", "ready"}; !slices.Equal(texts(lines), want) {
		t.Errorf("got %q, want %q", texts(lines), want)
	}
}

// A secret that was cut in half does not look like one.
func TestALongLineIsCutBetweenWords(t *testing.T) {
	for text, want := range map[string]int{
		strings.Repeat("x", maxText-9) + " AKIA0123456789":          maxText - 9,
		strings.Repeat("x", maxText+9):                              maxText,
		strings.Repeat("x", 9) + " " + strings.Repeat("y", maxText): maxText,
	} {
		if got := toLine([]byte(text)).Text; len(got) != want {
			t.Errorf("%d bytes are left, want %d", len(got), want)
		}
	}
}

func TestLogsRefused(t *testing.T) {
	r := newReplay(t)
	r.file(t, "GET", "/containers/x/json", "inspect-running")
	r.on("GET", "/containers/x/logs", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "configured logging driver does not support reading", http.StatusNotImplemented)
	})
	if _, err := r.runtime(t).Logs(t.Context(), "x", 10); err == nil || errors.Is(err, container.ErrUnavailable) || !strings.Contains(err.Error(), "does not support reading") {
		t.Errorf("Logs gives %v, want the engine's refusal", err)
	}
}

// frames writes a log as the engine frames it.
func frames(t testing.TB, parts ...string) io.Reader {
	t.Helper()
	var out bytes.Buffer
	for i, part := range parts {
		kind := stdcopy.Stdout
		if i%2 == 1 {
			kind = stdcopy.Stderr
		}
		if _, err := io.WriteString(stdcopy.NewStdWriter(&out, kind), part); err != nil {
			t.Fatal(err)
		}
	}
	return &out
}

func TestReadLines(t *testing.T) {
	const stamp = "2026-11-24T02:35:53.853396561Z "
	for _, test := range []struct {
		name  string
		parts []string // of standard output and standard error in turn
		tail  int
		want  []string
	}{
		{"both outputs in their order", []string{stamp + "one\n", stamp + "two\n", stamp + "three\n"}, 10, []string{"one", "two", "three"}},
		{"the last lines", []string{stamp + "one\n", stamp + "two\n", stamp + "three\n"}, 2, []string{"two", "three"}},
		{"lines that interrupt each other", []string{stamp + "o", stamp + "two\n", "ne\n"}, 10, []string{"two", "one"}},
		{"two lines in one frame", []string{stamp + "one\n" + stamp + "two\n"}, 10, []string{"one", "two"}},
		{"no end", []string{stamp + "one"}, 10, []string{"one"}},
		{"empty line", []string{stamp + "\n"}, 10, []string{""}},
		{"carriage return", []string{stamp + "one\r\n"}, 10, []string{"one"}},
		{"no time", []string{"one two\n"}, 10, []string{"one two"}},
		{"not UTF-8", []string{stamp + "a\xff\xfeb\n"}, 10, []string{"a?b"}},
		{"nothing", nil, 10, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, err := readLines(frames(t, test.parts...), false, test.tail)
			if err != nil || !slices.Equal(texts(lines), test.want) {
				t.Errorf("got %q and %v, want %q", texts(lines), err, test.want)
			}
		})
	}
}

// What a container writes without end stays bounded.
func TestReadLinesBounded(t *testing.T) {
	endless := io.LimitReader(zeros{}, 64<<20)
	lines, err := readLines(endless, true, 5)
	if err != nil || len(lines) != 1 || len(lines[0].Text) > maxText {
		t.Errorf("64 MiB without a line's end give %d lines and %v", len(lines), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func FuzzReadLines(f *testing.F) {
	_, _, body := recording(f, "logs")
	f.Add(body, false)
	_, _, terminal := recording(f, "logs-tty")
	f.Add(terminal, true)
	f.Add([]byte{3, 0, 0, 0, 0, 0, 0, 1, 'x'}, false)
	f.Fuzz(func(t *testing.T, data []byte, tty bool) {
		if !tty && len(data) > 4 && data[4] > 0 {
			return // a frame of 16 MiB and more: the buffer for it is made at once
		}
		lines, _ := readLines(bytes.NewReader(data), tty, 7)
		if len(lines) > 7 {
			t.Errorf("%d lines, want 7 at most", len(lines))
		}
		for _, l := range lines {
			if len(l.Text) > maxText || !utf8.ValidString(l.Text) || strings.Contains(l.Text, "\n") {
				t.Errorf("the line %q", l.Text)
			}
			if l.Time.After(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("the time %v", l.Time)
			}
		}
	})
}
