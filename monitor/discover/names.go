package discover

import (
	"fmt"
	"strconv"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// Names and groups follow from a container's own labels and name alone. What
// else runs on the host, or how many replicas there are, renames nothing.

// isReplica says whether a container is one of those that Compose makes by
// number: it has the name that Compose gives, and not one of its own.
func isReplica(c container.Listed) bool {
	if c.Project == "" || c.Service == "" || c.Number < 1 {
		return false
	}
	n := strconv.Itoa(c.Number)
	return c.Name == c.Project+"-"+c.Service+"-"+n || c.Name == c.Project+"_"+c.Service+"_"+n
}

// baseName is the name of a service without the replica's number: the label's,
// else that of the Compose service, else that of the container.
func baseName(c container.Listed) string {
	if given := c.Labels[labelName]; given != "" && event.CheckServiceName(numbered(given, c)) == nil {
		return given
	}
	if isReplica(c) {
		return c.Project + "/" + c.Service
	}
	return c.Name
}

// nameOf is the name of the service that a container is.
func nameOf(c container.Listed) (string, error) {
	name := numbered(baseName(c), c)
	return name, event.CheckServiceName(name)
}

func numbered(base string, c container.Listed) string {
	if isReplica(c) {
		return fmt.Sprintf("%s/%d", base, c.Number)
	}
	return base
}

// groupOf is the group of a service that names none: replicas that share a name
// of their own are a group, and a Compose project is.
func groupOf(c container.Listed, defaults service.Definition) string {
	var group string
	switch {
	case isReplica(c) && baseName(c) != c.Project+"/"+c.Service:
		group = baseName(c)
	case c.Project != "":
		group = c.Project
	default:
		return defaults.Group
	}
	var line string
	if setLine(&line, group) != nil {
		return defaults.Group
	}
	return line
}
