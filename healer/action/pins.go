package action

import (
	"fmt"
	"strings"

	"logstream/internal/container"
	"logstream/internal/event"
)

// Changed says how a container differs from what was pinned at the decision, and
// from what ref, the service's container, names, in the words after "not carried
// out: "; empty where it does not.
func Changed(ref string, pins event.Pins, c container.State) string {
	switch {
	case c.ID != pins.ContainerID:
		return "another container has its name now"
	case ref != "" && !isNamed(ref, c): // an ID finds it under any name
		return "this container is named " + c.Name + " now, and the service's container is " + ref
	case c.ImageID != pins.ImageID:
		return "its image changed after the decision"
	case c.SpecHash != pins.SpecHash:
		return "its specification changed after the decision"
	case !c.StartedAt.Equal(pins.StartedAt):
		return "it was started after the decision"
	case string(c.Status) != pins.State:
		return fmt.Sprintf("its state changed from %[2]s to %[1]s", c.Status, pins.State)
	case c.Replacing != "":
		return "a deployment is replacing it"
	}
	return ""
}

// isNamed says whether ref names the container, as an engine finds it: by its exact
// name, or by project/service, Compose's labels, which a rename does not change.
func isNamed(ref string, c container.State) bool {
	project, service, labels := strings.Cut(ref, "/")
	if labels {
		return c.Project == project && c.Service == service
	}
	return c.Name == ref
}
