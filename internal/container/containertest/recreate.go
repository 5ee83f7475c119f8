package containertest

import (
	"errors"
	"testing"

	"logstream/internal/container"
)

// recreate: a new container has the place, of the same specification, and the
// old one is kept, stopped and out of the way; then the other way round.
func recreate(t *testing.T, f *fixture) {
	before := f.inspect()
	id, kept, err := f.Runtime.Recreate(f.ctx(), container.Replacement{ID: f.id})
	if !f.supports("Recreate", err) {
		f.supports("Restore", f.Runtime.Restore(f.ctx(), container.Restoration{ID: f.id, Kept: f.id}))
		_, err := f.Runtime.Specification(f.ctx(), f.id)
		f.supports("Specification", err)
		return
	}
	if err != nil {
		t.Fatalf("Recreate(%s): %v", f.Name, err)
	}
	if id == f.id || kept != f.id {
		t.Errorf("Recreate gives the ID %s and keeps %s, want another than %s, and that kept", id, kept, f.id)
	}
	f.id = id
	f.answers()
	now := f.find(f.Name)
	if now.ID != id || now.Status != container.Running || now.ImageID != before.ImageID || now.SpecHash != before.SpecHash ||
		!sameNetworks(now.Networks, before.Networks) || now.HostPorts != before.HostPorts {
		t.Errorf("recreated:\n\t%+v\nbefore:\n\t%+v", now, before)
	}
	f.setAside(kept, now.Kept)

	if err := f.Runtime.Restore(f.ctx(), container.Restoration{ID: id, Kept: kept}); err != nil {
		t.Fatalf("Restore(%s): %v", f.Name, err)
	}
	f.id = kept
	f.answers()
	if now := f.find(f.Name); identity(now) != identity(before) || now.Status != container.Running {
		t.Errorf("restored:\n\t%+v\nbefore:\n\t%+v", now, before)
	}
	f.setAside(id, "")
	if err := f.Runtime.Restore(f.ctx(), container.Restoration{ID: id, Kept: kept}); err != nil {
		t.Errorf("restored once more: %v", err)
	}
}

// setAside checks the container that has no place any more, and its name where
// one is given.
func (f *fixture) setAside(id, name string) {
	f.t.Helper()
	state, err := f.Runtime.Inspect(f.ctx(), id)
	if err != nil {
		f.t.Fatalf("Inspect of what was kept: %v", err)
	}
	if state.Status != container.Exited || state.RestartPolicy != "" && state.RestartPolicy != "no" || state.Name == f.Name || name != "" && state.Name != name {
		f.t.Errorf("kept (its name is to be %q) is\n\t%+v", name, state)
	}
	for _, c := range f.list() {
		if c.ID == id && !c.Temporary {
			f.t.Errorf("List has what was kept as %+v, want Temporary", c)
		}
	}
}

// recreateRemoved makes a container again from what was remembered of it.
func recreateRemoved(t *testing.T, f *fixture) {
	before := f.inspect()
	spec, err := f.Runtime.Specification(f.ctx(), f.id)
	if !f.supports("Specification", err) || f.Remove == nil {
		return
	}
	if err != nil || len(spec) == 0 {
		t.Fatalf("Specification(%s): %v", f.Name, err)
	}
	f.Remove(t)
	id, kept, err := f.Runtime.Recreate(f.ctx(), container.Replacement{Spec: spec})
	if err != nil || kept != "" {
		t.Fatalf("Recreate from a specification keeps %q and gives the error %v", kept, err)
	}
	f.id = id
	f.answers()
	if now := f.find(f.Name); now.ID != id || now.Status != container.Running || now.ImageID != before.ImageID || now.SpecHash != before.SpecHash || now.Kept != "" {
		t.Errorf("made again:\n\t%+v\nbefore:\n\t%+v", now, before)
	}
	if id, _, err := f.Runtime.Recreate(f.ctx(), container.Replacement{Spec: spec}); err == nil {
		t.Errorf("made again once more, though the name is taken, it has the ID %s", id)
	}
	f.status(container.Running)
}

// recreateRefused: what cannot be made again stays as it is.
func recreateRefused(t *testing.T, f *fixture) {
	before := f.inspect()
	for what, with := range map[string]container.Replacement{
		"an image that isn't there": {ID: f.id, ImageID: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
		"no specification":          {},
		"an invalid specification":  {ID: f.id, Spec: []byte("{")},
	} {
		if _, _, err := f.Runtime.Recreate(f.ctx(), with); err == nil || errors.Is(err, container.ErrUnavailable) {
			t.Errorf("Recreate with %s gives the error %v", what, err)
		}
	}
	if now := f.inspect(); identity(now) != identity(before) || !now.StartedAt.Equal(before.StartedAt) || now.Status != container.Running {
		t.Errorf("after recreations that were refused it is\n\t%+v\nbefore\n\t%+v", now, before)
	}
}
