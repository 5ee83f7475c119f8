package dashboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/container"
)

// TestLogAfterACursorHasOnlyNewLines reads a log as a page does: each answer has the lines
// that were written since the answer before, and says where lines are missing.
func TestLogAfterACursorHasOnlyNewLines(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	written := func(from, to int) []container.Line {
		var lines []container.Line
		for i := from; i < to; i++ { // two at each instant, and their order is not that of their times
			lines = append(lines, container.Line{Time: at.Add(time.Duration(i/2*2-i%3) * time.Millisecond), Text: fmt.Sprint("line ", i)})
		}
		return lines
	}
	first := newer(bounded(written(0, 5)), "")
	if len(first.Lines) != 5 || first.Gap || !isCursor(first.Cursor) {
		t.Fatalf("first: %+v", first)
	}
	same := newer(bounded(written(0, 5)), first.Cursor)
	if len(same.Lines) != 0 || same.Gap || same.Cursor != first.Cursor {
		t.Errorf("nothing was written, and it gives %+v", same)
	}
	more := newer(bounded(written(2, 8)), first.Cursor)
	if len(more.Lines) != 3 || more.Lines[0].Text != "line 5" || more.Gap || more.Cursor == first.Cursor {
		t.Errorf("three lines were written, and it gives %+v", more)
	}
	if beyond := newer(bounded(written(20, 25)), first.Cursor); len(beyond.Lines) != 5 || !beyond.Gap {
		t.Errorf("more was written than is read, and it gives %+v", beyond)
	}
	if gone := newer([]logLine{}, first.Cursor); len(gone.Lines) != 0 || gone.Gap || gone.Cursor != first.Cursor {
		t.Errorf("the log is empty, and it gives %+v", gone)
	}
	for _, hostile := range []string{"1", "x-0000000000000000", "1-00", "1-zzzzzzzzzzzzzzzz", "1-0000000000000000<b>"} {
		if isCursor(hostile) {
			t.Errorf("%q is read as a cursor", hostile)
		}
	}
}

// TestPagesShareAReadOfTheEngine sends many equal requests at once: the engine is read
// once, and again when that answer is too old.
func TestPagesShareAReadOfTheEngine(t *testing.T) {
	s := newShared[int](t.Context(), time.Hour, make(chan struct{}, 1))
	var reads atomic.Int32
	begun, end := make(chan struct{}), make(chan struct{})
	read := func(context.Context) (int, error) {
		if reads.Add(1) == 1 {
			close(begun)
			<-end
		}
		return 7, errors.New("but")
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if n, err := s.get("web", read); n != 7 || err == nil {
				t.Errorf("got %d, %v", n, err)
			}
		})
	}
	<-begun
	close(end)
	all.Wait()
	if n := reads.Load(); n != 1 {
		t.Errorf("the engine was asked %d times", n)
	}
	s.keepFor = 0
	_, _ = s.get("web", read)
	if n := reads.Load(); n != 2 {
		t.Errorf("the engine was asked %d times, after the rest", n)
	}
	if len(s.kept) != 1 {
		t.Errorf("%d answers are kept", len(s.kept))
	}
}

// TestContainerAnswerIsWhatTheEngineSays compares the answer with what the engine said.
func TestContainerAnswerIsWhatTheEngineSays(t *testing.T) {
	of := Inspection{State: container.State{Name: "payment-service", Status: container.Running, Memory: 512 << 20, RestartCount: 2, Networks: []container.Network{{Name: "shop", Address: "172.20.0.7"}}, Error: "a\x1b[0m\nb"},
		Use: &container.Stats{Memory: 1 << 20, CPUs: 0.25}}
	s := serve(t, func(d *Deps) { d.Inspect = func(context.Context, string) (Inspection, error) { return of, nil } }, (*site).claim)
	got := get[containerAnswer](s, "/api/v1/services/payment-service/container")
	if got.State != container.Running || got.MemoryLimit != 512<<20 || got.RestartPolicy != "no" || got.RestartCount != 2 || got.Use == nil || got.Use.CPUs != 0.25 || got.StartedAt != nil ||
		!slices.Equal(got.Networks, []containerNetwork{{"shop", "172.20.0.7"}}) || got.Error == of.State.Error {
		t.Errorf("got %+v", got)
	}
}
