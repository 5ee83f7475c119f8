// Package action is the list of what may be done to a container. An action is
// one file and one entry of All; nothing else can be done, and no action takes
// a string to execute.
package action

import (
	"context"
	"strings"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
)

// Action is one thing that can be done to a container.
type Action struct {
	Name string
	// Tier is what it costs: 0 loses nothing, 1 loses what is in memory, 2 and
	// above change what the container is and ask for approval.
	Tier int
	// Cost is what it costs, as a sentence for whoever is to approve it.
	Cost string
	// Timeout is how long it may take from before its intent is written, for a
	// container with that stop time-out.
	Timeout func(stop time.Duration) time.Duration
	// Events are those that it causes.
	Events history.Pattern
	// Needed says whether the check that showed the cause still says DOWN: asked last,
	// immediately before the call.
	Needed func(Signs) bool
	// EffectSeen compares a container with what was pinned, never with a clock.
	EffectSeen func(pins event.Pins, c container.State) bool
	// Leaves says whether a container is as the action left it.
	Leaves func(finished event.ActionFinished, c container.State) bool
	// Undo is the name of the action that undoes it; empty: there is none.
	Undo string
	// Call makes the call.
	Call func(ctx context.Context, on Runtime, r Request) error
}

// Request is what a call is about: the pinned container, and what exactly is to
// be done to it.
type Request struct {
	ID     string
	Params event.Params
}

// Runtime is what an action may call: nothing that executes a command.
type Runtime interface {
	Start(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Unpause(ctx context.Context, id string) error
}

// Signs are what is held to be DOWN right before a call.
type Signs struct {
	Level   bool // the container
	Own     bool // our own check
	Foreign bool // others, where they may be believed alone
}

// All are the actions, in the order of what they cost.
var All = []Action{start, unpause, restart}

// ByName is the action with that name; false where there is none.
func ByName(name string) (Action, bool) {
	for _, a := range All {
		if a.Name == name {
			return a, true
		}
	}
	return Action{}, false
}

// Lossless says whether an action loses nothing. To wait, or to call a person,
// is no action.
func Lossless(name string) bool {
	a, known := ByName(name)
	return known && a.Tier == 0
}

// CommandLine is what a person would type for it with a program such as docker:
// shown, never executed. It is empty where there is no such program.
func (a Action) CommandLine(program, container string) string {
	if program == "" || a.Name == "" {
		return ""
	}
	return program + " " + a.Name + " " + quote(container)
}

// quote makes a name safe to paste into a shell.
func quote(name string) string {
	plain := func(r rune) bool {
		return r == '-' || r == '_' || r == '.' || r == '/' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

func atMost(d time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return d }
}

// startedSince says whether the container runs in another life than the pinned.
func startedSince(pins event.Pins, c container.State) bool {
	return c.ID == pins.ContainerID && c.StartedAt.After(pins.StartedAt)
}

// runsAsLeft says whether it runs in the life that the action began.
func runsAsLeft(finished event.ActionFinished, c container.State) bool {
	return c.Status == container.Running && (finished.StartedAt.IsZero() || c.StartedAt.Equal(finished.StartedAt))
}
