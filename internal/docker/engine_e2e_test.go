//go:build e2e

package docker_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/e2e/sockproxy"
	"logstream/internal/container"
	"logstream/internal/docker"
)

// follower follows an engine's events in the background until the test ends.
type follower struct {
	mu     sync.Mutex
	events []container.Event
	ended  chan error
}

func follow(t *testing.T, runtime *docker.Runtime, handle func(container.Event)) *follower {
	t.Helper()
	f := &follower{ended: make(chan error, 1)}
	ready := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		f.ended <- runtime.Events(ctx, time.Time{}, func() { close(ready) }, func(e container.Event) {
			handle(e)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events = append(f.events, e)
		})
	}()
	t.Cleanup(cancel)
	select {
	case <-ready:
	case err := <-f.ended:
		t.Fatalf("the events ended at once: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("the events don't begin")
	}
	return f
}

// all are the events so far.
func (f *follower) all() []container.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// of are the actions on the container with that ID so far.
func (f *follower) of(id string) []container.Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	var actions []container.Action
	for _, e := range f.events {
		if e.ID == id && e.Network == "" {
			actions = append(actions, e.Action)
		}
	}
	return actions
}

// reported says whether these are the actions, in whatever order: that of the
// engine's several reporters means nothing.
func reported(actions []container.Action, want ...container.Action) bool {
	return slices.Equal(slices.Sorted(slices.Values(actions)), slices.Sorted(slices.Values(want)))
}

func find(t *testing.T, runtime *docker.Runtime, ref string) container.State {
	t.Helper()
	state, err := runtime.Find(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

const composeFile = `
name: shop
services:
  payment:
    image: logstream-webapp
    pull_policy: never
    container_name: payment-service
    environment: {VERSION: "VERSION_NOW"}
  worker:
    image: logstream-webapp
    pull_policy: never
    environment: {VERSION: "VERSION_NOW"}
`

// The real Compose recreates two services, one with a name of its own: the
// successor is announced, the service is found all along, and its
// specification changes when, and only when, what was asked for does.
func TestComposeRecreates(t *testing.T) { engines.Each(t, composeRecreates) }

func composeRecreates(t *testing.T, e *engine.Engine) {
	file := filepath.Join(t.TempDir(), "compose.yaml")
	up := func(version string, more ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(composeFile, "VERSION_NOW", version)), 0o600); err != nil {
			t.Fatal(err)
		}
		e.Docker(t, append([]string{"compose", "-f", file, "up", "-d"}, more...)...)
	}
	t.Cleanup(func() {
		if _, err := e.Command(context.Background(), nil, "compose", "-f", file, "down", "-t", "1"); err != nil {
			t.Error(err)
		}
	})
	up("1")
	runtime := open(t, e.Host())
	payment, worker := find(t, runtime, "payment-service"), find(t, runtime, "shop/worker")
	if byService := find(t, runtime, "shop/payment"); !reflect.DeepEqual(byService, payment) {
		t.Errorf("by its service: %+v, by its name: %+v", byService, payment)
	}

	// Looked at from inside the stream, at the instant of the announcement.
	announced := map[string]string{} // by the replaced container's name: its State.Replacing
	var seen sync.Mutex
	events := follow(t, runtime, func(e container.Event) {
		if e.Action != container.ActionCreate || e.Replace == "" {
			return
		}
		seen.Lock()
		defer seen.Unlock()
		announced[e.Replace] = e.Name
		if old, err := runtime.Find(context.Background(), "shop/"+e.Service); err == nil && old.ID != e.ID && old.Replacing != e.Name {
			t.Errorf("while %s is made to replace it, %s is replaced by %q", e.Name, old.Name, old.Replacing)
		}
	})
	up("2")
	newPayment, newWorker := find(t, runtime, "payment-service"), find(t, runtime, "shop/worker")
	for name, pair := range map[string][2]container.State{"payment-service": {payment, newPayment}, "shop-worker-1": {worker, newWorker}} {
		before, after := pair[0], pair[1]
		if after.Name != name || after.ID == before.ID || after.SpecHash == before.SpecHash || after.Replacing != "" || after.Status != container.Running {
			t.Errorf("recreated:\n\t%+v\nbefore:\n\t%+v", after, before)
		}
		await(t, "the events of both containers", func() bool {
			return reported(events.of(before.ID), container.ActionKill, container.ActionDie, container.ActionStop, container.ActionDestroy) &&
				reported(events.of(after.ID), container.ActionCreate, container.ActionRename, container.ActionStart)
		})
		seen.Lock()
		if want := before.ID[:12] + "_" + name; announced[name] != want {
			t.Errorf("announced: %q, want %s replaced by %s", announced, name, want)
		}
		seen.Unlock()
	}

	up("2", "--force-recreate")
	if again := find(t, runtime, "payment-service"); again.ID == newPayment.ID || again.SpecHash != newPayment.SpecHash {
		t.Errorf("recreated from the same specification:\n\t%+v\nbefore:\n\t%+v", again, newPayment)
	}
	e.Docker(t, "compose", "-f", file, "up", "-d", "--scale", "worker=2", "--no-recreate")
	var ambiguous *container.AmbiguousError
	if _, err := runtime.Find(t.Context(), "shop/worker"); !errors.As(err, &ambiguous) || !slices.Equal(ambiguous.Candidates, []string{"shop-worker-1", "shop-worker-2"}) {
		t.Errorf("Find of a service with two containers gives %v", err)
	}
}

// What the suite, which knows no engine's details, doesn't ask for.
func TestStatesOfTheEngine(t *testing.T) { engines.Each(t, statesOfTheEngine) }

func statesOfTheEngine(t *testing.T, e *engine.Engine) {
	runtime := open(t, e.Host())
	run := func(t *testing.T, name string, args ...string) {
		t.Helper()
		t.Cleanup(func() {
			if _, err := e.Command(context.Background(), nil, "rm", "-f", name); err != nil {
				t.Error(err)
			}
		})
		e.Docker(t, append(append([]string{"run", "-d", "--name", name}, args...), images.Webapp.Name)...)
	}
	t.Run("out of memory", func(t *testing.T) {
		port := freePort(t)
		run(t, "leaking", "-m", "32m", "-p", "127.0.0.1:"+port+":"+images.Port)
		await(t, "it answers", func() bool { return get("http://127.0.0.1:"+port) == 200 })
		events := follow(t, runtime, func(container.Event) {})
		id := find(t, runtime, "leaking").ID
		get("http://127.0.0.1:" + port + "/leak")
		await(t, "oom and die", func() bool {
			return reported(events.of(id), container.ActionOOM, container.ActionDie)
		})
		// The events decide: 20.10 does not always set State.OOMKilled.
		if state := find(t, runtime, "leaking"); state.ExitCode != 137 {
			t.Errorf("it ended with %d", state.ExitCode)
		}
	})
	t.Run("crash loop", func(t *testing.T) {
		run(t, "looping", "--restart", "unless-stopped", "-e", "MODE=exit")
		var state container.State
		await(t, "a second restart", func() bool { state = find(t, runtime, "looping"); return state.RestartCount >= 2 })
		if state.RestartPolicy != "unless-stopped" || state.Status != container.Restarting && state.Status != container.Running {
			t.Errorf("%+v", state)
		}
	})
	t.Run("port taken", func(t *testing.T) {
		owner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer owner.Close()
		t.Cleanup(func() { _, _ = e.Command(context.Background(), nil, "rm", "-f", "second") })
		e.Docker(t, "create", "--name", "second", "-p", owner.Addr().String()+":"+images.Port, images.Webapp.Name)
		err = runtime.Start(t.Context(), find(t, runtime, "second").ID)
		if err == nil || errors.Is(err, container.ErrUnavailable) || errors.Is(err, container.ErrNotFound) {
			t.Errorf("Start gives %v, want the engine's refusal", err)
		}
		if state := find(t, runtime, "second"); state.Status != container.Created || state.ExitCode != 128 || !strings.Contains(state.Error, "address already in use") {
			t.Errorf("%+v", state)
		}
	})
	t.Run("terminal", func(t *testing.T) {
		run(t, "terminal", "-t")
		id := find(t, runtime, "terminal").ID
		await(t, "its first line", func() bool {
			lines, err := runtime.Logs(t.Context(), id, 5)
			return err == nil && len(lines) == 1 && lines[0].Text == "INFO listening on :8080" && !lines[0].Time.IsZero()
		})
	})
}

// behind is a runtime that speaks to the engine through a proxy.
func behind(t *testing.T, e *engine.Engine) (*sockproxy.Proxy, *docker.Runtime) {
	t.Helper()
	dir, err := os.MkdirTemp("", "behind") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	proxy, err := sockproxy.New(filepath.Join(dir, "s"), e.Guarded(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return proxy, open(t, proxy.Host())
}

// What a bad connection does to a start: the error always says that nothing is
// known, whether it took effect or not.
func TestStartThroughABadConnection(t *testing.T) { engines.Each(t, startThroughABadConnection) }

func startThroughABadConnection(t *testing.T, e *engine.Engine) {
	e.Docker(t, "create", "--name", "victim", images.Webapp.Name)
	t.Cleanup(func() {
		if _, err := e.Command(context.Background(), nil, "rm", "-f", "victim"); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct {
		name    string
		rule    sockproxy.Rule
		effect  container.Status
		waiting time.Duration
	}{
		{"answer lost", sockproxy.Rule{Outcome: sockproxy.Drop}, container.Running, time.Minute},
		{"refused", sockproxy.Rule{Outcome: sockproxy.Refuse}, container.Exited, time.Minute},
		{"hung", sockproxy.Rule{Outcome: sockproxy.Hang}, container.Exited, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy, runtime := behind(t, e)
			victim := find(t, runtime, "victim")
			e.Docker(t, "start", "victim")
			e.Docker(t, "kill", "victim")
			test.rule.Method, test.rule.Path = "POST", "/containers/*/start"
			proxy.Set(test.rule)
			ctx, cancel := context.WithTimeout(t.Context(), test.waiting)
			defer cancel()
			if err := runtime.Start(ctx, victim.ID); !errors.Is(err, container.ErrUnavailable) {
				t.Errorf("Start gives %v, want ErrUnavailable", err)
			}
			if calls := proxy.Calls("POST", "/containers/*/start"); len(calls) != 1 {
				t.Errorf("it was sent %d times, want once", len(calls))
			}
			if state := find(t, runtime, "victim"); state.Status != test.effect {
				t.Errorf("it is %s, want %s", state.Status, test.effect)
			}
		})
	}
}

// The engine is killed, and comes back: streams end, calls say so, and the
// same runtime goes on.
func TestEngineThatDiesIsUnavailable(t *testing.T) { engines.Each(t, engineVanishes) }

func engineVanishes(t *testing.T, shared *engine.Engine) {
	e := engine.Start(t, shared.Kind)
	images.Load(t, e, images.Webapp)
	e.Docker(t, "run", "-d", "--name", "one", images.Webapp.Name)
	runtime := open(t, e.Host())
	id := find(t, runtime, "one").ID
	events := follow(t, runtime, func(container.Event) {})
	if err := e.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-events.ended:
		if !errors.Is(err, container.ErrUnavailable) {
			t.Errorf("the events end with %v, want ErrUnavailable", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the events go on without an engine")
	}
	if err := runtime.Restart(t.Context(), id); !errors.Is(err, container.ErrUnavailable) || !strings.Contains(err.Error(), "nothing listens") {
		t.Errorf("Restart gives %v, want ErrUnavailable, and why", err)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	if err := runtime.Start(t.Context(), id); err != nil {
		t.Errorf("Start gives %v once the engine is back", err)
	}
	again := follow(t, runtime, func(container.Event) {})
	if _, err := docker.NewInjector(runtime).Inject(t.Context(), id, container.FaultKill); err != nil {
		t.Fatal(err)
	}
	await(t, "the kill and the die", func() bool {
		return reported(again.of(id), container.ActionKill, container.ActionDie)
	})
}
