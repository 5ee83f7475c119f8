package containertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/internal/container"
)

// watch is one reader of a runtime's events, which keeps those of one
// container that any test inspects.
type watch struct {
	id     string
	cancel context.CancelFunc
	ended  chan error // why Events returned

	mu     sync.Mutex
	events []container.Event
	ready  int // how often ready was called
}

// acts are the events that the suite speaks of. Others, such as Docker's
// exec_create, may stand between them.
var acts = []container.Action{
	container.ActionStart, container.ActionRestart, container.ActionKill, container.ActionDie,
	container.ActionStop, container.ActionPause, container.ActionUnpause, container.ActionDestroy,
}

// watch follows the container's events from since on, and returns once the
// stream stands.
func (f *fixture) watch(since time.Time) *watch {
	f.t.Helper()
	return f.watchWith(since, func(container.Event) {})
}

// watchWith is watch, with a handler beside the watch's own.
func (f *fixture) watchWith(since time.Time, handle func(container.Event)) *watch {
	f.t.Helper()
	w := follow(f.t, f.Runtime, f.id, since, handle)
	if !wait(func() bool { return w.stands() || w.over() }) {
		f.t.Fatalf("Events called no ready within %v", patience)
	}
	if w.over() {
		f.t.Fatalf("Events ended at once: %v", <-w.ended)
	}
	return w
}

func follow(t *testing.T, runtime container.Runtime, id string, since time.Time, handle func(container.Event)) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{id: id, cancel: cancel, ended: make(chan error, 1)}
	var reader sync.WaitGroup
	reader.Go(func() {
		w.ended <- runtime.Events(ctx, since, w.isReady, func(e container.Event) {
			handle(e)
			w.add(e)
		})
	})
	t.Cleanup(func() {
		cancel()
		reader.Wait()
	})
	return w
}

func (w *watch) isReady() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready++
}

func (w *watch) stands() bool { return w.timesReady() > 0 }

func (w *watch) timesReady() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready
}

func (w *watch) over() bool { return len(w.ended) > 0 }

func (w *watch) add(e container.Event) {
	if e.ID != w.id || !slices.Contains(acts, e.Action) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *watch) seen() []container.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// expect waits until the container's events are these, all of them and in
// this order, and returns them as they came. Each is written as its action,
// with the signal of a kill and the exit code of a die: "kill 9", "die 137",
// "stop"; "die *" is one with any code. A "stop" is written after its "die",
// and may come before it: engines differ, and one call may do either. But for
// these two, times rise.
//
// A surplus event that comes later than the last one expected would not be
// noticed, so every test ends with one more act, whose event it expects last.
func (w *watch) expect(t *testing.T, want ...string) []container.Event {
	t.Helper()
	var got []container.Event
	wait(func() bool {
		got = w.seen()
		return len(got) >= len(want) || w.over()
	})
	if !matches(got, want) {
		t.Fatalf("the events are\n\t%s\nwant\n\t%s", words(got), strings.Join(want, ", "))
	}
	for i := 1; i < len(got); i++ {
		if !isEnd(got[i-1], got[i]) && !got[i].Time.After(got[i-1].Time) {
			t.Fatalf("%s is dated %v, not after the %s before it, at %v", word(got[i]), got[i].Time, word(got[i-1]), got[i-1].Time)
		}
	}
	return got
}

// isEnd reports whether the two, one after the other, report one end that was
// asked for. Their order means nothing, in the stream or in time.
func isEnd(a, b container.Event) bool {
	return a.Action == container.ActionStop && b.Action == container.ActionDie ||
		a.Action == container.ActionDie && b.Action == container.ActionStop
}

// expectAround is expect, blind to a pause and an unpause beyond those
// expected: some engines report a quick one twice.
func (w *watch) expectAround(t *testing.T, want ...string) {
	t.Helper()
	var got []container.Event
	if !wait(func() bool {
		got = w.seen()
		return within(got, want)
	}) {
		t.Fatalf("the events are\n\t%s\nwant, with nothing between them but a pause and an unpause reported twice,\n\t%s",
			words(got), strings.Join(want, ", "))
	}
}

// within says whether got is want with nothing but pauses and unpauses added.
func within(got []container.Event, want []string) bool {
	for _, e := range got {
		switch {
		case len(want) > 0 && match(e, want[0]):
			want = want[1:]
		case e.Action != container.ActionPause && e.Action != container.ActionUnpause:
			return false
		}
	}
	return len(want) == 0
}

// matches says whether got is want, with a stop before or after its die.
func matches(got []container.Event, want []string) bool {
	got = slices.Clone(got)
	for i := 1; i < len(got); i++ {
		if got[i-1].Action == container.ActionStop && isEnd(got[i-1], got[i]) {
			got[i-1], got[i] = got[i], got[i-1]
		}
	}
	return slices.EqualFunc(got, want, match)
}

func match(e container.Event, want string) bool {
	return want == word(e) || want == "die *" && e.Action == container.ActionDie
}

func word(e container.Event) string {
	switch e.Action {
	case container.ActionKill:
		return "kill " + e.Signal
	case container.ActionDie:
		return fmt.Sprintf("die %d", e.ExitCode)
	}
	return string(e.Action)
}

func words(events []container.Event) string {
	all := make([]string, len(events))
	for i, e := range events {
		all[i] = word(e)
	}
	return strings.Join(all, ", ")
}

// last is the newest event of that action.
func last(t *testing.T, events []container.Event, action container.Action) container.Event {
	t.Helper()
	for _, e := range slices.Backward(events) {
		if e.Action == action {
			return e
		}
	}
	t.Fatalf("there is no %s among %s", action, words(events))
	return container.Event{}
}
