package healer

import (
	"context"
	"testing"

	"logstream/internal/container"
)

// oneContainer is an engine with one container, which has no service's name.
type oneContainer struct {
	Runtime
	state container.State
}

func (o oneContainer) Find(context.Context, string) (container.State, error) {
	return container.State{}, container.ErrNotFound
}

func (o oneContainer) Inspect(_ context.Context, id string) (container.State, error) {
	if id != o.state.ID {
		return container.State{}, container.ErrNotFound
	}
	return o.state, nil
}

// TestContainerThatRunsUnderAnotherNameIsNotGone: a second one would use its volumes.
// The specification may be that of one before it.
func TestContainerThatRunsUnderAnotherNameIsNotGone(t *testing.T) {
	for name, tt := range map[string]struct {
		last   string
		status container.Status
		want   string
	}{
		"it runs":             {"a", container.Running, "its container was renamed to web-old"},
		"it is paused":        {"a", container.Paused, "its container was renamed to web-old"},
		"it was kept":         {"a", container.Exited, ""},
		"it was removed":      {"b", container.Running, ""},
		"it was not seen yet": {"", container.Running, ""},
	} {
		engine := oneContainer{state: container.State{ID: "a", Name: "web-old", Status: tt.status}}
		if got := changedTarget(t.Context(), engine, Execute{Ref: "web", Last: tt.last}); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
