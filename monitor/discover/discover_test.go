package discover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/health"
	"logstream/internal/service"
)

// host is an engine in memory. Its containers are set by a test, which says what
// happens to them.
type host struct {
	mu         sync.Mutex
	containers []container.Listed
	ports      map[string][]string
	err        error
	lists      int
	asked      []string // for ports
	streams    []func(container.Event)
	lost       chan struct{}
}

func (h *host) List(context.Context) ([]container.Listed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lists++
	return slices.Clone(h.containers), h.err
}

func (h *host) Ports(_ context.Context, id string) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, id)
	return h.ports[id], h.err
}

func (h *host) Events(ctx context.Context, _ time.Time, ready func(), handle func(container.Event)) error {
	h.mu.Lock()
	if h.err != nil {
		defer h.mu.Unlock()
		return h.err
	}
	h.streams = append(h.streams, handle)
	lost := make(chan struct{})
	h.lost = lost
	h.mu.Unlock()
	ready()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-lost:
		return errors.New("the stream ended")
	}
}

// happen replaces the containers, and sends an event where one is given.
func (h *host) happen(action container.Action, containers ...Container) {
	h.mu.Lock()
	h.containers = nil
	for _, c := range containers {
		h.containers = append(h.containers, c.Listed)
	}
	stream := h.streams[len(h.streams)-1]
	h.mu.Unlock()
	if action != "" {
		stream(container.Event{Action: action})
	}
}

func (h *host) listed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lists
}

// running is a Discovery that runs in a bubble.
type running struct {
	*Discovery
	host     *host
	registry *health.Registry
	mu       sync.Mutex
	found    []string // each time, the services
}

func (r *running) last() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.found) == 0 {
		return "nothing yet"
	}
	return r.found[len(r.found)-1]
}

// discovering runs a scenario over an engine.
func discovering(t *testing.T, mode Mode, h *host, scenario func(t *testing.T, r *running)) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{host: h, registry: &health.Registry{}}
		r.Discovery = New(Deps{Runtime: h, Rules: Rules{Mode: mode, Defaults: service.Default()}, Logger: slog.New(slog.DiscardHandler), Health: r.registry,
			Found: func(services []service.Definition) {
				var names []string
				for _, d := range services {
					names = append(names, d.Name)
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				r.found = append(r.found, strings.Join(names, " "))
			}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(2 * listPause) // what began with the stream is over
		synctest.Wait()
		scenario(t, r)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func want(t *testing.T, r *running, when, services string) {
	t.Helper()
	if got := r.last(); got != services {
		t.Errorf("%s: the services are %q, want %q", when, got, services)
	}
}

func TestServicesComeAndGoWithTheirContainers(t *testing.T) {
	web, db := plain("web", "heal", "auto"), plain("db", "enable", "true")
	discovering(t, Labelled, &host{}, func(t *testing.T, r *running) {
		want(t, r, "at the start", "")
		time.Sleep(2 * time.Second)
		r.host.happen(container.ActionCreate, web, plain("other"))
		time.Sleep(gather)
		want(t, r, "after a create", "web")
		time.Sleep(listPause)
		r.host.happen(container.ActionStart, web, db)
		time.Sleep(gather)
		want(t, r, "after another", "db web")
		time.Sleep(time.Minute)
		r.host.happen(container.ActionDie, with(web, exited), db)
		time.Sleep(2 * listEvery)
		want(t, r, "after it stopped", "db web")
		r.host.happen(container.ActionDestroy, db)
		time.Sleep(gather + leaveAfter - time.Second)
		want(t, r, "a moment after it was removed", "db web")
		time.Sleep(2 * time.Second)
		want(t, r, "after it was removed", "db")
		r.host.happen("", db, web)
		time.Sleep(listEvery)
		want(t, r, "without an event", "db web")
	})
}

// TestRecreatedContainerIsTheSameService: between its removal and its successor
// nothing changes.
func TestRecreatedContainerIsTheSameService(t *testing.T) {
	discovering(t, Labelled, &host{containers: []container.Listed{plain("web", "heal", "auto").Listed}}, func(t *testing.T, r *running) {
		r.host.happen(container.ActionDestroy)
		time.Sleep(leaveAfter - time.Second)
		another := plain("web", "heal", "auto")
		another.ID = "another"
		r.host.happen(container.ActionCreate, another)
		time.Sleep(10 * leaveAfter)
		if want(t, r, "after it", "web"); len(r.found) != 1 {
			t.Errorf("the services were %q", r.found)
		}
	})
}

// TestRenamedContainerLeavesAtOnce: it is there, under another name.
func TestRenamedContainerLeavesAtOnce(t *testing.T) {
	web := plain("web", "enable", "true")
	discovering(t, Labelled, &host{containers: []container.Listed{web.Listed}}, func(t *testing.T, r *running) {
		time.Sleep(2 * time.Second)
		r.host.happen(container.ActionRename, with(web, func(c *Container) { c.Name = "shop" }))
		time.Sleep(gather)
		want(t, r, "after the rename", "shop")
	})
}

// TestManyEventsAreFewLists: a host on which containers crash in a loop is not
// listed for each of their starts.
func TestManyEventsAreFewLists(t *testing.T) {
	discovering(t, Labelled, &host{}, func(t *testing.T, r *running) {
		for range 1000 {
			r.host.happen(container.ActionStart, plain("web", "enable", "true"))
			time.Sleep(10 * time.Millisecond)
		}
		if n := r.host.listed(); n < 5 || n > 12 {
			t.Errorf("%d lists in 10 s", n)
		}
	})
}

// TestWhatIsKnownStaysWhileTheEngineIsUnreachable, also at a start: nothing is
// found then, which is not the same as finding nothing.
func TestWhatIsKnownStaysWhileTheEngineIsUnreachable(t *testing.T) {
	unreachable := fmt.Errorf("list: %w", container.ErrUnavailable)
	discovering(t, Labelled, &host{err: unreachable}, func(t *testing.T, r *running) {
		time.Sleep(5 * time.Minute)
		want(t, r, "without an engine", "nothing yet")
		set := func(err error) {
			r.host.mu.Lock()
			defer r.host.mu.Unlock()
			r.host.err = err
		}
		r.host.mu.Lock()
		r.host.containers = []container.Listed{plain("web", "enable", "true").Listed}
		r.host.mu.Unlock()
		set(nil)
		time.Sleep(2 * maxRetry)
		want(t, r, "with one", "web")
		set(unreachable)
		close(r.host.lost)
		time.Sleep(5 * time.Minute)
		want(t, r, "after it became unreachable", "web")
		r.host.mu.Lock()
		r.host.containers = nil
		r.host.mu.Unlock()
		set(nil)
		time.Sleep(2*maxRetry + 2*leaveAfter)
		want(t, r, "after it came back without its container", "")
	})
}

func TestConfiguredServicesWinAtOnce(t *testing.T) {
	discovering(t, Labelled, &host{containers: []container.Listed{plain("web", "heal", "auto").Listed}}, func(t *testing.T, r *running) {
		time.Sleep(2 * time.Second)
		r.Apply([]service.Definition{{Name: "shop", Container: "web"}}, service.Default())
		want(t, r, "with an edit of config.yaml", "")
		time.Sleep(2 * time.Second)
		r.Apply(nil, service.Default())
		want(t, r, "after its end", "web")
	})
}

func TestPortsAreInspectedOnceAndOnlyWhereTheyAreUsed(t *testing.T) {
	h := &host{containers: []container.Listed{plain("db").Listed, plain("web", "enable", "true").Listed}, ports: map[string][]string{"id-db": {"127.0.0.1:5432", "127.0.0.1:1"}}}
	discovering(t, All, h, func(t *testing.T, r *running) {
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if !slices.Equal(h.asked, []string{"id-db"}) || r.Discovery.last[0].Published != "127.0.0.1:5432" {
			t.Errorf("asked for the ports of %v, and %+v is known", h.asked, r.Discovery.last)
		}
	})
	h = &host{containers: h.containers}
	discovering(t, Labelled, h, func(t *testing.T, _ *running) {
		if len(h.asked) > 0 {
			t.Errorf("asked for the ports of %v", h.asked)
		}
	})
}

func TestProblemsAreSentencesOfTheirOwn(t *testing.T) {
	all := []container.Listed{plain("db", "heel", "auto").Listed, plain("web", "interval", "fast").Listed}
	discovering(t, Labelled, &host{containers: all}, func(t *testing.T, r *running) {
		got, _ := r.registry.Get(health.Discovery)
		if !strings.HasPrefix(got.What, "container db: label logstream.heel is unknown; did you mean logstream.heal? container web: ") {
			t.Errorf("reported is %q", got.What)
		}
	})
}

func TestProblemsAreReportedWhileTheyLast(t *testing.T) {
	discovering(t, Labelled, &host{containers: []container.Listed{plain("web", "heel", "auto").Listed}}, func(t *testing.T, r *running) {
		got, is := r.registry.Get(health.Discovery)
		if !is || got.What != "container web: label logstream.heel is unknown; did you mean logstream.heal?" || !strings.Contains(got.Remedy.Command, "web") {
			t.Errorf("reported is %+v", got)
		}
		time.Sleep(2 * time.Second)
		r.host.happen(container.ActionStart, plain("web", "heal", "auto"))
		time.Sleep(gather)
		synctest.Wait()
		if got, is := r.registry.Get(health.Discovery); is {
			t.Errorf("still reported is %+v", got)
		}
	})
}
