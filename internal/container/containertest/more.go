package containertest

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
)

// more makes the calls that a runtime may lack, of the container with that ID,
// and gives their errors by method.
func (f *fixture) more(ctx context.Context, id string) map[string]error {
	attached := []container.Network{{Name: "none-of-that-name"}}
	if has := f.find(f.Stubborn).Networks; len(has) > 0 {
		attached = has[:1]
	}
	_, specification := f.Runtime.Specification(ctx, id)
	_, _, recreate := f.Runtime.Recreate(ctx, container.Replacement{ID: id})
	_, stats := f.Runtime.Stats(ctx, id)
	_, processes := f.Runtime.Processes(ctx, id)
	return map[string]error{
		"Connect":       f.Runtime.Connect(ctx, id, attached),
		"Disconnect":    f.Runtime.Disconnect(ctx, id, attached),
		"KillStart":     f.Runtime.KillStart(ctx, id, time.Second),
		"SetMemory":     f.Runtime.SetMemory(ctx, id, 256<<20),
		"Specification": specification,
		"Recreate":      recreate,
		"Restore":       f.Runtime.Restore(ctx, container.Restoration{ID: id, Kept: id}),
		"Stats":         stats,
		"Processes":     processes,
	}
}

// killStart leaves the events of a restart.
func killStart(t *testing.T, f *fixture) {
	w, before := f.watch(time.Time{}), f.inspect()
	if err := f.Runtime.KillStart(f.ctx(), f.id, time.Second); !f.supports("KillStart", err) {
		return
	} else if err != nil {
		t.Fatalf("KillStart(%s): %v", f.Name, err)
	}
	startMatches(t, f, w.expect(t, "kill "+f.StopSignal, "die *", "stop", "start", "restart"))
	if now := f.inspect(); identity(now) != identity(before) || !now.StartedAt.After(before.StartedAt) {
		t.Errorf("killed and started:\n\t%+v\nbefore:\n\t%+v", now, before)
	}
	f.answers()
	f.inject(container.FaultKill)
	w.expect(t, "kill "+f.StopSignal, "die *", "stop", "start", "restart", "kill 9", "die 137")
}

func killStartStubborn(t *testing.T, f *fixture) {
	f.id = f.find(f.Stubborn).ID
	w := f.watch(time.Time{})
	begun := time.Now()
	if err := f.Runtime.KillStart(f.ctx(), f.id, time.Second); !f.supports("KillStart", err) {
		return
	} else if err != nil {
		t.Fatalf("KillStart(%s): %v", f.Stubborn, err)
	}
	if took := time.Since(begun); took < 900*time.Millisecond {
		t.Errorf("what ignores its stop signal was killed and started within %v, before its grace of 1s was over", took)
	}
	startMatches(t, f, w.expect(t, "kill 15", "kill 9", "die 137", "stop", "start", "restart"))
}

// networks: what was disconnected can be connected again, and is then as it was,
// its specification too.
func networks(t *testing.T, f *fixture) {
	before := f.inspect()
	if err := f.Runtime.Disconnect(f.ctx(), f.id, before.Networks); !f.supports("Disconnect", err) {
		f.supports("Connect", f.Runtime.Connect(f.ctx(), f.id, before.Networks))
		return
	}
	if len(before.Networks) == 0 || before.Networks[0].Name == "" || before.Networks[0].Address == "" {
		t.Fatalf("it runs, and its networks are %+v", before.Networks)
	}
	for _, again := range []string{"once", "twice"} {
		if err := f.Runtime.Disconnect(f.ctx(), f.id, before.Networks); err != nil {
			t.Fatalf("Disconnect %s: %v", again, err)
		}
		if now := f.status(container.Running); len(now.Networks) != 0 || !now.StartedAt.Equal(before.StartedAt) {
			t.Errorf("disconnected %s, it is\n\t%+v", again, now)
		}
	}
	for _, again := range []string{"once", "twice"} {
		if err := f.Runtime.Connect(f.ctx(), f.id, before.Networks); err != nil {
			t.Fatalf("Connect %s: %v", again, err)
		}
		now := f.status(container.Running)
		if identity(now) != identity(before) || !now.StartedAt.Equal(before.StartedAt) || !sameNetworks(now.Networks, before.Networks) {
			t.Errorf("connected again %s, it is\n\t%+v\nbefore\n\t%+v", again, now, before)
		}
	}
	f.answers()
	if err := f.Runtime.Connect(f.ctx(), f.id, []container.Network{{Name: "no-such-network"}}); err == nil || !strings.Contains(err.Error(), "no-such-network") {
		t.Errorf("Connect to a network that isn't there gives the error %v, want one that names it", err)
	}
}

// sameNetworks compares what was asked for: the addresses may be others.
func sameNetworks(a, b []container.Network) bool {
	return slices.EqualFunc(a, b, func(a, b container.Network) bool {
		a.Address, b.Address = "", ""
		return reflect.DeepEqual(a, b)
	})
}

// setMemory limits the memory of what runs, and leaves it running; a limit is
// kept over a restart.
func setMemory(t *testing.T, f *fixture) {
	before := f.inspect()
	for _, limit := range []int64{256 << 20, 512 << 20, 384 << 20} {
		if err := f.Runtime.SetMemory(f.ctx(), f.id, limit); !f.supports("SetMemory", err) {
			return
		} else if err != nil {
			t.Fatalf("SetMemory(%s, %d): %v", f.Name, limit, err)
		}
		if now := f.status(container.Running); now.Memory != limit || !now.StartedAt.Equal(before.StartedAt) || now.ID != before.ID {
			t.Errorf("limited to %d bytes, it is\n\t%+v\nbefore\n\t%+v", limit, now, before)
		}
	}
	f.restart()
	if now := f.inspect(); now.Memory != 384<<20 {
		t.Errorf("the limit is %d bytes after a restart", now.Memory)
	}
	f.answers()
}

func stats(t *testing.T, f *fixture) {
	got, err := f.Runtime.Stats(f.ctx(), f.id)
	if !f.supports("Stats", err) {
		return
	}
	if err != nil || got.Memory <= 0 || got.PIDs <= 0 || got.CPUs < 0 || got.Throttled < 0 || got.Throttled > 1 || got.MemoryLimit < 0 {
		t.Errorf("the statistics are %+v and the error %v", got, err)
	}
	f.end(container.FaultKill)
	if got, err := f.Runtime.Stats(f.ctx(), f.id); err == nil {
		t.Errorf("the statistics of what ended are %+v, want an error", got)
	}
}

func processes(t *testing.T, f *fixture) {
	got, err := f.Runtime.Processes(f.ctx(), f.id)
	if !f.supports("Processes", err) {
		return
	}
	if err != nil || len(got) == 0 || got[0].PID == "" || got[0].Command == "" {
		t.Errorf("the processes are %+v and the error %v", got, err)
	}
	f.end(container.FaultKill)
	if got, err := f.Runtime.Processes(f.ctx(), f.id); err == nil {
		t.Errorf("the processes of what ended are %+v, want an error", got)
	}
}
