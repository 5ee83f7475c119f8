package action

import (
	"context"
	"time"

	"logstream/internal/container"
	"logstream/internal/service"
)

// start starts a container that does not run.
var start = Action{
	Name: service.ActionStart,
	Cost: "Non-disruptive: the container is not running.",
	Prepare: plain(map[container.Status]string{
		container.Running: "it runs", container.Paused: "a paused container cannot be started", container.Restarting: "its restart policy starts it",
		container.Removing: "Docker is removing it"}),
	Timeout:    atMost(10 * time.Second),
	Events:     causes([]string{"start"}),
	Needed:     byLevel,
	EffectSeen: startedSince,
	Leaves:     runsAsLeft,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.Start(ctx, r.ID)
	},
	line: simply("start"),
}
