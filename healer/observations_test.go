package healer

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// TestWhatWasObservedIsTakenBeforeWhatWaits: an incident that was read back is not
// decided about by what its service was before.
func TestWhatWasObservedIsTakenBeforeWhatWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var order []string
	h := New(Deps{Instance: "me", Host: "local", Config: Default(), Services: func() []service.Definition { return nil }})
	l := &life{Healer: h, inputs: make(chan timed, 10), seen: newObservations(), work: ctx, ended: make(chan struct{}), leadership: leadership{Healer: h},
		controller: NewController(Setup{Config: Default(), Instance: "me", Host: "local"}, time.Now())}
	l.observe = func(in Input, _ time.Time, _ []Effect) {
		if name := reflect.TypeOf(in).Name(); name != "Tick" {
			order = append(order, name)
		}
		if len(order) == 8 {
			cancel()
		}
	}
	read := l.seen.handle(l)
	observed := func() {
		if err := read(event.Record{Value: event.Encode(event.HealthLog{Timestamp: 1, Service: "web", Status: event.Up, Check: "push"})}); err != nil {
			t.Fatal(err)
		}
	}
	incident := timed{in: ReadIncident{event.Incident{Origin: event.Origin{Host: "another"}, Data: event.Opened{}}}}
	l.inputs <- incident
	observed() // in a replay each topic is read in its turn
	take(l, <-l.inputs)
	l.seen.over.Store(true)
	observed() // not before the one that waits
	l.inputs <- incident
	take(l, <-l.inputs)
	take(l, <-l.inputs)
	observed()
	observed()
	l.inputs <- incident
	observed()
	_ = l.loop(ctx)
	if want := []string{"ReadIncident", "ReadHealth", "ReadHealth", "ReadHealth", "ReadHealth", "ReadHealth", "ReadIncident", "ReadIncident"}; !slices.Equal(order, want) {
		t.Errorf("taken were %v, want %v", order, want)
	}
}
