package containertest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
)

const (
	callTimeout = 30 * time.Second      // of one call of the runtime
	patience    = 20 * time.Second      // until something that must happen has happened
	poll        = 20 * time.Millisecond // between two reads of a condition
)

// fixture is a Fixture with the calls that the tests make of it: each fails
// the test where the runtime returns an error.
type fixture struct {
	Fixture
	t  *testing.T
	id string // of Name
}

func newFixture(t *testing.T, f Fixture) *fixture {
	t.Helper()
	fx := &fixture{Fixture: f, t: t}
	fx.id = fx.find(f.Name).ID
	return fx
}

// ctx is for one call.
func (f *fixture) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	f.t.Cleanup(cancel)
	return ctx
}

func (f *fixture) find(ref string) container.State {
	f.t.Helper()
	state, err := f.Runtime.Find(f.ctx(), ref)
	if err != nil {
		f.t.Fatalf("Find(%q): %v", ref, err)
	}
	return state
}

func (f *fixture) inspect() container.State {
	f.t.Helper()
	state, err := f.Runtime.Inspect(f.ctx(), f.id)
	if err != nil {
		f.t.Fatalf("Inspect(%s): %v", f.Name, err)
	}
	return state
}

func (f *fixture) start() {
	f.t.Helper()
	if err := f.Runtime.Start(f.ctx(), f.id); err != nil {
		f.t.Fatalf("Start(%s): %v", f.Name, err)
	}
}

func (f *fixture) restart() {
	f.t.Helper()
	if err := f.Runtime.Restart(f.ctx(), f.id); err != nil {
		f.t.Fatalf("Restart(%s): %v", f.Name, err)
	}
}

func (f *fixture) unpause() {
	f.t.Helper()
	if err := f.Runtime.Unpause(f.ctx(), f.id); err != nil {
		f.t.Fatalf("Unpause(%s): %v", f.Name, err)
	}
}

func (f *fixture) inject(fault string) {
	f.t.Helper()
	if _, err := f.Injector.Inject(f.ctx(), f.id, fault); err != nil {
		f.t.Fatalf("Inject(%s, %q): %v", f.Name, fault, err)
	}
}

// end injects the fault and waits until the container's end is reported, which may
// be after the call that caused it returned: who follows the events from then
// on sees nothing of it.
func (f *fixture) end(fault string) {
	f.t.Helper()
	w := f.watch(time.Time{})
	defer w.cancel()
	f.inject(fault)
	if !wait(func() bool {
		return slices.ContainsFunc(w.seen(), func(e container.Event) bool { return e.Action == container.ActionDie })
	}) {
		f.t.Fatalf("%s of %s: the events are %s, want a die among them", fault, f.Name, words(w.seen()))
	}
}

// status fails the test unless the container is in that state now.
func (f *fixture) status(want container.Status) container.State {
	f.t.Helper()
	state := f.inspect()
	if state.Status != want {
		f.t.Fatalf("%s is %s, want %s", f.Name, state.Status, want)
	}
	return state
}

// answers waits until the container's service does.
func (f *fixture) answers() {
	f.t.Helper()
	if f.URL == "" {
		return
	}
	client := http.Client{Timeout: time.Second}
	var last error
	if !wait(func() bool {
		response, err := client.Get(f.URL)
		if last = err; err != nil {
			return false
		}
		defer response.Body.Close()
		_, last = io.Copy(io.Discard, response.Body)
		return last == nil && response.StatusCode == http.StatusOK
	}) {
		f.t.Fatalf("%s doesn't answer GET %s with 200 within %v of its start: %v", f.Name, f.URL, patience, last)
	}
}

// supports says whether the runtime has the method; where it has not, err, which
// a call of it gave, must say so.
func (f *fixture) supports(method string, err error) bool {
	f.t.Helper()
	lacks := slices.Contains(f.Unsupported, method)
	if lacks != errors.Is(err, container.ErrUnsupported) {
		f.t.Errorf("%s gives the error %v, want ErrUnsupported: %v", method, err, lacks)
	}
	return !lacks
}

// wait reports whether the condition came to hold in time.
func wait(holds func() bool) bool {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// injected is the error of an injection.
func injected(_ container.Before, err error) error { return err }
