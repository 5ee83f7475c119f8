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

// The events of a container that gives its place to another: it is stopped and
// renamed, and where the rest fails it is put back. In its place the other is created, perhaps renamed, and started.
var (
	givesPlace = [][]string{{"kill", "kill", "die", "stop", "rename"}, {"rename", "start"}}
	// TakesPlace are the events of the container that takes the place.
	TakesPlace = history.Pattern{{"create", "rename", "rename"}, {"start"}}
)

const replaceTime = time.Minute // beside the stop time-out

const costOfReplacing = "What the container has in memory, and in its own file system outside its volumes, is not in the new one. The old container is kept, stopped."

// rollback makes the container anew of the image that the service was last
// healthy with before the present one.
var rollback = Action{
	Name:       service.ActionRollback,
	Tier:       2,
	Cost:       costOfReplacing,
	Prepare:    prepareRollback,
	Timeout:    func(stop time.Duration) time.Duration { return stop + replaceTime },
	Events:     causes(givesPlace...),
	Replaces:   true,
	Needed:     func(s Signs) bool { return anything(s) || s.Update },
	EffectSeen: tookPlace,
	Leaves:     runsAsLeft,
	Undo:       &restore,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		id, kept, err := on.Recreate(ctx, container.Replacement{ID: r.ID, ImageID: r.Params.ImageID})
		return Done{ContainerID: id, KeptID: kept}, err
	},
	line: func(t Target, p event.Params) string {
		up := composeUp(t)
		if up == "" {
			return ""
		}
		return docker("tag", p.ImageID, t.State.Image) + " && " + up
	},
}

// restore undoes a rollback or a recreation: the container that was kept takes
// its place again.
var restore = Action{
	Name:     service.ActionRollback,
	Tier:     2,
	Cost:     "The container that was kept takes its place again; the new one is kept, stopped.",
	Timeout:  func(stop time.Duration) time.Duration { return stop + replaceTime },
	Events:   causes(givesPlace...),
	Replaces: true,
	Needed:   func(Signs) bool { return true },
	EffectSeen: func(intent event.ActionStarted, c container.State) bool {
		p := params(intent)
		return c.ID == p.ContainerID && (c.Status == container.Running || p.Stopped && PutsBack(intent))
	},
	Leaves: runsAsLeft,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		p := r.Params
		return Done{ContainerID: p.ContainerID, KeptID: r.ID}, on.Restore(ctx, container.Restoration{ID: r.ID, Kept: p.ContainerID,
			RestartPolicy: p.RestartPolicy, RestartLimit: p.RestartLimit, Stopped: p.Stopped})
	},
	line: func(t Target, p event.Params) string {
		if !t.Missing || t.Name == "" {
			return ""
		}
		line := docker("rename", p.ContainerID[:min(len(p.ContainerID), 12)], t.Name)
		if !p.Stopped {
			line += " && " + docker("start", t.Name)
		}
		return line
	},
}

// PutsBack says whether an intent undoes a replacement that was cut off before it
// made the new container: nothing is in the place of the old one.
func PutsBack(intent event.ActionStarted) bool {
	return intent.Undoes > 0 && intent.Pins.ContainerID == "" && params(intent).ContainerID != ""
}

// wasSo is what undoing a replacement takes beside the container that is kept.
func wasSo(c container.State) *event.Params {
	runs := c.Status == container.Running || c.Status == container.Restarting || c.Status == container.Paused
	return &event.Params{RestartPolicy: c.RestartPolicy, RestartLimit: c.RestartLimit, Stopped: !runs}
}

func prepareRollback(t Target) (event.Params, *event.Params, string) {
	why := absent(t)
	if why == "" {
		why = irreplaceable(t)
	}
	var p event.Params
	switch {
	case why != "":
	case t.Good == nil:
		why = notKnown
	case t.Good.ImageID != t.State.ImageID && t.Good.ImageID != t.BadImage:
		p = event.Params{ImageID: t.Good.ImageID, Image: t.Good.Image}
	case t.Good.ContainerID != t.State.ID && t.Good.ImageID == t.State.ImageID && t.Good.SpecHash != t.State.SpecHash && t.State.ImageID != t.BadImage:
		why = "the service was last healthy with this image; only the container's specification changed"
	case t.Good.PreviousImageID != "" && t.Good.PreviousImageID != t.State.ImageID && t.Good.PreviousImageID != t.BadImage:
		p = event.Params{ImageID: t.Good.PreviousImageID, Image: t.Good.PreviousImage}
	default:
		why = "LogStream knows of no image that the service ran healthily with before this one"
	}
	if slices.Contains(t.RolledBack, t.State.ImageID) || slices.Contains(t.RolledBack, p.ImageID) {
		why = "this image, or the one before it, was rolled back within the last day already"
	}
	if why != "" {
		return event.Params{}, nil, why
	}
	return p, wasSo(t.State), ""
}

// tookPlace says whether another container, of the image that an intent names,
// is in the target's place, and the target was kept.
func tookPlace(intent event.ActionStarted, c container.State) bool {
	pinned := intent.Pins.ContainerID
	return c.ID != "" && c.ID != pinned && c.ImageID == params(intent).ImageID && (pinned == "" || c.Kept != "")
}
