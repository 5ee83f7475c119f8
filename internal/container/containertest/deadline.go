package containertest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"logstream/internal/container"
)

// deadline: a call returns when its context ends, though the engine may still
// be at it, and its error says that the outcome is unknown.
func deadline(t *testing.T, f *fixture) {
	f.id = f.find(f.Stubborn).ID
	w := f.watch(time.Time{})
	const limit = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	begun := time.Now()
	err := f.Runtime.Restart(ctx, f.id)
	if !unknown(err) {
		t.Errorf("Restart past its deadline gives the error %v, want DeadlineExceeded or ErrUnavailable", err)
	}
	if took := time.Since(begun); took > limit+700*time.Millisecond {
		t.Errorf("Restart returned %v after it was called, with a deadline of %v", took, limit)
	}
	// Whether the engine goes on with it is the engine's affair; the container
	// can be started afterwards either way.
	w.expectFirst(t, "kill 15")
	if !wait(func() bool {
		return f.Runtime.Start(f.ctx(), f.id) == nil && f.inspect().Status == container.Running
	}) {
		t.Errorf("after a restart that was given up it is %s, and a start does not help", f.inspect().Status)
	}
}

// cancelled: a call whose context has ended already does nothing.
func cancelled(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	unmade := func(call string, err error) {
		t.Helper()
		if !unknown(err) {
			t.Errorf("%s under a context that has ended gives the error %v, want Canceled or ErrUnavailable", call, err)
		}
	}
	_, find := f.Runtime.Find(ctx, f.Name)
	_, inspect := f.Runtime.Inspect(ctx, f.id)
	_, logs := f.Runtime.Logs(ctx, f.id, 10)
	for call, err := range map[string]error{
		"Find":    find,
		"Inspect": inspect,
		"Logs":    logs,
		"Start":   f.Runtime.Start(ctx, f.id),
		"Restart": f.Runtime.Restart(ctx, f.id),
		"Unpause": f.Runtime.Unpause(ctx, f.id),
		"Inject":  injected(f.Injector.Inject(ctx, f.id, container.FaultKill)),
		"Events":  f.Runtime.Events(ctx, time.Time{}, func() {}, func(container.Event) {}),
	} {
		unmade(call, err)
	}
	for call, err := range f.more(ctx, f.id) {
		if !errors.Is(err, container.ErrUnsupported) {
			unmade(call, err)
		}
	}
	if now := f.inspect(); !reflect.DeepEqual(now, before) {
		t.Errorf("calls under a context that has ended changed the container from\n\t%+v\nto\n\t%+v", before, now)
	}
	f.inject(container.FaultKill)
	w.expect(t, "kill 9", "die 137")
}

// unknown says whether err leaves open what became of the call.
func unknown(err error) bool {
	return errors.Is(err, container.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// expectFirst waits for the first event.
func (w *watch) expectFirst(t *testing.T, want string) {
	t.Helper()
	if !wait(func() bool { seen := w.seen(); return len(seen) > 0 && match(seen[0], want) }) {
		t.Fatalf("the events are %s, want %s first", words(w.seen()), want)
	}
}
