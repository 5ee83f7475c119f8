package action

import (
	"context"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// recreate makes the container anew of the specification with which the service
// was last healthy: where it was removed, or changed since.
var recreate = Action{
	Name:       service.ActionRecreate,
	Tier:       2,
	Cost:       costOfReplacing,
	Prepare:    prepareRecreate,
	Timeout:    func(stop time.Duration) time.Duration { return stop + replaceTime },
	Events:     causes(givesPlace...),
	Replaces:   true,
	Needed:     anything,
	EffectSeen: tookPlace,
	Leaves:     runsAsLeft,
	Undo:       &undoRecreate,
	Call: func(ctx context.Context, on Runtime, r Request) (Done, error) {
		id, kept, err := on.Recreate(ctx, container.Replacement{ID: r.ID, Spec: r.Spec, ImageID: r.Params.ImageID})
		return Done{ContainerID: id, KeptID: kept}, err
	},
	line: func(t Target, _ event.Params) string { return composeUp(t) },
}

var undoRecreate = func() Action {
	a := restore
	a.Name = service.ActionRecreate
	return a
}()

func prepareRecreate(t Target) (event.Params, *event.Params, string) {
	why := irreplaceable(t)
	switch {
	case t.Def.Container == "":
		why = notDefined
	case why != "":
	case t.State.Status == container.Removing:
		why = "Docker is removing it"
	case t.Good == nil:
		why = notKnown
	case !t.Missing && t.State.SpecHash == t.Good.SpecHash:
		why = "it is configured as it was when the service was last healthy"
	case !t.SpecKept:
		why = "the values of its variables are not in LogStream's data directory"
		if up := composeUp(t); up != "" {
			why += "; create it again with " + up
		}
	}
	if why != "" {
		return event.Params{}, nil, why
	}
	var undo *event.Params
	if !t.Missing { // of what was removed nothing is kept
		undo = wasSo(t.State)
	}
	return event.Params{ImageID: t.Good.ImageID, Image: t.Good.Image, SpecHash: t.Good.SpecHash}, undo, ""
}
