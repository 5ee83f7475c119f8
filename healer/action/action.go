// Package action is the list of what may be done about a service. An action is
// one file and one entry of All; nothing else can be done, and no action takes
// a string to execute.
package action

import (
	"context"
	"slices"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// Action is one thing that can be done about a service.
type Action struct {
	Name string
	// Tier is what it costs: 0 loses nothing, 1 loses what is in memory, 2 and
	// above change what the container is and need approval.
	Tier int
	// Cost is what it costs, as one sentence for the approver.
	Cost string
	// Prepare says what exactly would be done to a target, and what it takes to
	// undo that (nil: it cannot be undone); or why it cannot be done, as a clause.
	// It is pure.
	Prepare func(Target) (params event.Params, undo *event.Params, whyNot string)
	// Timeout is how long it may take from before its intent is written, for a
	// container with that stop time-out.
	Timeout func(stop time.Duration) time.Duration
	// Events are those that it causes on a container that was pinned so.
	Events func(pins event.Pins) history.Pattern
	// Unforeseen says that it may do anything to the service's containers while it
	// runs, and that all of it is meant.
	Unforeseen bool
	// Replaces says that another container takes the target's place, and its
	// name.
	Replaces bool
	// Needed says whether the check that showed the cause still says DOWN: checked last,
	// immediately before the call.
	Needed func(Signs) bool
	// EffectSeen compares a container with the intent, never with a clock. nil:
	// nothing shows whether it was done.
	EffectSeen func(intent event.ActionStarted, c container.State) bool
	// Leaves says whether a container is as the action left it.
	Leaves func(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool
	// Undo is what undoes it, under the same name; nil: nothing does. Its
	// parameters are those that UndoParams gives.
	Undo *Action
	// Call makes the call.
	Call func(ctx context.Context, on Runtime, r Request) (Done, error)

	line func(t Target, p event.Params) string // of a program such as docker, after its name
}

// Target is what an action is prepared for.
type Target struct {
	Def     service.Definition
	Name    string          // of its container, as far as it is known
	State   container.State // as it was inspected; zero where Missing
	Missing bool            // there is no such container
	Good    *event.Good     // as it was when the service was last healthy; nil: not known
	// Networks are those that this very container had when the service was last
	// healthy, or since it was UP in it.
	Networks      []event.Network
	NetworksKnown bool
	// SpecKept says that the specification of Good, values of variables
	// included, is in the data directory.
	SpecKept bool
	// RolledBack are the images, by ID, that were replaced by a rollback within
	// the last day.
	RolledBack []string
	// Raised is what its memory limit was before an attempt raised it that was
	// interrupted then; 0: none was.
	Raised int64
	// BadImage is an image, by ID, with which the service did worse: nothing is
	// rolled back to it. Empty: none is known.
	BadImage string
}

// Request is what a call is about: the pinned container, and what exactly is to
// be done to it.
type Request struct {
	ID      string // empty: there is no container
	Pins    event.Pins
	Params  event.Params
	Spec    []byte  // of Params.SpecHash, secret; nil: none is needed
	Command Command // of Params.Command
}

// Done is what a call left behind.
type Done struct {
	ContainerID string // that is in the target's place; empty: the target
	KeptID      string // that was in its place, and was kept
	Output      string // of a command
}

// Command is a command that the operator has configured.
type Command struct {
	Name              string
	Args              []string // the program first; no shell sees them
	Service, Incident string
}

// Runtime is what an action may call. The one command that it executes is the
// operator's own.
type Runtime interface {
	Start(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Unpause(ctx context.Context, id string) error
	Connect(ctx context.Context, id string, networks []container.Network) error
	Disconnect(ctx context.Context, id string, networks []container.Network) error
	KillStart(ctx context.Context, id string, grace time.Duration) error
	SetMemory(ctx context.Context, id string, bytes int64) error
	Recreate(ctx context.Context, with container.Replacement) (id, kept string, err error)
	Restore(ctx context.Context, with container.Restoration) error
	Run(ctx context.Context, c Command) (output string, err error)
}

// Signs are what is held to be DOWN right before a call.
type Signs struct {
	Level   bool // the container
	Own     bool // our own check
	Foreign bool // others, where they may be believed alone
	// Update says that nothing need be DOWN: the service does worse since its image
	// was changed.
	Update bool
}

// All are the actions, in the order of what they cost.
var All = []Action{start, unpause, connect, restart, killStart, run, raiseMemory, rollback, recreate}

// ByName is the action with that name; false where there is none.
func ByName(name string) (Action, bool) {
	for _, a := range All {
		if a.Name == name {
			return a, true
		}
	}
	return Action{}, false
}

// Of is what an intent was about: the action of that name, or what undoes it.
func Of(intent event.ActionStarted) (Action, bool) {
	a, known := ByName(intent.Action)
	if known && intent.Undoes > 0 {
		if a.Undo == nil {
			return Action{}, false
		}
		return *a.Undo, true
	}
	return a, known
}

// Lossless says whether an action loses nothing. To wait, or to call a person,
// is no action.
func Lossless(name string) bool {
	a, known := ByName(name)
	return known && a.Tier == 0
}

// Restarts says whether an action replaces a container's process and leaves the
// container as it is, or may, as an operator's own command.
func Restarts(name string) bool {
	a, known := ByName(name)
	return known && a.Tier == 1
}

// NeedsApproval says whether a person has to approve the action of a service
// first: it changes what the container is, and heal.actions does not list it.
func (a Action) NeedsApproval(def service.Definition) bool {
	return a.Tier >= 2 && !slices.Contains(def.Heal.Actions, a.Name)
}

// UndoParams are the parameters of what undoes an attempt that was executed;
// false where nothing does.
func UndoParams(intent event.ActionStarted, finished event.ActionFinished) (event.Params, bool) {
	a, known := ByName(intent.Action)
	if !known || a.Undo == nil || intent.Undo == nil || intent.Undoes > 0 || !finished.OK {
		return event.Params{}, false
	}
	p := *intent.Undo
	if a.Replaces {
		p.ContainerID = finished.KeptID
	}
	return p, !a.Replaces || p.ContainerID != ""
}

// Left is the container in which an attempt left its service.
func Left(intent event.ActionStarted, finished event.ActionFinished) string {
	if finished.ContainerID != "" {
		return finished.ContainerID
	}
	return intent.Pins.ContainerID
}

func atMost(d time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return d }
}

func causes(phases ...[]string) func(event.Pins) history.Pattern {
	return func(event.Pins) history.Pattern { return history.Pattern(phases) }
}

// anything says that any source reports the service DOWN.
func anything(s Signs) bool { return s.Level || s.Own || s.Foreign }

func byChecks(s Signs) bool { return s.Own || s.Foreign }

func byLevel(s Signs) bool { return s.Level }

// params are an intent's, empty where it has none.
func params(intent event.ActionStarted) event.Params {
	if intent.Params == nil {
		return event.Params{}
	}
	return *intent.Params
}

// startedSince says whether the container runs in another life than the pinned. It may be
// dated earlier, where the engine's clock was set back.
func startedSince(intent event.ActionStarted, c container.State) bool {
	return c.ID == intent.Pins.ContainerID && !c.StartedAt.Equal(intent.Pins.StartedAt)
}

// runsAsLeft says whether it runs in the life that the action began, or left alone.
func runsAsLeft(intent event.ActionStarted, finished event.ActionFinished, c container.State) bool {
	return c.ID == Left(intent, finished) && c.Status == container.Running && (finished.StartedAt.IsZero() || c.StartedAt.Equal(finished.StartedAt))
}
