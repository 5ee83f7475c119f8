// Package spine joins the parts without the command line: bus, monitor, healer
// and the demo's runtime, over a real log and real processes. It needs Go
// alone.
package spine

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/bus"
	"logstream/healer"
	"logstream/healer/llm"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/process"
	"logstream/internal/process/demoservice"
	"logstream/internal/service"
	"logstream/internal/state"
	"logstream/monitor"
)

// TestMain makes the test's binary be the services as well.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == demoservice.Argument {
		os.Exit(demoservice.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// spine is the parts at work, and what a reader of the log makes of it.
type spine struct {
	t         *testing.T
	runtime   *process.Runtime
	id        string
	mu        sync.Mutex
	incidents *state.Incidents
	services  map[string]event.Service
	thinking  []event.Thinking
	registry  *health.Registry
}

// begin starts the parts, with what change makes of the healer's configuration.
func begin(t *testing.T, change func(*healer.Config)) *spine {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	address := freeAddress(t)
	def := service.Default()
	def.Name, def.URL, def.Container = "payment-service", "http://"+address, "payment-service"
	def.Interval, def.Timeout, def.FailureThreshold = 500*time.Millisecond, 400*time.Millisecond, 2
	defs := func() []service.Definition { return []service.Definition{def} }

	config := bus.Default()
	config.Embedded.Listen, config.Embedded.Data = "127.0.0.1:0", t.TempDir()
	registry := &health.Registry{}
	b, err := bus.Open(t.Context(), config, bus.Identity{Instance: "test-1", Host: "local"}, log, registry)
	if err != nil {
		t.Fatal(err)
	}
	healing := healer.Default()
	healing.Mode, healing.ManualGrace, healing.Verify = service.Auto, time.Second, healer.Verify{For: 2 * time.Second, Successes: 3}
	healing.Decide = healer.DecideRunbook
	change(&healing)
	s := &spine{t: t, registry: registry, incidents: state.NewIncidents(), services: map[string]event.Service{},
		runtime: process.New(log, []process.Child{{Name: "payment-service", Args: []string{demoservice.Argument, "payment-service", address}, Env: os.Environ()}})}
	var model healer.Model
	if healing.Decide != healer.DecideRunbook {
		if model, err = llm.New(healing.LLM); err != nil {
			t.Fatal(err)
		}
	}
	h := healer.New(healer.Deps{Log: b, Runtime: s.runtime, Model: model, Instance: "test-1", Host: "local", Config: healing, Services: defs, Logger: log, Health: registry})
	m := monitor.New(monitor.Deps{Log: b, Runtime: s.runtime, Identity: event.Origin{Instance: "test-1", Host: "local"}, Owner: h.Owner,
		Services: defs(), Logger: log, Health: registry})

	ctx, cancel := context.WithCancel(t.Context())
	var actors, base errgroup.Group
	base.Go(func() error { return b.Run(ctx) })
	base.Go(func() error { return s.runtime.Run(ctx) })
	actors.Go(func() error { return m.Run(ctx) })
	actors.Go(func() error { return h.Run(ctx) })
	actors.Go(func() error {
		return b.Subscribe(ctx, event.Subscription{Topic: event.TopicIncidents, Handle: s.readIncident})
	})
	actors.Go(func() error {
		return b.Subscribe(ctx, event.Subscription{Topic: event.TopicServices, Handle: s.readService})
	})
	actors.Go(func() error {
		return b.Subscribe(ctx, event.Subscription{Topic: event.TopicThinking, Handle: s.readThinking})
	})
	t.Cleanup(func() {
		cancel()
		if err := actors.Wait(); err != nil {
			t.Errorf("the actors ended with %v", err)
		}
		if err := base.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the base ended with %v", err)
		}
		last, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := b.Close(last); err != nil {
			t.Error(err)
		}
	})
	s.until(10*time.Second, "it is UP", func() bool { return s.services["payment-service"].Status == event.Up })
	found, err := s.runtime.Find(t.Context(), "payment-service")
	if err != nil {
		t.Fatal(err)
	}
	s.id = found.ID
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *spine) readIncident(r event.Record) error {
	e, err := event.DecodeIncident(r.Value)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incidents.Apply(e)
	s.t.Logf("%s %s/%d %s %s", e.Time.Format("05.000"), e.ID, e.Seq, e.Type, event.Encode(e.Data))
	return nil
}

func (s *spine) readService(r event.Record) error {
	read, err := event.DecodeService(r.Value)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services[read.Service] = read
	s.t.Logf("%s %s is %s, held %q", read.Time.Format("05.000"), read.Service, read.Status, read.Held)
	return nil
}

func (s *spine) readThinking(r event.Record) error {
	read, err := event.DecodeThinking(r.Value)
	if err != nil || !r.Signed {
		return fmt.Errorf("signed %v: %w", r.Signed, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thinking = append(s.thinking, read)
	return nil
}

func (s *spine) until(limit time.Duration, what string, is func() bool) {
	s.t.Helper()
	holds := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return is()
	}
	for end := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// healed waits until the n-th incident is resolved, and returns it.
func (s *spine) healed(n int) *state.Incident {
	s.t.Helper()
	s.until(30*time.Second, fmt.Sprintf("incident %d is resolved", n), func() bool {
		all := s.incidents.All()
		return len(all) == n && all[n-1].State == state.Resolved
	})
	return s.incidents.All()[n-1]
}

func actions(in *state.Incident) []string {
	var list []string
	for _, e := range in.Events {
		if data, is := e.Data.(event.ActionStarted); is {
			list = append(list, data.Action)
		}
	}
	return list
}

func TestAProcessIsHealed(t *testing.T) {
	t.Parallel()
	s := begin(t, func(*healer.Config) {})
	for n, tt := range []struct{ fault, action string }{
		{container.FaultKill, "start"}, {container.FaultStop, "start"}, {container.FaultPause, "unpause"}, {container.FaultExit, "start"}, {container.FaultFail, "restart"},
	} {
		if _, err := process.NewInjector(s.runtime).Inject(t.Context(), s.id, tt.fault); err != nil {
			t.Fatal(err)
		}
		in := s.healed(n + 1)
		if got := actions(in); !slices.Equal(got, []string{tt.action}) || in.How != event.HowHealed {
			t.Errorf("%s: actions %v, how %q: want one %s, healed", tt.fault, got, in.How, tt.action)
		}
		t.Logf("%s: down for %.0f ms, resolved after %.0f ms", tt.fault, in.DownMS, in.TTRMS)
	}
}
