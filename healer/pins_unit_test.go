package healer

import (
	"testing"

	"logstream/internal/container"
	"logstream/internal/event"
)

func TestPins(t *testing.T) {
	c := container.State{ID: "a", ImageID: "i", SpecHash: "s", StartedAt: simStart, Status: container.Exited}
	pins := event.Pins{ContainerID: "a", ImageID: "i", SpecHash: "s", StartedAt: simStart, State: "exited"}
	if why := pinsHold(pins, c); why != "" {
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
		if pinsHold(pins, other) == "" {
			t.Errorf("%+v is as it was pinned", other)
		}
	}
}
