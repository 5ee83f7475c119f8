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

// prober checks every service at its time. One loop wakes what is due; there is
// a goroutine for each check that runs, and none for what waits. Two checks of
// one service never overlap, and a slow one delays no other service's.
type prober struct {
	group    *errgroup.Group
	newCheck func(service.Definition) check.Checker
	identity event.Origin
	log      Log
	problems *problems
	tally    *tally
	owner    func() (event.Origin, bool)
	revise   func() int64
	sooner   chan struct{} // holds one: the alarm is too late

	mu     sync.Mutex
	tasks  map[string]*task // by service
	ending map[string]*task // whose last check is not over, or not closed
	times  timetable
	hosts  hosts
	alarm  time.Time // when the loop wakes up
	closed bool      // no check begins any more
}

func newProber(m *Monitor, group *errgroup.Group, problems *problems) *prober {
	return &prober{
		group: group, newCheck: m.newCheck, identity: m.deps.Identity, log: m.deps.Log, problems: problems, tally: &m.tally,
		owner: m.deps.Owner, revise: m.revise, sooner: make(chan struct{}, 1),
		tasks: map[string]*task{}, ending: map[string]*task{}, times: timetable{anchor: m.anchor},
		hosts: hosts{most: m.deps.Config.ConnectionsPerHost, all: map[string]*host{}},
	}
}

func (p *prober) run(ctx context.Context, changed <-chan struct{}, services func() []service.Definition) error {
	defer p.close()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	begun, _ := p.owner()
	nonce := begun.Nonce
	skipped := skipReport{problems: p.problems, tally: p.tally}
	p.apply(ctx, services())
	for {
		alarm.Reset(time.Until(p.wake()))
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			p.apply(ctx, services())
		case now := <-ticker.C:
			if owner, owns := p.owner(); owns && owner.Nonce != nonce {
				nonce = owner.Nonce
				p.claimed()
			}
			skipped.update(now)
		case <-alarm.C:
		case <-p.sooner:
		}
	}
}

// apply ends the tasks of services that are gone or changed and begins those of
// new and changed ones.
func (p *prober) apply(ctx context.Context, services []service.Definition) {
	wanted := map[string]service.Definition{}
	for _, def := range services {
		wanted[def.Name] = def
	}
	p.tally.follow(wanted)
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, t := range p.tasks {
		if def, is := wanted[name]; !is || !sameCheck(t.def, def) {
			p.retire(ctx, t)
		}
	}
	now, among := time.Now(), len(wanted)-len(p.tasks)
	for name, def := range wanted {
		if p.tasks[name] != nil {
			continue
		}
		if t := newTask(ctx, def, p.times.anchor, now, among); t != nil {
			p.tasks[name] = t
			p.schedule(t)
		}
	}
}

// retire ends a task. Its successor waits until nothing of it is left.
func (p *prober) retire(ctx context.Context, t *task) {
	name := t.def.Name
	t.gone = true
	t.cancel()
	p.times.remove(t)
	p.hosts.withdraw(t)
	p.problems.clear(t.about)
	delete(p.tasks, name)
	if p.ending[name] != nil {
		return // it never began, since its predecessor has not ended
	}
	p.ending[name] = t
	if !t.busy {
		supervise.Go(ctx, p.group, t.about, func(context.Context) error {
			p.end(t)
			return nil
		})
	}
}

// end gives back what a task that is gone kept, and lets its successor begin.
func (p *prober) end(t *task) {
	t.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ending, t.def.Name)
	if next := p.tasks[t.def.Name]; next != nil && !p.closed {
		p.schedule(next)
	}
}

// close ends all tasks; those with a running check end after it.
func (p *prober) close() {
	p.mu.Lock()
	p.closed = true
	var idle []*task
	for _, t := range p.tasks {
		if !t.busy {
			idle = append(idle, t)
		}
	}
	p.mu.Unlock()
	for _, t := range idle {
		t.close()
	}
}

// claimed has every service checked soon, since the host has a new claim: what
// was seen before counts no more.
func (p *prober) claimed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, t := range p.tasks {
		t.plan.introduce(name, time.Now(), len(p.tasks))
		p.schedule(t)
	}
}

// burst has a service checked at once and then often, for a while: its
// container came back.
func (p *prober) burst(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.tasks[name]; t != nil {
		t.plan.burst(time.Now(), false)
		t.stale = true // a connection from before the start says nothing
		p.schedule(t)
	}
}

// once has a service checked once at once: an observation that began after now.
func (p *prober) once(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.tasks[name]; t != nil && !p.closed {
		t.plan.once(time.Now())
		p.schedule(t)
	}
}

// schedule has a task woken at its next time, where nothing of it or its
// predecessor is under way: it is scheduled again after that.
func (p *prober) schedule(t *task) {
	if t.busy || t.inLine || p.ending[t.def.Name] != nil {
		return
	}
	p.times.put(t, t.plan.next(), time.Now())
	if t.wake.Before(p.alarm) {
		select {
		case p.sooner <- struct{}{}:
		default: // the loop was notified already
		}
	}
}

// wake begins what is due, and says when something is due next.
func (p *prober) wake() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for t := p.times.take(now); t != nil; t = p.times.take(now) {
		if p.hosts.enter(t) {
			p.begin(t, now)
		}
	}
	p.alarm = p.times.next(now.Add(time.Minute))
	return p.alarm
}

// begin starts a check that has entered its host.
func (p *prober) begin(t *task, now time.Time) {
	t.busy = true
	due, stale := t.plan.begin(now), t.stale
	t.stale = false
	supervise.Go(t.ctx, p.group, t.about, func(ctx context.Context) error {
		down := false
		defer func() { p.finish(t, down) }() // also after a panic
		down = p.check(ctx, t, due, stale)
		return nil
	})
}

// check makes one check, publishes what it saw, and says whether that is DOWN.
func (p *prober) check(ctx context.Context, t *task, due turn, stale bool) bool {
	switch {
	case t.checker == nil:
		t.checker = p.newCheck(t.def)
	case stale:
		t.checker.Fresh()
	}
	seen := t.checker.Check(ctx)
	if !due.extra {
		p.tally.count(t.def.Name, due.isLate(seen.Began, t.def.Interval), due.skipped)
	}
	if ctx.Err() != nil {
		return false // cut short, so it saw nothing
	}
	owner, _ := p.owner()
	p.publish(t, seen, due.extra, owner)
	return seen.Status == event.Down
}

// finish moves on after a check.
func (p *prober) finish(t *task, down bool) {
	now := time.Now()
	p.mu.Lock()
	t.busy = false
	t.plan.end(now, down)
	if next := p.hosts.leave(t); next != nil && !p.closed {
		p.begin(next, now)
	}
	ends := t.gone || p.closed
	if !ends {
		p.schedule(t)
	}
	p.mu.Unlock()
	if ends {
		p.end(t)
	}
}

func (p *prober) publish(t *task, seen check.Observation, extra bool, owner event.Origin) {
	if seen.Unknown != nil {
		p.problems.report(t.about, health.Problem{
			What:   t.def.Name + " cannot be checked: " + seen.Unknown.Error(),
			Works:  "checks of the other services, and the page",
			OnHold: "the status of the others: a check that could not run writes no health log",
			Remedy: health.Remedy{Text: "free memory on this machine, or raise the limit of open files before you start logstream", Command: "ulimit -n 8192"},
		})
		return
	}
	p.problems.clear(t.about)
	origin := p.identity
	origin.Epoch, origin.Nonce = owner.Epoch, owner.Nonce
	p.log.Enqueue(event.TopicHealth, t.def.Name, event.Encode(event.HealthLog{
		Timestamp: event.Seconds(seen.Began), Service: t.def.Name,
		Status: seen.Status, Code: seen.Code, LatencyMS: milliseconds(seen.Took),
		Check: t.kind, Error: seen.Error, Failure: seen.Failure, Extra: extra, Revision: p.revise(), Origin: origin,
	}))
}

// milliseconds is d to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
