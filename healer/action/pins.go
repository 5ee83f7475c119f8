package action

import (
	"fmt"

	"logstream/internal/container"
	"logstream/internal/event"
)

// Changed says how a container differs from what was pinned at the decision, in
// the words after "not carried out: "; empty where it does not.
func Changed(pins event.Pins, c container.State) string {
	switch {
	case c.ID != pins.ContainerID:
		return "another container has its name now"
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
