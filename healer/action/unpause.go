package action

import (
	"context"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// unpause lets a paused container's processes continue.
var unpause = Action{
	Name: service.ActionUnpause,
	Cost: "Non-disruptive: the processes continue where they were.",
	Prepare: plain(map[container.Status]string{
		container.Running: "it is not paused", container.Restarting: "it is not paused", container.Exited: "it is not paused", container.Created: "it is not paused",
		container.Dead: "it is not paused", container.Removing: "it is not paused"}),
	Timeout: atMost(10 * time.Second),
	Events:  causes([]string{"unpause"}),
	Needed:  byLevel,
	EffectSeen: func(intent event.ActionStarted, c container.State) bool {
		return c.ID == intent.Pins.ContainerID && c.Status != container.Paused
	},
	Leaves: func(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool {
		return c.ID == Left(intent, finished) && c.Status == container.Running
	},
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.Unpause(ctx, r.ID)
	},
	line: simply("unpause"),
}
