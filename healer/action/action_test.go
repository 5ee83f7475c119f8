package action

import (
	"context"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// called is a runtime that remembers what was called.
type called []string

func (c *called) Start(_ context.Context, id string) error { *c = append(*c, "start "+id); return nil }
func (c *called) Restart(_ context.Context, id string) error {
	*c = append(*c, "restart "+id)
	return nil
}
func (c *called) Unpause(_ context.Context, id string) error {
	*c = append(*c, "unpause "+id)
	return nil
}

func TestEveryActionIsComplete(t *testing.T) {
	for _, a := range All {
		if !slices.Contains(service.Actions, a.Name) {
			t.Errorf("%s is not an action of the contract", a.Name)
		}
		if found, known := ByName(a.Name); !known || found.Name != a.Name {
			t.Errorf("%s is not found by its name", a.Name)
		}
		if a.Timeout == nil || a.Timeout(10*time.Second) < 10*time.Second || a.Events == nil || a.Needed == nil || a.EffectSeen == nil || a.Leaves == nil || a.Call == nil {
			t.Errorf("%s lacks a part: %+v", a.Name, a)
		}
		var c called
		if err := a.Call(t.Context(), &c, Request{ID: "id"}); err != nil || !slices.Equal(c, called{a.Name + " id"}) {
			t.Errorf("%s calls %v", a.Name, c)
		}
		if a.Needed(Signs{}) {
			t.Errorf("%s is needed where nothing is DOWN", a.Name)
		}
		if Lossless(a.Name) != (a.Tier == 0) {
			t.Errorf("%s of tier %d is lossless: %v", a.Name, a.Tier, Lossless(a.Name))
		}
	}
	if _, known := ByName("remove"); known || Lossless(service.ActionNone) || Lossless(service.ActionEscalate) {
		t.Error("what is no action is taken for one")
	}
}

func TestCommandLinesAreQuoted(t *testing.T) {
	for name, want := range map[string]string{"payment-service": "docker start payment-service", "a b": "docker start 'a b'", "x;rm -rf /": "docker start 'x;rm -rf /'", "it's": `docker start 'it'\''s'`, "": "docker start ''"} {
		if got := start.CommandLine("docker", name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := start.CommandLine("", "web"); got != "" {
		t.Errorf("without a program it is %q", got)
	}
}

func TestEffectsAreComparedWithThePins(t *testing.T) {
	pins := event.Pins{ContainerID: "a", StartedAt: began, State: "exited"}
	for _, tt := range []struct {
		action string
		c      container.State
		want   bool
	}{
		{"start", container.State{ID: "a", Status: container.Running, StartedAt: began.Add(time.Second)}, true},
		{"start", container.State{ID: "a", Status: container.Exited, StartedAt: began.Add(time.Second)}, true},
		{"start", container.State{ID: "a", Status: container.Exited, StartedAt: began}, false},
		{"start", container.State{ID: "b", Status: container.Running, StartedAt: began.Add(time.Second)}, false},
		{"restart", container.State{ID: "a", Status: container.Running, StartedAt: began.Add(time.Second)}, true},
		{"restart", container.State{ID: "a", Status: container.Running, StartedAt: began}, false},
		{"unpause", container.State{ID: "a", Status: container.Running, StartedAt: began}, true},
		{"unpause", container.State{ID: "a", Status: container.Paused, StartedAt: began}, false},
		{"unpause", container.State{ID: "b", Status: container.Running, StartedAt: began}, false},
	} {
		a, _ := ByName(tt.action)
		if got := a.EffectSeen(pins, tt.c); got != tt.want {
			t.Errorf("%s on %+v: %v", tt.action, tt.c, got)
		}
	}
}

func TestChangesAgainstThePins(t *testing.T) {
	c := container.State{ID: "a", ImageID: "i", SpecHash: "s", StartedAt: began, Status: container.Exited}
	pins := event.Pins{ContainerID: "a", ImageID: "i", SpecHash: "s", StartedAt: began, State: "exited"}
	if why := Changed(pins, c); why != "" {
		t.Errorf("nothing changed, and %s", why)
	}
	for _, change := range []func(*container.State){
		func(c *container.State) { c.ID = "b" },
		func(c *container.State) { c.ImageID = "b" },
		func(c *container.State) { c.SpecHash = "b" },
		func(c *container.State) { c.StartedAt = c.StartedAt.Add(1) },
		func(c *container.State) { c.Status = container.Created },
		func(c *container.State) { c.Replacing = "b" },
	} {
		other := c
		change(&other)
		if Changed(pins, other) == "" {
			t.Errorf("%+v is as it was pinned", other)
		}
	}
}
