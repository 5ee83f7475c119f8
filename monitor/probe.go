package monitor

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/supervise"
	"logstream/monitor/check"
)

// prober has one worker for each service, so that two checks of one service
// never overlap, and a slow one delays no other service's.
type prober struct {
	group    *errgroup.Group
	newCheck func(service.Definition) (check.Checker, bool)
	anchor   time.Time
	identity event.Origin
	log      Log
	problems *problems
	owner    func() (event.Origin, bool)
	revise   func() int64

	mu      sync.Mutex
	workers map[string]*worker
}

type worker struct {
	def     service.Definition
	cancel  context.CancelFunc
	done    chan struct{} // closed when its last check is over
	started chan struct{} // its container came back: check at once
	claimed chan struct{} // the host has a new claim: what was seen before counts no more
}

func (p *prober) run(ctx context.Context, changed <-chan struct{}, services func() []service.Definition) error {
	claims := time.NewTicker(tick)
	defer claims.Stop()
	begun, _ := p.owner()
	nonce := begun.Nonce
	p.apply(ctx, services())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			p.apply(ctx, services())
		case <-claims.C:
			if owner, owns := p.owner(); owns && owner.Nonce != nonce {
				nonce = owner.Nonce
				p.claimed()
			}
		}
	}
}

// claimed has every service checked at once, since the host has a new claim.
func (p *prober) claimed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.workers {
		select {
		case w.claimed <- struct{}{}:
		default: // it is signalled, and has not begun
		}
	}
}

// apply ends the workers of services that are gone or changed and starts those
// of new and changed ones.
func (p *prober) apply(ctx context.Context, services []service.Definition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := map[string]*worker{}
	wanted := map[string]service.Definition{}
	for _, def := range services {
		wanted[def.Name] = def
	}
	for name, w := range p.workers {
		if def, is := wanted[name]; !is || !sameCheck(w.def, def) {
			w.cancel()
			ended[name] = w
			delete(p.workers, name)
			p.problems.clear("checks of " + name)
		}
	}
	for name, def := range wanted {
		if p.workers[name] == nil {
			p.workers[name] = p.start(ctx, def, ended[name])
		}
	}
}

// sameCheck says whether two definitions are checked in the same way.
func sameCheck(a, b service.Definition) bool {
	return a.Interval == b.Interval && a.Timeout == b.Timeout && a.SameCheck(b)
}

// kindOf is the name of the check that a service's url asks for.
func kindOf(def service.Definition) string {
	kind, _ := check.Of(def.URL)
	return kind.Name
}

func (p *prober) start(ctx context.Context, def service.Definition, before *worker) *worker {
	ctx, cancel := context.WithCancel(ctx)
	w := &worker{def: def, cancel: cancel, done: make(chan struct{}), started: make(chan struct{}, 1), claimed: make(chan struct{}, 1)}
	supervise.Go(ctx, p.group, "monitor: checks of "+def.Name, func(ctx context.Context) error {
		defer cancel()
		defer close(w.done)
		if before != nil {
			<-before.done // it was cancelled; its check must not overlap with ours
		}
		p.work(ctx, w)
		return nil
	})
	return w
}

// burst has a service checked at once and then often, for a while.
func (p *prober) burst(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.workers[name]; w != nil {
		select {
		case w.started <- struct{}{}:
		default: // it is signalled, and has not begun
		}
	}
}

// work checks one service until ctx ends.
func (p *prober) work(ctx context.Context, w *worker) {
	checker, is := p.newCheck(w.def)
	if !is {
		return
	}
	defer checker.Close()
	now := time.Now()
	plan := newSchedule(w.def.Name, w.def.Interval, p.anchor, now)
	plan.burst(now, true)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(plan.next()))
		select {
		case <-ctx.Done():
			return
		case <-w.started:
			plan.burst(time.Now(), false)
			checker.Fresh() // a connection from before the start says nothing
			continue
		case <-w.claimed:
			plan.burst(time.Now(), true)
			continue
		case <-timer.C:
		}
		extra := plan.begin(time.Now())
		seen := checker.Check(ctx)
		if ctx.Err() != nil {
			return // cut short, so it saw nothing
		}
		owner, _ := p.owner()
		p.publish(w.def, seen, extra, owner)
		plan.end(time.Now(), seen.Status == event.Down)
	}
}

func (p *prober) publish(def service.Definition, seen check.Observation, extra bool, owner event.Origin) {
	key := "checks of " + def.Name
	if seen.Unknown != nil {
		p.problems.report(key, health.Problem{
			What:   def.Name + " cannot be checked: " + seen.Unknown.Error(),
			Works:  "checks of the other services, and the page",
			OnHold: "the status of the others: a check that could not run writes no health log",
			Remedy: health.Remedy{Text: "free memory on this machine, or raise the limit of open files before you start logstream", Command: "ulimit -n 8192"},
		})
		return
	}
	p.problems.clear(key)
	origin := p.identity
	origin.Epoch, origin.Nonce = owner.Epoch, owner.Nonce
	p.log.Enqueue(event.TopicHealth, def.Name, event.Encode(event.HealthLog{
		Timestamp: event.Seconds(seen.Began), Service: def.Name,
		Status: seen.Status, Code: seen.Code, LatencyMS: milliseconds(seen.Took),
		Check: kindOf(def), Error: seen.Error, Failure: seen.Failure, Extra: extra, Revision: p.revise(), Origin: origin,
	}))
}

// milliseconds is d to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
