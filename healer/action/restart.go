package action

import (
	"context"
	"time"

	"logstream/internal/container"
	"logstream/internal/service"
)

// A kill may come twice: the stop signal, and 9 when its time is over.
var restarts = [][]string{{"kill", "kill", "die", "stop"}, {"start"}, {"restart"}}

// restart stops a container, within its own stop time-out, and starts it again.
var restart = Action{
	Name:       service.ActionRestart,
	Tier:       1,
	Cost:       "What the container has in memory is lost, and it does not answer while it starts.",
	Prepare:    plain(map[container.Status]string{container.Removing: "Docker is removing it"}),
	Timeout:    func(stop time.Duration) time.Duration { return stop + 15*time.Second },
	Events:     causes(restarts...),
	Needed:     byChecks,
	EffectSeen: startedSince,
	Leaves:     runsAsLeft,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.Restart(ctx, r.ID)
	},
	line: simply("restart"),
}
