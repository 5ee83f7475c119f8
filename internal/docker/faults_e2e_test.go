//go:build e2e

package docker_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/container"
	"logstream/internal/docker"
)

// TestEachFaultHasItsEvidenceAndItsUndo on real engines. What the undo needs
// goes the way that it takes over a restart of LogStream, but for a removal.
func TestEachFaultHasItsEvidenceAndItsUndo(t *testing.T) { engines.Each(t, eachFault) }

func eachFault(t *testing.T, e *engine.Engine) {
	tests := map[string]struct {
		shows func(b bench, url string, now container.State) bool // that the fault is there
		// kept: another way than by its JSON
		kept bool
	}{
		container.FaultStop: {shows: func(_ bench, _ string, now container.State) bool { return now.Status == container.Exited }},
		container.FaultKill: {shows: func(_ bench, _ string, now container.State) bool {
			return now.Status == container.Exited && now.ExitCode == 137
		}},
		container.FaultCrash: {shows: func(_ bench, _ string, now container.State) bool {
			return now.Status == container.Exited && now.ExitCode == 137
		}},
		container.FaultPause: {shows: func(_ bench, _ string, now container.State) bool { return now.Status == container.Paused }},
		container.FaultDisconnect: {shows: func(b bench, url string, now container.State) bool {
			return now.Status == container.Running && len(now.Networks) == 0 && get(url) != 200
		}},
		container.FaultCPU: {shows: func(_ bench, _ string, now container.State) bool { return now.CPUs == 0.02 }},
		container.FaultMemory: {shows: func(b bench, url string, now container.State) bool {
			if now.Status == container.Running { // what it takes next is over the limit
				get(url + "/leak?mb=64")
			}
			return now.Memory > 0 && now.Status == container.Exited && now.ExitCode == 137
		}},
		container.FaultRemove: {kept: true, shows: func(b bench, _ string, now container.State) bool { return now.ID == "" }},
	}
	for _, fault := range docker.NewInjector(open(t, e.Host())).Faults("") {
		t.Run(fault, func(t *testing.T) {
			test, known := tests[fault]
			if !known {
				t.Fatal("the fault has no test")
			}
			b, runtime := newBench(t, e), open(t, e.Host())
			b.docker("network", "create", "--subnet", b.Subnet(0), "shop")
			url := b.web("victim", 200, "--network", "shop", "--network-alias", "pay", "--ip", b.Address(0, 50), "-v", "/data", "-e", "SECRET=canary")
			before := find(t, runtime, "victim")
			if fault == container.FaultMemory {
				b.uses(runtime, before.ID, url)
			}
			volume := b.docker("inspect", "-f", "{{range .Mounts}}{{.Name}}{{end}}", "victim")
			events := follow(t, runtime, func(container.Event) {})
			injector := docker.NewInjector(runtime)
			found, err := injector.Inject(t.Context(), before.ID, fault)
			if err != nil {
				t.Fatal(err)
			}
			await(t, "the fault is there", func() bool {
				now, err := runtime.Find(t.Context(), "victim")
				if err != nil && !errors.Is(err, container.ErrNotFound) {
					t.Fatal(err)
				}
				return test.shows(b, url, now)
			})
			if fault == container.FaultCrash {
				for _, action := range events.of(before.ID) {
					if action == container.ActionKill || action == container.ActionStop {
						t.Errorf("a crash has the event %s", action)
					}
				}
			}
			written, err := json.Marshal(found)
			if err != nil || strings.Contains(string(written), "canary") {
				t.Errorf("what is written down has the secret: %s, %v", written, err)
			}
			if !test.kept {
				found = container.Before{}
				if err := json.Unmarshal(written, &found); err != nil {
					t.Fatal(err)
				}
			}
			// Created again it has its volume by name, so its hash is another one.
			for range 2 { // the second time it is undone already
				if err := injector.Undo(t.Context(), before.ID, fault, found); err != nil {
					t.Fatal(err)
				}
			}
			b.answers(url, 200)
			after := find(t, runtime, "victim")
			if after.Status != container.Running || after.SpecHash != before.SpecHash && fault != container.FaultRemove || after.Memory != before.Memory || after.CPUs != before.CPUs {
				t.Errorf("after the undo it is\n\t%+v\nand was\n\t%+v", after, before)
			}
			if got := b.docker("inspect", "-f", "{{range .Mounts}}{{.Name}}{{end}}", "victim"); got != volume {
				t.Errorf("it has the volume %q, and had %q", got, volume)
			}
		})
	}
}

// uses has a container use more than the least limit that an engine allows.
func (b bench) uses(runtime *docker.Runtime, id, url string) {
	b.t.Helper()
	await(b.t, "it takes memory", func() bool { return get(url+"/leak?mb=24") == http.StatusOK })
	var now container.Stats
	var err error
	for end := time.Now().Add(time.Minute); err != nil || now.Memory <= 20<<20; {
		if time.Now().After(end) {
			b.t.Fatalf("it took 24 MiB, and uses %d bytes, not within a minute; the last error is %v", now.Memory, err)
		}
		now, err = runtime.Stats(b.t.Context(), id)
	}
}

// TestLimitsGoBackToThoseThatWere: of a container that had some, in either way.
func TestLimitsGoBackToThoseThatWere(t *testing.T) {
	engines.Each(t, func(t *testing.T, e *engine.Engine) {
		b, runtime := newBench(t, e), open(t, e.Host())
		injector := docker.NewInjector(runtime)
		for name, args := range map[string][]string{
			"nano":  {"--cpus", "0.5", "-m", "256m"},
			"quota": {"--cpu-quota", "40000", "--cpu-period", "80000", "-m", "256m", "--memory-swap", "300m"},
		} {
			url := b.web(name, 200, args...)
			before := find(t, runtime, name)
			b.uses(runtime, before.ID, url)
			for _, fault := range []string{container.FaultCPU, container.FaultMemory} {
				found, err := injector.Inject(t.Context(), before.ID, fault)
				if err != nil {
					t.Fatal(err)
				}
				if now := find(t, runtime, name); now.CPUs == before.CPUs && now.Memory == before.Memory {
					t.Errorf("%s %s: the limits are still %g and %d", name, fault, now.CPUs, now.Memory)
				}
				if err := injector.Undo(t.Context(), before.ID, fault, found); err != nil {
					t.Fatal(err)
				}
			}
			if now := find(t, runtime, name); now.SpecHash != before.SpecHash {
				t.Errorf("%s: the limits are %g and %d after the undo, and were %g and %d", name, now.CPUs, now.Memory, before.CPUs, before.Memory)
			}
		}
	})
}

// TestNothingIsHarmedThatCannotBeUndone: what the engine would lose for ever stays.
func TestNothingIsHarmedThatCannotBeUndone(t *testing.T) {
	engines.Each(t, func(t *testing.T, e *engine.Engine) {
		b, runtime := newBench(t, e), open(t, e.Host())
		injector := docker.NewInjector(runtime)
		url := b.web("passing", 200, "--rm", "-v", "/data")
		if _, err := injector.Inject(t.Context(), find(t, runtime, "passing").ID, container.FaultRemove); !errors.Is(err, container.ErrUnsupported) {
			t.Errorf("remove of a container of --rm: %v", err)
		}
		b.docker("run", "-d", "--name", "beside", "--network", "container:passing", "-e", "ADDR=:9999", images.Webapp.Name)
		if _, err := injector.Inject(t.Context(), find(t, runtime, "beside").ID, container.FaultDisconnect); !errors.Is(err, container.ErrUnsupported) {
			t.Errorf("disconnect of what uses another's network: %v", err)
		}
		id := find(t, runtime, "passing").ID
		for _, fault := range []string{container.FaultDisconnect, container.FaultMemory, container.FaultCPU} {
			if err := injector.Undo(t.Context(), id, fault, container.Before{}); !errors.Is(err, container.ErrNoBefore) {
				t.Errorf("undo of %s without what was before: %v", fault, err)
			}
		}
		b.answers(url, 200)
		if _, err := injector.Inject(t.Context(), id, container.FaultPause); err != nil {
			t.Fatal(err)
		}
		if _, err := injector.Inject(t.Context(), id, container.FaultCrash); err == nil {
			t.Error("a crash of what is paused is said to have happened")
		}
	})
}
