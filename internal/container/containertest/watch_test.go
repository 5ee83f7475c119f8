package containertest

import (
	"testing"

	"logstream/internal/container"
)

// A stop may be reported before or after the die of the same end, and nowhere else.
func TestStopAndDieInEitherOrder(t *testing.T) {
	event := func(action container.Action) container.Event { return container.Event{Action: action, Signal: "15"} }
	kill, die, stop, start := event(container.ActionKill), event(container.ActionDie), event(container.ActionStop), event(container.ActionStart)
	want := []string{"kill 15", "die 0", "stop", "start", "kill 15"}
	for _, test := range []struct {
		events []container.Event
		match  bool
	}{
		{[]container.Event{kill, die, stop, start, kill}, true},
		{[]container.Event{kill, stop, die, start, kill}, true},
		{[]container.Event{stop, kill, die, start, kill}, false},
		{[]container.Event{kill, die, start, stop, kill}, false},
		{[]container.Event{kill, stop, start, die, kill}, false},
		{[]container.Event{kill, die, start, kill}, false},
		{[]container.Event{kill, stop, die, stop, start, kill}, false},
	} {
		before := words(test.events)
		if got := matches(test.events, want); got != test.match {
			t.Errorf("%s: %v, want %v", before, got, test.match)
		}
		if after := words(test.events); after != before {
			t.Errorf("%s became %s", before, after)
		}
	}
}
