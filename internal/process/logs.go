package process

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"logstream/internal/container"
)

// A child writes what it likes: these bound what of it is kept.
const (
	maxLines = 1000
	maxText  = 4 << 10 // bytes of one line; the rest is cut off
)

// tail keeps the last lines written to it.
type tail struct {
	now func() time.Time

	mu      sync.Mutex
	lines   []container.Line // oldest first
	pending []byte           // the line that has no end yet, bounded
}

func newTail(now func() time.Time) *tail { return &tail{now: now} }

// Write never fails and never blocks the child.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rest := p
	for {
		head, after, ended := bytes.Cut(rest, []byte("\n"))
		room := maxText - len(t.pending)
		t.pending = append(t.pending, head[:min(len(head), room)]...)
		if !ended {
			return len(p), nil
		}
		t.flush()
		rest = after
	}
}

func (t *tail) flush() {
	if len(t.lines) == maxLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	text := strings.ToValidUTF8(strings.TrimSuffix(string(t.pending), "\r"), "?")
	t.lines = append(t.lines, container.Line{Time: t.now(), Text: text})
	t.pending = t.pending[:0]
}

// last are the newest n lines, oldest first. A last line without an end is
// not yet one.
func (t *tail) last(n int) []container.Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = min(max(n, 0), len(t.lines))
	return append([]container.Line(nil), t.lines[len(t.lines)-n:]...)
}
