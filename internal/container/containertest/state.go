package containertest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
)

func info(t *testing.T, f *fixture) {
	got, err := f.Runtime.Info(f.ctx())
	if err != nil {
		t.Fatalf("Info: %v", err)
	}
	if got.Kind == "" || got.Version == "" {
		t.Errorf("Info is %+v, want a kind and a version", got)
	}
	if got.Containers < 2 {
		t.Errorf("Info counts %d containers, want 2 at least: %s and %s", got.Containers, f.Name, f.Stubborn)
	}
}

func find(t *testing.T, f *fixture) {
	found, inspected := f.find(f.Name), f.inspect()
	if !reflect.DeepEqual(found, inspected) {
		t.Errorf("Find gives\n\t%+v\nand Inspect of its ID\n\t%+v", found, inspected)
	}
	if other := f.find(f.Stubborn); other.ID == found.ID || other.Name != f.Stubborn {
		t.Errorf("Find(%q) gives %q with the ID %s; that of %s is %s", f.Stubborn, other.Name, other.ID, f.Name, found.ID)
	}
}

func notFound(t *testing.T, f *fixture) {
	// A name is exact: neither a part of it, nor an ID where a name is meant.
	for _, ref := range []string{"no-such-container", f.Name[:len(f.Name)-1], f.Name + "x", "no-project/no-service", ""} {
		if state, err := f.Runtime.Find(f.ctx(), ref); !errors.Is(err, container.ErrNotFound) {
			t.Errorf("Find(%q) gives %q and the error %v, want ErrNotFound", ref, state.Name, err)
		}
	}
	gone(t, f, strings.Repeat("0123456789abcdef", 4))
	if f.Remove == nil {
		return
	}
	f.Remove(t)
	if state, err := f.Runtime.Find(f.ctx(), f.Name); !errors.Is(err, container.ErrNotFound) {
		t.Errorf("Find(%q) after it was removed gives %+v and the error %v, want ErrNotFound", f.Name, state, err)
	}
	gone(t, f, f.id)
}

// gone checks that every call says of that ID that it isn't there.
func gone(t *testing.T, f *fixture, id string) {
	t.Helper()
	missing := func(call string, err error) {
		t.Helper()
		if !errors.Is(err, container.ErrNotFound) || errors.Is(err, container.ErrUnavailable) {
			t.Errorf("%s of a container that isn't there gives the error %v, want ErrNotFound", call, err)
		}
	}
	_, inspect := f.Runtime.Inspect(f.ctx(), id)
	_, logs := f.Runtime.Logs(f.ctx(), id, 10)
	_, ports := f.Runtime.Ports(f.ctx(), id)
	for call, err := range map[string]error{
		"Inspect": inspect,
		"Logs":    logs,
		"Ports":   ports,
		"Start":   f.Runtime.Start(f.ctx(), id),
		"Restart": f.Runtime.Restart(f.ctx(), id),
		"Unpause": f.Runtime.Unpause(f.ctx(), id),
		"Inject":  injected(f.Injector.Inject(f.ctx(), id, container.FaultKill)),
	} {
		missing(call, err)
	}
	for call, err := range f.more(f.ctx(), id) {
		if f.supports(call, err) {
			missing(call, err)
		}
	}
}

func stateWhileRunning(t *testing.T, f *fixture) {
	s := f.inspect()
	if s.Name != f.Name {
		t.Errorf("Name is %q, want %q", s.Name, f.Name)
	}
	if s.Status != container.Running {
		t.Errorf("Status is %s, want %s", s.Status, container.Running)
	}
	for field, value := range map[string]string{"ID": s.ID, "Image": s.Image, "ImageID": s.ImageID, "SpecHash": s.SpecHash} {
		if value == "" {
			t.Errorf("%s is empty", field)
		}
	}
	if age := time.Since(s.StartedAt); age < -time.Minute || age > time.Hour {
		t.Errorf("StartedAt is %v, %v ago", s.StartedAt, age)
	}
	if !s.FinishedAt.IsZero() {
		t.Errorf("FinishedAt is %v before it ever ended, want zero", s.FinishedAt)
	}
	if s.ExitCode != 0 || s.OOMKilled || s.Error != "" || s.RestartCount != 0 {
		t.Errorf("it runs well, and yet ExitCode is %d, OOMKilled %v, Error %q, RestartCount %d", s.ExitCode, s.OOMKilled, s.Error, s.RestartCount)
	}
	if s.RestartPolicy != "" && s.RestartPolicy != "no" {
		t.Errorf("RestartPolicy is %q, want none", s.RestartPolicy)
	}
	if s.Self || s.Replacing != "" {
		t.Errorf("Self is %v and Replacing %q, want neither", s.Self, s.Replacing)
	}
	if s.StopTimeout <= 0 {
		t.Errorf("StopTimeout is %v, want the time that a stop leaves it", s.StopTimeout)
	}
	if other := f.find(f.Stubborn); other.StopTimeout < time.Second || other.StopTimeout > 3*time.Second {
		t.Errorf("StopTimeout of %s is %v, want the 1 to 3 s that the fixture promises", f.Stubborn, other.StopTimeout)
	}
}

// identity is what a pin compares and a start keeps.
func identity(s container.State) [4]string {
	return [4]string{s.Name, s.ID, s.ImageID, s.SpecHash}
}

func identityOverStarts(t *testing.T, f *fixture) {
	before := f.inspect()
	starts := []time.Time{before.StartedAt}
	same := func(after string) {
		t.Helper()
		now := f.status(container.Running)
		if identity(now) != identity(before) {
			t.Errorf("name, ID, image ID and spec hash after %s are %q, before %q", after, identity(now), identity(before))
		}
		if previous := starts[len(starts)-1]; !now.StartedAt.After(previous) {
			t.Errorf("StartedAt after %s is %v, not after the one before, %v", after, now.StartedAt, previous)
		}
		starts = append(starts, now.StartedAt)
	}
	f.restart()
	same("a restart")
	f.inject(container.FaultKill)
	if now := f.status(container.Exited); identity(now) != identity(before) {
		t.Errorf("name, ID, image ID and spec hash after a kill are %q, before %q", identity(now), identity(before))
	}
	f.start()
	same("a kill and a start")
	f.answers() // before its handlers are set, a stop signal may be ignored, or kill
	f.inject(container.FaultStop)
	f.start()
	same("a stop and a start")

	f.inject(container.FaultPause)
	f.unpause()
	if now := f.status(container.Running); !now.StartedAt.Equal(starts[len(starts)-1]) {
		t.Errorf("StartedAt after an unpause is %v, want the one before the pause, %v", now.StartedAt, starts[len(starts)-1])
	}
}
