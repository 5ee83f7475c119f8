package action

import (
	"context"
	"strconv"
	"time"

	"logstream/internal/container"
	"logstream/internal/service"
)

// killGrace is how long a process that ignored its stop signal before gets for
// it this time.
const killGrace = time.Second

// killStart restarts a container that ignored its stop signal before: its process is
// killed a second after that signal, and not after the stop time-out.
var killStart = Action{
	Name: service.ActionKillStart,
	Tier: 1,
	Cost: "What the container has in memory is lost: it is killed after a second, and does not answer while it starts.",
	Prepare: plain(map[container.Status]string{
		container.Exited: "it is not running: starting it is enough", container.Created: "it is not running: starting it is enough",
		container.Dead: "Docker cannot start a dead container", container.Removing: "Docker is removing it"}),
	Timeout:    atMost(killGrace + 15*time.Second),
	Events:     causes(restarts...),
	Needed:     byChecks,
	EffectSeen: startedSince,
	Leaves:     runsAsLeft,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.KillStart(ctx, r.ID, killGrace)
	},
	line: simply("restart", "-t", strconv.Itoa(int(killGrace.Seconds()))),
}
