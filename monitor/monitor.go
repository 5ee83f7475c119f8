// Package monitor is the actor that watches the services: it checks each at
// its own interval, follows the container engine's events, and writes what it
// sees. It decides nothing else.
//
// What it writes, and what holds of it:
//
//   - A record of event.TopicHealth for every check, through the batching
//     producer. Never two checks of one service at the same time; checks beside
//     the schedule carry Extra, and leave the schedule as it is. Without a claim
//     they are written too, and no decision counts them; a new
//     claim begins with checks beside the schedule, which do. What is not
//     checked in time is counted (Stats): late, or skipped.
//   - A record of event.TopicDocker for every event of a container that matters
//     to a service, in the engine's order, once over reconnections and restarts.
//     An append whose outcome is unknown is made again, so that a reader may
//     see such a record twice: (time, id, action) is its identity.
//     event.StreamLost is written when the engine cannot be reached any more, also when it is not
//     there at the start; event.StreamBack when it is read, after all that was
//     missed, also at the start. They wait for a claim.
//   - The state of every service's container as a level (event.CheckContainer),
//     under the newest claim of the host's owner and only while there is one:
//     at every change, each 30 s, and again for every claim. An engine's event
//     is on the log before the level that it causes. Timestamps of one
//     service's levels strictly increase.
//   - Under a claim the revisions of one service's checks, of its levels, and of
//     the host's events strictly increase, each in the order of their topic: by
//     them a reader recognises a copy that was published again.
//
// While Kafka is unreachable, checks wait in the bus and the rest in a bounded
// queue of our own; the newest level is never dropped.
package monitor

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/supervise"
	"logstream/monitor/check"
)

// Log is what the monitor needs of the bus; event.Log says what the methods
// promise.
type Log interface {
	Append(ctx context.Context, topic, key string, value []byte) error
	Enqueue(topic, key string, value []byte)
	Subscribe(ctx context.Context, s event.Subscription) error
}

// Deps is what a Monitor is made of. Log, Logger and Health are needed.
type Deps struct {
	Log      Log
	Runtime  container.Runtime // nil: there is no engine, and containers are not watched
	Identity event.Origin      // Instance and Host
	// Owner is the claim under which this instance owns its host; false until
	// there is one, and after it was lost. It is called often and must not block.
	Owner    func() (event.Origin, bool)
	Services []service.Definition
	Config   Config
	Logger   *slog.Logger
	Health   *health.Registry
	Check    check.Env // what checks take from their surroundings
}

// Monitor watches services. Make one with New.
type Monitor struct {
	deps     Deps
	newCheck func(service.Definition) check.Checker
	anchor   time.Time // the schedule's grid stands on it, over restarts of Run as well
	tally    tally

	probeChanged, watchChanged chan struct{} // the services changed

	probes atomic.Pointer[prober] // of the present Run; nil: none

	revisions atomic.Int64 // of what was written so far: they grow over restarts of Run as well

	mu       sync.Mutex
	services []service.Definition
}

// New makes a Monitor; nothing is checked before Run.
func New(deps Deps) *Monitor {
	deps.Logger = deps.Logger.With("component", "monitor")
	if deps.Owner == nil {
		deps.Owner = func() (event.Origin, bool) { return event.Origin{}, false }
	}
	return &Monitor{
		deps:         deps,
		newCheck:     newChecker(deps.Check),
		anchor:       time.Now(),
		probeChanged: make(chan struct{}, 1),
		watchChanged: make(chan struct{}, 1),
		services:     slices.Clone(deps.Services),
	}
}

// newChecker makes the check that a service's url asks for, which there is.
func newChecker(env check.Env) func(service.Definition) check.Checker {
	return func(def service.Definition) check.Checker {
		kind, _ := check.Of(def.URL)
		return kind.New(def, env)
	}
}

// Stats are the counts of checks. It may be called from any goroutine.
func (m *Monitor) Stats() Stats { return m.tally.read() }

// Apply replaces the services, at once: what is unchanged keeps its rhythm.
// It never blocks, and is remembered where Run is not running.
func (m *Monitor) Apply(services []service.Definition) {
	m.mu.Lock()
	m.services = slices.Clone(services)
	m.mu.Unlock()
	for _, changed := range []chan struct{}{m.probeChanged, m.watchChanged} {
		select {
		case changed <- struct{}{}:
		default: // it is signalled already, and will find the newest
		}
	}
}

// CheckNow has a service checked once at once, beside its schedule (its record
// carries Extra): the observation begins after the call, also where a check of it
// runs. It never blocks. Nothing is done where Run is not running, or the service
// has no check of ours.
func (m *Monitor) CheckNow(service string) {
	if p := m.probes.Load(); p != nil {
		p.once(service)
	}
}

// revise is the revision of the next record.
func (m *Monitor) revise() int64 { return m.revisions.Add(1) }

func (m *Monitor) current() []service.Definition {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.services
}

// Run watches until ctx ends, and then returns nil. An error says that a worker
// panicked. It may be run again: what it needs it takes from the log and from
// the last Apply.
func (m *Monitor) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	problems := &problems{registry: m.deps.Health}
	probes := newProber(m, group, problems)
	m.probes.Store(probes)
	defer m.probes.Store(nil)
	supervise.Go(ctx, group, "monitor: checks", func(ctx context.Context) error {
		return probes.run(ctx, m.probeChanged, m.current)
	})
	if m.deps.Runtime != nil {
		out := newOutbox(m.deps, m.revise)
		supervise.Go(ctx, group, "monitor: container records", out.run)
		watch := newWatch(m.deps, group, out, problems, probes.burst)
		supervise.Go(ctx, group, "monitor: containers", func(ctx context.Context) error {
			return watch.run(ctx, m.watchChanged, m.current)
		})
	}
	return group.Wait()
}
