package containertest

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"logstream/internal/container"
)

func (f *fixture) list() []container.Listed {
	f.t.Helper()
	all, err := f.Runtime.List(f.ctx())
	if err != nil {
		f.t.Fatalf("List: %v", err)
	}
	if !slices.IsSortedFunc(all, func(a, b container.Listed) int { return strings.Compare(a.Name, b.Name) }) {
		f.t.Errorf("List is not in the order of the names: %+v", all)
	}
	return all
}

// listed is Name in the list, and whether it is there, once.
func (f *fixture) listed() (one container.Listed, is bool) {
	f.t.Helper()
	for _, c := range f.list() {
		if c.Name == f.Name {
			if is {
				f.t.Errorf("List has %s twice", f.Name)
			}
			one, is = c, true
		}
	}
	return one, is
}

// listAll: a list has every container, as its inspection shows it, in whatever
// state.
func listAll(t *testing.T, f *fixture) {
	for _, status := range []container.Status{container.Running, container.Paused, container.Exited} {
		switch status {
		case container.Paused:
			f.inject(container.FaultPause)
		case container.Exited:
			f.unpause()
			f.end(container.FaultKill)
		}
		got, is := f.listed()
		if !is {
			t.Fatalf("List lacks %s, which is %s", f.Name, status)
		}
		if got.ID != f.id || got.Status != status || got.Live() != (status != container.Exited) || got.Temporary || got.Self || len(got.Labels) > 0 {
			t.Errorf("List has %s, which is %s and has no labels, as %+v", f.Name, status, got)
		}
	}
	if !slices.ContainsFunc(f.list(), func(c container.Listed) bool { return c.Name == f.Stubborn }) {
		t.Errorf("List lacks %s", f.Stubborn)
	}
	if f.Remove != nil {
		f.Remove(t)
		if got, is := f.listed(); is {
			t.Errorf("List has %s after it was removed: %+v", f.Name, got)
		}
	}
}

// ports: what a container publishes is where its service answers, also after it
// ended.
func ports(t *testing.T, f *fixture) {
	running, err := f.Runtime.Ports(f.ctx(), f.id)
	if err != nil {
		t.Fatalf("Ports of %s: %v", f.Name, err)
	}
	if u, err := url.Parse(f.URL); len(running) > 0 && (err != nil || !slices.Contains(running, u.Host)) {
		t.Errorf("Ports of %s are %v, and it answers at %s", f.Name, running, f.URL)
	}
	f.end(container.FaultKill)
	if exited, err := f.Runtime.Ports(f.ctx(), f.id); err != nil || !slices.Equal(exited, running) {
		t.Errorf("Ports of %s are %v and the error %v after it ended, %v while it ran", f.Name, exited, err, running)
	}
}
