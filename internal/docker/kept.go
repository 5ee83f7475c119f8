package docker

import (
	"context"
	"regexp"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"logstream/internal/container"
)

// labelReplaces is the ID of the container in whose place Recreate put the
// labelled one, or of whose specification it made it.
const labelReplaces = "io.logstream.replaces"

// keptPattern is the name of a container that Recreate or Restore took out of
// its place: the name of that place, and the beginning of its ID.
var keptPattern = regexp.MustCompile(`^(.+)-logstream-kept-[0-9a-f]{8}$`)

func keptName(place, id string) string { return place + "-logstream-kept-" + id[:min(len(id), 8)] }

// placeOf is the name whose container was kept under this name, or empty.
func placeOf(name string) string {
	if match := keptPattern.FindStringSubmatch(name); match != nil {
		return match[1]
	}
	return ""
}

// isKept says whether the container with that name and state has no place. One
// that runs has: Compose starts what was kept where it takes it for the service's.
func isKept(name, state string) bool {
	live := container.Listed{Status: container.Status(state)}.Live()
	return placeOf(name) != "" && !live
}

// kept is the name of the container that Recreate kept when it made this one,
// or empty. It costs one call, of containers that Recreate made only.
func (r *Runtime) kept(ctx context.Context, c apicontainer.InspectResponse) (string, error) {
	id := c.Config.Labels[labelReplaces]
	if id == "" {
		return "", nil
	}
	found, err := query(ctx, r, "look for the container before", "container "+short(c.ID), func(ctx context.Context, e engine) ([]apicontainer.Summary, error) {
		return e.ContainerList(ctx, apicontainer.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("id", id))})
	})
	if err != nil {
		return "", err
	}
	for _, one := range found {
		if name := summaryName(one); one.ID == id && placeOf(name) == c.Name[min(len(c.Name), 1):] {
			return name, nil
		}
	}
	return "", nil
}
