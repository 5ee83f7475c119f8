package monitor

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// countingCheck answers like a service in memory, and counts overlaps.
type countingCheck struct {
	mu      sync.Mutex
	takes   time.Duration
	status  event.Status
	failure event.Failure
	unknown error
	running int
	overlap bool
	made    int
	renewed int
	panics  bool
}

func (c *countingCheck) Check(ctx context.Context) check.Observation {
	began := time.Now()
	c.mu.Lock()
	c.running++
	c.made++
	c.overlap = c.overlap || c.running > 1
	takes, status, failure, unknown, panics := c.takes, c.status, c.failure, c.unknown, c.panics
	c.panics = false
	c.mu.Unlock()
	if panics {
		panic("a check that panics")
	}
	if takes > 0 { // timers of no time that end at once in many goroutines break the race detector in a bubble
		select {
		case <-ctx.Done():
		case <-time.After(takes):
		}
	}
	c.mu.Lock()
	c.running--
	c.mu.Unlock()
	if status == "" {
		status = event.Up
	}
	return check.Observation{Began: began, Took: time.Since(began), Status: status, Failure: failure, Unknown: unknown}
}

func (c *countingCheck) Fresh() { c.set(func(c *countingCheck) { c.renewed++ }) }
func (*countingCheck) Close()   {}

func (c *countingCheck) set(change func(*countingCheck)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

// bench is a Monitor of which only log, engine and checks are doubles.
type bench struct {
	*Monitor
	log      *recordingLog
	owner    *claims
	registry *health.Registry
	checks   map[string]*countingCheck
	stop     context.CancelFunc
	ended    chan error
}

// newBench makes a Monitor that owns its host. runtime may be nil.
func newBench(runtime *scriptedRuntime, services ...service.Definition) *bench {
	b := &bench{log: &recordingLog{}, owner: &claims{}, registry: &health.Registry{}, checks: map[string]*countingCheck{}}
	b.owner.set(1, "nonce-1")
	for _, s := range services {
		b.checks[s.Name] = &countingCheck{}
	}
	deps := Deps{
		Log: b.log, Identity: identity, Owner: b.owner.get, Services: services,
		Logger: slog.New(slog.DiscardHandler), Health: b.registry,
	}
	if runtime != nil {
		deps.Runtime = runtime
	}
	b.Monitor = New(deps)
	b.newCheck = func(d service.Definition) check.Checker { return b.checks[d.Name] }
	return b
}

func (b *bench) start(ctx context.Context) {
	ctx, b.stop = context.WithCancel(ctx)
	b.ended = make(chan error, 1)
	go func() { b.ended <- b.Run(ctx) }()
}

// end stops the Monitor, and waits until it has.
func (b *bench) end(t *testing.T) {
	t.Helper()
	b.stop()
	if err := <-b.ended; err != nil {
		t.Errorf("Run returned %v after its context ended", err)
	}
}

func define(name string, interval time.Duration) service.Definition {
	d := service.Default()
	d.Name, d.URL, d.Container = name, "http://"+name, name
	d.Interval, d.Timeout = interval, interval/2
	return d
}

func running(name, id string) container.State {
	return container.State{Name: name, ID: id, Status: container.Running, StartedAt: time.Now()}
}

func exited(name, id string, code int) container.State {
	return container.State{Name: name, ID: id, Status: container.Exited, ExitCode: code}
}
