package containertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"logstream/internal/container"
)

// maxLine is the longest text of one line, in bytes, that a runtime may give.
const maxLine = 16 << 10

func (f *fixture) logs(tail int) []container.Line {
	f.t.Helper()
	lines, err := f.Runtime.Logs(f.ctx(), f.id, tail)
	if err != nil {
		f.t.Fatalf("Logs(%s, %d): %v", f.Name, tail, err)
	}
	return lines
}

// waitFor waits until text is among the last lines, and returns those.
func (f *fixture) waitFor(text string, tail int) []container.Line {
	f.t.Helper()
	var lines []container.Line
	if !wait(func() bool {
		lines = f.logs(tail)
		return slices.ContainsFunc(lines, func(l container.Line) bool { return l.Text == text })
	}) {
		f.t.Fatalf("%q is not among the last lines: %v", text, lines)
	}
	return lines
}

func logsTail(t *testing.T, f *fixture) {
	for i := range 12 {
		f.Say(t, fmt.Sprintf("line %d", i))
		f.waitFor(fmt.Sprintf("line %d", i), 100)
	}
	all := f.logs(100)
	for i := 1; i < len(all); i++ {
		if all[i].Time.Before(all[i-1].Time) {
			t.Errorf("%q is dated %v, before the line above it, at %v", all[i].Text, all[i].Time, all[i-1].Time)
		}
	}
	for _, tail := range []int{1, 5, len(all)} {
		if got := f.logs(tail); !slices.Equal(got, all[len(all)-tail:]) {
			t.Errorf("the last %d lines are %v, want %v", tail, got, all[len(all)-tail:])
		}
	}
	for _, tail := range []int{0, -1} {
		if got := f.logs(tail); len(got) != 0 {
			t.Errorf("the last %d lines are %v, want none", tail, got)
		}
	}
}

// logsOverRestart: the last words of a process that has ended are still there
// afterwards.
func logsOverRestart(t *testing.T, f *fixture) {
	f.Say(t, "last words")
	f.waitFor("last words", 100)
	f.inject(container.FaultKill)
	f.waitFor("last words", 100)
	f.start()
	f.answers()
	f.waitFor("last words", 100)
}

// logsBounded: a line is as long as its writer likes, and what is given of it
// isn't.
func logsBounded(t *testing.T, f *fixture) {
	f.Say(t, strings.Repeat("x", 200_000))
	f.Say(t, "after the long one")
	for _, line := range f.waitFor("after the long one", 1000) {
		if len(line.Text) > maxLine {
			t.Errorf("a line of %d bytes, more than %d", len(line.Text), maxLine)
		}
	}
	if n := len(f.logs(1 << 30)); n > 10_000 {
		t.Errorf("asked for very many lines, the runtime gives %d", n)
	}
}
