package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"logstream/internal/container"
)

// Compose's labels.
const (
	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelOneOff  = "com.docker.compose.oneoff"  // "True" on containers of "docker compose run"
	labelReplace = "com.docker.compose.replace" // on a container that was made to replace another. It stays for good
)

// replaceWindow is how long a successor that was never started counts as one:
// what an aborted "docker compose up" leaves behind announces nothing.
const replaceWindow = 10 * time.Minute

// Find is the one container that ref names: its exact name, or project/service
// by Compose's labels. No name has a slash, so the two never mix; and a name
// is never taken for the beginning of an ID, as the engine itself would. The one
// that had the name before is asked for by its ID first, which spares the engine a
// list of all.
func (r *Runtime) Find(ctx context.Context, ref string) (container.State, error) {
	if id, known := r.named.Load(ref); known {
		state, err := r.Inspect(ctx, id.(string))
		if err == nil && state.Name == ref || errors.Is(err, container.ErrUnavailable) {
			return state, err
		}
		r.named.Delete(ref)
	}
	found, err := query(ctx, r, "look for", fmt.Sprintf("container %q", ref), func(ctx context.Context, e engine) ([]apicontainer.Summary, error) {
		return e.ContainerList(ctx, apicontainer.ListOptions{All: true, Filters: listFilter(ref)})
	})
	if err != nil {
		return container.State{}, err
	}
	one, err := pick(ref, found)
	if err != nil {
		return container.State{}, err
	}
	state, err := r.Inspect(ctx, one.ID)
	if err == nil && state.Name == ref {
		r.named.Store(ref, state.ID)
	}
	return state, err
}

// listFilter lets the engine leave out what cannot be meant.
func listFilter(ref string) filters.Args {
	if project, service, ok := strings.Cut(ref, "/"); ok {
		return filters.NewArgs(filters.Arg("label", labelProject+"="+project), filters.Arg("label", labelService+"="+service))
	}
	return filters.NewArgs(filters.Arg("name", "^/?"+regexp.QuoteMeta(ref)+"$"))
}

// pick chooses the one container that ref names.
func pick(ref string, among []apicontainer.Summary) (apicontainer.Summary, error) {
	matches := slices.DeleteFunc(slices.Clone(among), func(c apicontainer.Summary) bool { return !names(ref, c) })
	switch len(matches) {
	case 1:
		return matches[0], nil
	case 0:
		return apicontainer.Summary{}, fmt.Errorf("look for container %q: %w", ref, container.ErrNotFound)
	}
	var candidates []string
	for _, c := range matches {
		candidates = append(candidates, summaryName(c))
	}
	slices.Sort(candidates)
	return apicontainer.Summary{}, &container.AmbiguousError{Ref: ref, Candidates: candidates}
}

func names(ref string, c apicontainer.Summary) bool {
	project, service, ok := strings.Cut(ref, "/")
	if !ok {
		return ref != "" && summaryName(c) == ref
	}
	return project != "" && service != "" && c.Labels[labelProject] == project && c.Labels[labelService] == service &&
		!strings.EqualFold(c.Labels[labelOneOff], "true") && !successor(c) &&
		!isKept(summaryName(c), c.State)
}

// successorName is the name that Compose gives a successor until it has the
// place: the short ID and the name of the container that it replaces.
var successorName = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// successor reports whether Compose made c to take another container's place
// and hasn't got there yet.
func successor(c apicontainer.Summary) bool {
	return c.Labels[labelReplace] != "" && c.State == string(container.Created) && successorName.MatchString(summaryName(c))
}

// replaces reports whether c is the fresh successor of the container with that
// name and ID.
func replaces(c apicontainer.Summary, name, id string, now time.Time) bool {
	if !successor(c) || now.Sub(time.Unix(c.Created, 0)) > replaceWindow {
		return false
	}
	return summaryName(c) == short(id)+"_"+name || c.Labels[labelReplace] == name
}

// replacedName is the name of the container that one with this name and label
// was made to replace, or empty. The label alone doesn't say: it is the whole
// name only where the service has a container_name, else such as worker-1.
func replacedName(name, label string) string {
	if label == "" {
		return ""
	}
	if match := successorName.FindStringSubmatch(name); match != nil {
		return match[1]
	}
	return label
}

// summaryName is the container's own name; names with a slash inside are
// those that links gave it.
func summaryName(c apicontainer.Summary) string {
	for _, name := range c.Names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// replacing is the name of the container by which Compose is about to replace
// the one with that name and ID, or empty.
func (r *Runtime) replacing(ctx context.Context, name, id string) (string, error) {
	labelled, err := query(ctx, r, "look for a successor of", short(id), func(ctx context.Context, e engine) ([]apicontainer.Summary, error) {
		return e.ContainerList(ctx, apicontainer.ListOptions{All: true, Filters: filters.NewArgs(
			filters.Arg("label", labelReplace), filters.Arg("status", string(container.Created)))})
	})
	if err != nil {
		return "", err
	}
	for _, c := range labelled {
		if replaces(c, name, id, time.Now()) {
			return summaryName(c), nil
		}
	}
	return "", nil
}
