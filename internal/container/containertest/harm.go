package containertest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
)

// ended checks the state of a container whose end the events report.
func ended(t *testing.T, f *fixture, events []container.Event) {
	t.Helper()
	state, die := f.status(container.Exited), last(t, events, container.ActionDie)
	if state.ExitCode != die.ExitCode {
		t.Errorf("ExitCode is %d, and that of the die event %d", state.ExitCode, die.ExitCode)
	}
	if state.FinishedAt.After(die.Time) || !state.FinishedAt.After(state.StartedAt) {
		t.Errorf("FinishedAt is %v, want after StartedAt, %v, and not after the die event, at %v", state.FinishedAt, state.StartedAt, die.Time)
	}
	if state.OOMKilled {
		t.Error("OOMKilled is true")
	}
}

// stop is a kill, and a die and a stop in either order: the stop event makes
// it a request.
func stop(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	f.inject(container.FaultStop)
	ended(t, f, w.expect(t, "kill "+f.StopSignal, "die *", "stop"))
	f.start()
	w.expect(t, "kill "+f.StopSignal, "die *", "stop", "start")
}

func stopStubborn(t *testing.T, f *fixture) {
	f.id = f.find(f.Stubborn).ID
	w := f.watch(time.Time{})
	f.inject(container.FaultStop)
	events := w.expect(t, "kill 15", "kill 9", "die 137", "stop")
	ended(t, f, events)
	if apart, limit := events[1].Time.Sub(events[0].Time), f.inspect().StopTimeout; apart < limit*9/10 {
		t.Errorf("the second kill came %v after the first, before the stop time-out of %v was over", apart, limit)
	}
	f.start()
	w.expect(t, "kill 15", "kill 9", "die 137", "stop", "start")
}

// kill is kill and die, without a stop.
func kill(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	f.inject(container.FaultKill)
	ended(t, f, w.expect(t, "kill 9", "die 137"))
	f.start()
	w.expect(t, "kill 9", "die 137", "start")
}

// killPaused: nothing survives signal 9.
func killPaused(t *testing.T, f *fixture) {
	f.inject(container.FaultPause)
	f.inject(container.FaultKill)
	if !wait(func() bool { return f.inspect().Status == container.Exited }) {
		t.Fatalf("killed while it was paused, it is %s", f.inspect().Status)
	}
	f.start()
	f.answers()
}

// exit by itself is a die and nothing else: that is how a crash differs from
// a requested stop.
func exit(t *testing.T, f *fixture) {
	w := f.watch(time.Time{})
	f.Exit(t, 3)
	ended(t, f, w.expect(t, "die 3"))
	f.start()
	f.answers()
	f.Exit(t, 42)
	ended(t, f, w.expect(t, "die 3", "start", "die 42"))
	f.start()
	w.expect(t, "die 3", "start", "die 42", "start")
}

// harmTwice: what is harmed so already is success, and leaves no trace.
func harmTwice(t *testing.T, f *fixture) {
	f.inject(container.FaultPause)
	f.inject(container.FaultPause)
	f.status(container.Paused)
	f.unpause()
	f.end(container.FaultStop)
	w := f.watch(time.Time{})
	f.inject(container.FaultStop)
	f.inject(container.FaultKill)
	f.status(container.Exited)
	f.start()
	w.expect(t, "start")
}

// unknownFault: the error says what is known, and nothing happens.
func unknownFault(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	for _, fault := range []string{"melt", "", "kill; rm", strings.ToUpper(container.FaultKill)} {
		_, err := f.Injector.Inject(f.ctx(), f.id, fault)
		if err == nil || errors.Is(err, container.ErrNotFound) || errors.Is(err, container.ErrUnavailable) {
			t.Errorf("Inject(%q) gives the error %v, want one that is neither ErrNotFound nor ErrUnavailable", fault, err)
			continue
		}
		if !strings.Contains(err.Error(), container.FaultStop) || !strings.Contains(err.Error(), container.FaultPause) {
			t.Errorf("Inject(%q) says %q: want the faults that are known in it", fault, err)
		}
	}
	if now := f.inspect(); !reflect.DeepEqual(now, before) {
		t.Errorf("an unknown fault changed the container from\n\t%+v\nto\n\t%+v", before, now)
	}
	f.inject(container.FaultKill)
	w.expect(t, "kill 9", "die 137")
}

func faults(t *testing.T, f *fixture) {
	got := f.Injector.Faults(f.Name)
	for _, fault := range []string{container.FaultStop, container.FaultKill, container.FaultPause} {
		if !slices.Contains(got, fault) {
			t.Errorf("Faults(%q) are %v, without %s", f.Name, got, fault)
		}
	}
}
