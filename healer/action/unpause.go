package action

import (
	"context"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

var unpause = Action{
	Name:    service.ActionUnpause,
	Cost:    "Nothing is lost: its processes go on where they were paused.",
	Timeout: atMost(10 * time.Second),
	Events:  history.Pattern{{"unpause"}},
	Needed:  func(s Signs) bool { return s.Level },
	EffectSeen: func(pins event.Pins, c container.State) bool {
		return c.ID == pins.ContainerID && c.Status != container.Paused
	},
	Leaves: func(_ event.ActionFinished, c container.State) bool { return c.Status == container.Running },
	Call:   func(ctx context.Context, on Runtime, r Request) error { return on.Unpause(ctx, r.ID) },
}
