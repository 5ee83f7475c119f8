package monitor

import (
	"slices"
	"strings"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/text"
)

// recorded are the actions that are written: an engine reports many more, three
// of them for each run of each health check.
var recorded = []container.Action{
	container.ActionCreate, container.ActionStart, container.ActionRestart, container.ActionKill,
	container.ActionDie, container.ActionStop, container.ActionPause, container.ActionUnpause,
	container.ActionOOM, container.ActionDestroy, container.ActionRename,
	container.ActionHealth, container.ActionConnect, container.ActionDisconnect,
}

// isOf says whether an event is of the container that ref names: by its name,
// by Compose's project/service, or by the id that it was last found under.
func isOf(e container.Event, ref, id string) bool {
	return e.Name == ref || e.Project != "" && e.Project+"/"+e.Service == ref || id != "" && e.ID == id
}

// isNear says whether an event is of a neighbour: of a container in one of the
// Compose projects, or of one that Compose is about to put in another's place.
func isNear(e container.Event, projects map[string]bool) bool {
	return e.Replace != "" || e.Project != "" && projects[e.Project]
}

// projectOf is the Compose project that a reference names, or empty.
func projectOf(ref string) string {
	project, _, is := strings.Cut(ref, "/")
	if !is {
		return ""
	}
	return project
}

// maxField bounds, in bytes, what an event brings: labels are foreign text,
// and a record that is too large for the log would never be written.
const maxField = 1 << 10

// dockerRecord is an engine's event as a record, before it has a claim.
func dockerRecord(e container.Event, identity event.Origin) event.Docker {
	d := event.Docker{
		Time: e.Time.UTC(), Container: text.Clip(e.Name, maxField), ID: text.Clip(e.ID, maxField), Action: string(e.Action), Signal: text.Clip(e.Signal, maxField),
		Health: text.Clip(string(e.Health), maxField), Network: text.Clip(e.Network, maxField),
		Image: text.Clip(e.Image, maxField), Project: text.Clip(e.Project, maxField), Compose: text.Clip(e.Service, maxField), Replace: text.Clip(e.Replace, maxField), Origin: identity,
	}
	if e.Action == container.ActionDie {
		d.ExitCode = &e.ExitCode
	}
	return d
}

// isRecorded says whether events of that action are written.
func isRecorded(a container.Action) bool { return slices.Contains(recorded, a) }
