package containertest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"logstream/internal/container"
)

// startMatches checks how the container's state stands to its events, for
// the reader who finds by them which start made it what it is: its StartedAt is
// not later than the start event, and later than the end before it.
func startMatches(t *testing.T, f *fixture, events []container.Event) {
	t.Helper()
	state := f.status(container.Running)
	start, die := last(t, events, container.ActionStart), last(t, events, container.ActionDie)
	if state.StartedAt.After(start.Time) || !state.StartedAt.After(die.Time) {
		t.Errorf("StartedAt is %v, want after the die at %v and not after the start event at %v", state.StartedAt, die.Time, start.Time)
	}
}

func startExited(t *testing.T, f *fixture) {
	f.end(container.FaultKill)
	f.status(container.Exited)
	w := f.watch(time.Time{})
	f.start()
	f.status(container.Running)
	f.answers()
	f.inject(container.FaultKill)
	w.expect(t, "start", "kill 9", "die 137")
}

// startRunning: what runs already is success, and leaves no trace.
func startRunning(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	f.start()
	if now := f.inspect(); !reflect.DeepEqual(now, before) {
		t.Errorf("a start of what runs changed it from\n\t%+v\nto\n\t%+v", before, now)
	}
	f.inject(container.FaultKill)
	w.expect(t, "kill 9", "die 137")
}

// startPaused: a start doesn't unpause, and doesn't say that it did.
func startPaused(t *testing.T, f *fixture) {
	f.inject(container.FaultPause)
	err := f.Runtime.Start(f.ctx(), f.id)
	if err == nil || errors.Is(err, container.ErrNotFound) || errors.Is(err, container.ErrUnavailable) {
		t.Errorf("Start of a paused container gives the error %v, want one that is neither ErrNotFound nor ErrUnavailable", err)
	}
	f.status(container.Paused)
	f.unpause()
	f.answers()
}

// startTwiceAtOnce: another client's start and ours are both success, and one
// start.
func startTwiceAtOnce(t *testing.T, f *fixture) {
	f.end(container.FaultKill)
	w := f.watch(time.Time{})
	var both sync.WaitGroup
	for range 2 {
		ctx := f.ctx()
		both.Go(func() {
			if err := f.Runtime.Start(ctx, f.id); err != nil {
				t.Errorf("one of two starts at once: %v", err)
			}
		})
	}
	both.Wait()
	f.answers()
	f.inject(container.FaultKill)
	w.expect(t, "start", "kill 9", "die 137")
}

// restart: only the restart event, the last, distinguishes it from a stop and a start
// by another client.
func restart(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	f.restart()
	events := w.expect(t, "kill "+f.StopSignal, "die *", "stop", "start", "restart")
	startMatches(t, f, events)
	if now := f.inspect(); !now.StartedAt.After(before.StartedAt) {
		t.Errorf("StartedAt is %v after the restart, and was %v before", now.StartedAt, before.StartedAt)
	}
	f.answers()
	f.inject(container.FaultKill)
	w.expect(t, "kill "+f.StopSignal, "die *", "stop", "start", "restart", "kill 9", "die 137")
}

func restartExited(t *testing.T, f *fixture) {
	f.end(container.FaultKill)
	w := f.watch(time.Time{})
	f.restart()
	f.answers()
	f.inject(container.FaultKill)
	w.expect(t, "start", "restart", "kill 9", "die 137")
}

// restartStubborn: it takes the whole stop time-out, and a second kill.
func restartStubborn(t *testing.T, f *fixture) {
	f.id = f.find(f.Stubborn).ID
	w := f.watch(time.Time{})
	begun := time.Now()
	f.restart()
	if took, limit := time.Since(begun), f.inspect().StopTimeout; took < limit*9/10 {
		t.Errorf("the restart of what ignores its stop signal took %v, less than its stop time-out of %v", took, limit)
	}
	startMatches(t, f, w.expect(t, "kill 15", "kill 9", "die 137", "stop", "start", "restart"))
	f.inject(container.FaultKill)
	w.expect(t, "kill 15", "kill 9", "die 137", "stop", "start", "restart", "kill 9", "die 137")
}

func unpause(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	f.inject(container.FaultPause)
	if now := f.status(container.Paused); !now.StartedAt.Equal(before.StartedAt) || !now.FinishedAt.IsZero() {
		t.Errorf("paused, it has StartedAt %v (before: %v) and FinishedAt %v", now.StartedAt, before.StartedAt, now.FinishedAt)
	}
	w.expect(t, "pause")
	f.unpause()
	f.status(container.Running)
	f.answers()
	w.expectAround(t, "pause", "unpause")
	f.inject(container.FaultKill)
	w.expectAround(t, "pause", "unpause", "kill 9", "die 137")
}

// unpauseRunning: what runs already is success, and leaves no trace.
func unpauseRunning(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	f.unpause()
	if now := f.inspect(); !reflect.DeepEqual(now, before) {
		t.Errorf("an unpause of what runs changed it from\n\t%+v\nto\n\t%+v", before, now)
	}
	f.inject(container.FaultKill)
	w.expect(t, "kill 9", "die 137")
}

func unpauseExited(t *testing.T, f *fixture) {
	f.inject(container.FaultKill)
	err := f.Runtime.Unpause(f.ctx(), f.id)
	if err == nil || errors.Is(err, container.ErrNotFound) || errors.Is(err, container.ErrUnavailable) {
		t.Errorf("Unpause of an exited container gives the error %v, want one that is neither ErrNotFound nor ErrUnavailable", err)
	}
	f.status(container.Exited)
}
