package action

import (
	"context"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// RunTime is how long an operator's command may take.
const RunTime = time.Minute

// run executes the operator's own command. Nothing shows whether one that was
// interrupted had its effect, so it is never repeated by itself.
var run = Action{
	Name: service.ActionRun,
	Tier: 1,
	Cost: "LogStream does not know what the command changes: see it under heal.commands in config.yaml.",
	Prepare: func(t Target) (event.Params, *event.Params, string) {
		if len(t.Def.Heal.Commands) == 0 {
			return event.Params{}, nil, "heal.commands in config.yaml names no command"
		}
		return event.Params{Command: t.Def.Heal.Commands[0].Name}, nil, ""
	},
	Timeout:    atMost(RunTime + 10*time.Second),
	Events:     causes(),
	Unforeseen: true,
	Needed:     anything,
	Leaves:     func(event.ActionStarted, event.ActionFinished, container.State) bool { return true },
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		ctx, cancel := context.WithTimeout(ctx, RunTime)
		defer cancel()
		output, err := on.Run(ctx, r.Command)
		return Done{Output: output}, err
	},
}
