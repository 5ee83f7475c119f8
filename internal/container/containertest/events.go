package containertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
)

// eventsReplay: a later reader reads the same events, from the instant
// asked for on, that instant included.
func eventsReplay(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	f.inject(container.FaultKill)
	f.start()
	f.answers()
	f.restart()
	f.inject(container.FaultKill)
	want := w.expect(t, "kill 9", "die 137", "start", "kill "+f.StopSignal, "die *", "stop", "start", "restart", "kill 9", "die 137")
	byTime := func(a, b container.Event) int { return a.Time.Compare(b.Time) }
	for from := range want {
		if !slices.IsSortedFunc(want[max(0, from-1):min(from+2, len(want))], byTime) {
			continue // a stop and a die that came the other way round: no time divides them
		}
		again := f.watch(want[from].Time)
		wait(func() bool { return len(again.seen()) >= len(want)-from || again.over() })
		if got := again.seen(); !slices.Equal(got, want[from:]) {
			t.Fatalf("read again from the %s on, the events are\n\t%s\nwant\n\t%s, the same in every field", word(want[from]), words(got), words(want[from:]))
		}
		again.cancel()
	}
}

// eventsReplayThenLive: no gap and no repetition where the past meets the
// present.
func eventsReplayThenLive(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	f.inject(container.FaultKill)
	first := w.expect(t, "kill 9", "die 137")[0]
	again := follow(t, f.Runtime, f.id, first.Time, func(container.Event) {})
	for range 3 { // while that stream is still being opened
		f.start()
		f.inject(container.FaultKill)
	}
	f.start()
	round := []string{"kill 9", "die 137", "start"}
	want := slices.Repeat(round, 4)
	if got := again.expect(t, want...); !slices.Equal(got, w.expect(t, want...)) {
		t.Errorf("two readers saw different events: %s; %s", words(got), words(w.seen()))
	}
}

// eventsFromNow: without a time the past isn't reported, and what follows ready
// is.
func eventsFromNow(t *testing.T, f *fixture) {
	first := f.watch(time.Time{})
	f.inject(container.FaultKill)
	f.start()
	first.expect(t, "kill 9", "die 137", "start")
	w := f.watch(time.Time{})
	f.inject(container.FaultKill)
	w.expect(t, "kill 9", "die 137")
	if n := w.timesReady(); n != 1 {
		t.Errorf("ready was called %d times", n)
	}
}

// eventsSlowReader: a reader that stands still delays neither the runtime nor
// the other readers, and loses nothing.
func eventsSlowReader(t *testing.T, f *fixture) {
	release := make(chan struct{})
	slow := f.watchWith(time.Time{}, func(container.Event) { <-release })
	quick := f.watch(time.Time{})
	f.restart()
	f.inject(container.FaultKill)
	want := []string{"kill " + f.StopSignal, "die *", "stop", "start", "restart", "kill 9", "die 137"}
	quick.expect(t, want...)
	if seen := slow.seen(); len(seen) > 0 {
		t.Errorf("the reader that stands still has handled %s", words(seen))
	}
	close(release)
	slow.expect(t, want...)
}

func eventsEnd(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	w.cancel()
	select {
	case err := <-w.ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Events ended with its context, and gives the error %v, want context.Canceled", err)
		}
	case <-time.After(patience):
		t.Errorf("Events goes on %v after its context ended", patience)
	}
}

func eventFields(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	f.inject(container.FaultKill)
	f.start()
	state := f.inspect()
	for _, e := range w.expect(t, "kill 9", "die 137", "start") {
		if e.Name != f.Name || e.ID != state.ID {
			t.Errorf("%s names %q with the ID %s, want %q and %s", word(e), e.Name, e.ID, f.Name, state.ID)
		}
		if e.Image != state.Image {
			t.Errorf("%s has the image %q, want %q", word(e), e.Image, state.Image)
		}
		if e.Project != state.Project || e.Service != state.Service {
			t.Errorf("%s belongs to %q/%q, want %q/%q", word(e), e.Project, e.Service, state.Project, state.Service)
		}
		if apart := time.Since(e.Time); apart < -time.Minute || apart > time.Minute {
			t.Errorf("%s is dated %v, %v ago", word(e), e.Time, apart)
		}
	}
}
