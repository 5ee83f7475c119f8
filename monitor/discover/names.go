package discover

import (
	"fmt"
	"strconv"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// naming is what the names of services follow from beside a container's own
// labels: the other containers that Compose makes by number.
type naming struct {
	projects map[string]map[string]bool // that have a Compose service of that name
	replicas map[[2]string]int          // of a project and service
}

func (r Rules) naming(containers []Container) naming {
	n := naming{map[string]map[string]bool{}, map[[2]string]int{}}
	for _, c := range containers {
		if c.Temporary || !isReplica(c.Listed) || r.Mode != All && len(c.Labels) == 0 {
			continue
		}
		if n.projects[c.Service] == nil {
			n.projects[c.Service] = map[string]bool{}
		}
		n.projects[c.Service][c.Project] = true
		n.replicas[[2]string{c.Project, c.Service}]++
	}
	return n
}

// isReplica says whether a container is one of those that Compose makes by
// number: it has the name that Compose gives, and not one of its own.
func isReplica(c container.Listed) bool {
	if c.Project == "" || c.Service == "" || c.Number < 1 {
		return false
	}
	n := strconv.Itoa(c.Number)
	return c.Name == c.Project+"-"+c.Service+"-"+n || c.Name == c.Project+"_"+c.Service+"_"+n
}

// base is the name of a service without the replica's number: the label's, else
// that of the Compose service, with its project where several have one of that
// name, else that of the container.
func (n naming) base(c container.Listed) string {
	if given := c.Labels[labelName]; given != "" && event.CheckServiceName(numbered(given, c)) == nil {
		return given
	}
	switch {
	case !isReplica(c):
		return c.Name
	case len(n.projects[c.Service]) > 1:
		return c.Project + "/" + c.Service
	}
	return c.Service
}

// name is the name of the service that a container is.
func (n naming) name(c container.Listed) (string, error) {
	name := numbered(n.base(c), c)
	return name, event.CheckServiceName(name)
}

func numbered(base string, c container.Listed) string {
	if isReplica(c) {
		return fmt.Sprintf("%s/%d", base, c.Number)
	}
	return base
}

// group is the group of a service that names none: replicas are a group under
// the name that they share, and what there is one of, without a name of its own,
// is in that of its Compose project.
func (n naming) group(c container.Listed, defaults service.Definition) string {
	var group string
	switch {
	case isReplica(c) && (c.Labels[labelName] != "" || n.replicas[[2]string{c.Project, c.Service}] > 1):
		group = n.base(c)
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
