package action

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/size"
)

// raiseMemory doubles a container's memory limit, up to the operator's ceiling,
// and starts it where it had ended.
var raiseMemory = Action{
	Name:       service.ActionRaiseMemory,
	Tier:       2,
	Cost:       "The container may use more of this machine's memory from then on.",
	Prepare:    prepareMemory,
	Timeout:    atMost(20 * time.Second),
	Events:     startsWhatEnded,
	Needed:     anything,
	EffectSeen: hasLimitAndStarted,
	Leaves: func(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool {
		return c.Memory == params(intent).MemoryBytes && runsAsLeft(intent, finished, c)
	},
	Undo: &lowerMemory,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		err := on.SetMemory(ctx, r.ID, r.Params.MemoryBytes)
		if err == nil && len(startsWhatEnded(r.Pins)) > 0 {
			err = on.Start(ctx, r.ID)
		}
		return Done{}, err
	},
	line: memoryLine,
}

var lowerMemory = Action{
	Name:       service.ActionRaiseMemory,
	Tier:       2,
	Cost:       "The container may use less memory from then on, and may run out of it again.",
	Timeout:    atMost(10 * time.Second),
	Events:     causes(),
	Needed:     func(Signs) bool { return true },
	EffectSeen: hasLimit,
	Leaves: func(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool {
		return c.ID == Left(intent, finished) && c.Memory == params(intent).MemoryBytes
	},
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		return Done{}, on.SetMemory(ctx, r.ID, r.Params.MemoryBytes)
	},
	line: memoryLine,
}

func prepareMemory(t Target) (event.Params, *event.Params, string) {
	why := absent(t)
	limit, ceiling := t.State.Memory, int64(t.Def.Heal.MaxMemory)
	switch {
	case why != "":
	case t.State.Status == container.Paused:
		why = "it is paused"
	case t.Raised > 0: // what was begun is completed, and nothing is raised again
		return event.Params{MemoryBytes: limit}, &event.Params{MemoryBytes: t.Raised}, ""
	case limit == 0:
		why = "the container has no memory limit"
	case ceiling == 0:
		why = "heal.max_memory in config.yaml does not say how much it may get"
	case limit >= ceiling:
		why = fmt.Sprintf("its limit is %v already, and heal.max_memory allows %v", size.Size(limit), size.Size(ceiling))
	}
	if why != "" {
		return event.Params{}, nil, why
	}
	return event.Params{MemoryBytes: min(2*limit, ceiling)}, &event.Params{MemoryBytes: limit}, ""
}

// HalfRaised says whether a container has the limit of an attempt that was
// interrupted, and what its limit was before: the attempt set it, and did not
// come to start the container.
func HalfRaised(intent event.ActionStarted, c container.State) (before int64, is bool) {
	if intent.Action != service.ActionRaiseMemory || intent.Undoes > 0 || intent.Undo == nil || !hasLimit(intent, c) {
		return 0, false
	}
	return intent.Undo.MemoryBytes, true
}

// hasLimitAndStarted says whether a container that had ended was started as well:
// the limit is changed first.
func hasLimitAndStarted(intent event.ActionStarted, c container.State) bool {
	return hasLimit(intent, c) && (len(startsWhatEnded(intent.Pins)) == 0 || startedSince(intent, c))
}

func hasLimit(intent event.ActionStarted, c container.State) bool {
	return c.ID == intent.Pins.ContainerID && c.Memory == params(intent).MemoryBytes
}

// startsWhatEnded is a start where the container did not run.
func startsWhatEnded(pins event.Pins) history.Pattern {
	if pins.State == string(container.Running) || pins.State == string(container.Restarting) {
		return history.Pattern{}
	}
	return history.Pattern{{"start"}}
}

func memoryLine(t Target, p event.Params) string {
	bytes := strconv.FormatInt(p.MemoryBytes, 10)
	return docker("update", "--memory", bytes, "--memory-swap", bytes, t.Name)
}
