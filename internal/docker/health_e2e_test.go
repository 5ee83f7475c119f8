//go:build e2e

package docker_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/container"
)

// runs starts a container that is removed with the test.
func runs(t *testing.T, e *engine.Engine, name string, args ...string) {
	t.Helper()
	e.Docker(t, append([]string{"run", "-d", "--name", name}, args...)...)
	t.Cleanup(func() {
		if _, err := e.Command(context.Background(), nil, "rm", "-f", name); err != nil {
			t.Error(err)
		}
	})
}

// TestHealthOfTheEngine: a HEALTHCHECK changes what is inspected, and each
// change is an event.
func TestHealthOfTheEngine(t *testing.T) { engines.Each(t, healthOfTheEngine) }

func healthOfTheEngine(t *testing.T, e *engine.Engine) {
	runtime, port := open(t, e.Host()), freePort(t)
	events := follow(t, runtime, func(container.Event) {})
	runs(t, e, "checked", "-p", "127.0.0.1:"+port+":"+images.Port, checked.Name)
	id := find(t, runtime, "checked").ID
	is := func(want container.Health) func() bool {
		return func() bool { return find(t, runtime, "checked").Health == want }
	}
	await(t, "it is healthy", is(container.Healthy))
	if got := get("http://127.0.0.1:" + port + "/fail"); got != http.StatusOK {
		t.Fatalf("asked to fail, it answers %d", got)
	}
	await(t, "it is unhealthy", is(container.Unhealthy))
	e.Docker(t, "pause", "checked")
	if s := find(t, runtime, "checked"); s.Status != container.Paused || s.Health != container.Unhealthy {
		t.Errorf("while it is paused it is %s, its health %q: want the last", s.Status, s.Health)
	}
	e.Docker(t, "unpause", "checked")
	e.Docker(t, "restart", "-t", "1", "checked")
	await(t, "it is healthy again", is(container.Healthy))
	await(t, "three changes are reported", func() bool { return len(healths(events, id)) >= 3 })
	if got := healths(events, id); !slices.Equal(got, []container.Health{container.Healthy, container.Unhealthy, container.Healthy}) {
		t.Errorf("the changes are %q", got)
	}
	if s := find(t, runtime, "checked"); s.HealthOutput != "" {
		t.Errorf("a healthy one says %q", s.HealthOutput)
	}
}

func healths(f *follower, id string) (all []container.Health) {
	for _, e := range f.all() {
		if e.ID == id && e.Action == container.ActionHealth {
			all = append(all, e.Health)
		}
	}
	return all
}

// TestNetworksOfTheEngine: Docker 20.10 reports twice that a container left one. Of a network's event the engine reports the container's
// ID alone.
func TestNetworksOfTheEngine(t *testing.T) { engines.Each(t, networksOfTheEngine) }

func networksOfTheEngine(t *testing.T, e *engine.Engine) {
	runtime := open(t, e.Host())
	events := follow(t, runtime, func(container.Event) {})
	runs(t, e, "networked", images.Webapp.Name)
	e.Docker(t, "network", "create", "side")
	t.Cleanup(func() {
		for _, args := range [][]string{{"network", "disconnect", "-f", "side", "networked"}, {"network", "rm", "side"}} {
			_, _ = e.Command(context.Background(), nil, args...) // the test may have done so
		}
	})
	e.Docker(t, "network", "connect", "side", "networked")
	e.Docker(t, "network", "disconnect", "side", "networked")
	id := find(t, runtime, "networked").ID
	reported := func() []string {
		var all []string
		for _, e := range events.all() {
			if e.ID == id && e.Network == "side" {
				all = append(all, string(e.Action)+e.Name)
			}
		}
		return all
	}
	await(t, "both are reported", func() bool { return len(reported()) >= 2 })
	if got := slices.Compact(reported()); !slices.Equal(got, []string{"connect", "disconnect"}) {
		t.Errorf("reported: %q", got)
	}
}

// TestRestartCountIsThePolicys: it rises with each start by the policy, and a
// start by another user makes it 0: by that a crash loop is distinguished from a person
// who starts what exits.
func TestRestartCountIsThePolicys(t *testing.T) { engines.Each(t, restartCount) }

func restartCount(t *testing.T, e *engine.Engine) {
	runtime, port := open(t, e.Host()), freePort(t)
	url := "http://127.0.0.1:" + port
	runs(t, e, "loops", "--restart", "always", "-p", "127.0.0.1:"+port+":"+images.Port, images.Webapp.Name)
	counts := func(want int) func() bool {
		return func() bool {
			s := find(t, runtime, "loops")
			return s.Status == container.Running && s.RestartCount == want && get(url) == http.StatusOK
		}
	}
	await(t, "it answers", counts(0))
	for count := 1; count <= 2; count++ {
		get(url + "/exit?code=78")
		await(t, "its policy started it", counts(count))
	}
	if err := runtime.Restart(t.Context(), find(t, runtime, "loops").ID); err != nil {
		t.Fatal(err)
	}
	await(t, "it was started by another user", counts(0))
}
