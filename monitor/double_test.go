package monitor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/monitor/check"
)

var (
	identity       = event.Origin{Instance: "me-1234", Host: "local"}
	errUnreachable = errors.New("no broker answers")
)

// recordingLog keeps what is written, in memory, and can be unreachable.
type recordingLog struct {
	mu          sync.Mutex
	records     []event.Record
	unreachable bool
	refused     int // appends meanwhile
}

func (l *recordingLog) Append(_ context.Context, topic, key string, value []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unreachable {
		l.refused++
		return errUnreachable
	}
	l.add(topic, key, value)
	return nil
}

func (l *recordingLog) Enqueue(topic, key string, value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(topic, key, value)
}

func (l *recordingLog) add(topic, key string, value []byte) {
	l.records = append(l.records, event.Record{
		Topic: topic, Offset: int64(len(l.records)), Time: time.Now(), Key: []byte(key), Value: value, Signed: true,
	})
}

func (l *recordingLog) Subscribe(ctx context.Context, s event.Subscription) error {
	for _, r := range l.all() {
		if r.Topic == s.Topic && !r.Time.Before(s.Since) && ctx.Err() == nil {
			s.Handle(r)
		}
	}
	if s.CaughtUp != nil && ctx.Err() == nil {
		s.CaughtUp()
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *recordingLog) setUnreachable(unreachable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreachable = unreachable
}

func (l *recordingLog) all() []event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

// health are the health logs of one check, in order.
func (l *recordingLog) health(t *testing.T, check string) []event.HealthLog {
	t.Helper()
	var list []event.HealthLog
	for _, r := range l.all() {
		if r.Topic != event.TopicHealth {
			continue
		}
		h, err := event.DecodeHealthLog(r.Value)
		if err != nil {
			t.Fatalf("a health log that can't be read: %v", err)
		}
		if string(r.Key) != h.Service {
			t.Errorf("a health log of %q has the key %q", h.Service, r.Key)
		}
		if h.Check == check {
			list = append(list, h)
		}
	}
	return list
}

// appended is what was appended about containers, in order: an event as its
// action and container, a level as its service, status and error.
func (l *recordingLog) appended(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, r := range l.all() {
		switch r.Topic {
		case event.TopicDocker:
			d, err := event.DecodeDocker(r.Value)
			if err != nil {
				t.Fatalf("an event that can't be read: %v", err)
			}
			if string(r.Key) != d.Container {
				t.Errorf("an event of %q has the key %q", d.Container, r.Key)
			}
			line := d.Action
			if d.Container != "" {
				line += " " + d.Container
			}
			list = append(list, line)
		case event.TopicHealth:
			h, err := event.DecodeHealthLog(r.Value)
			if err != nil {
				t.Fatalf("a level that can't be read: %v", err)
			}
			if h.Check != event.CheckContainer {
				continue
			}
			line := h.Service + " " + string(h.Status)
			if h.Error != "" {
				line += ": " + h.Error
			}
			list = append(list, line)
		}
	}
	return list
}

// claims is an owner whose claim a test sets.
type claims struct {
	mu    sync.Mutex
	owner event.Origin
}

func (c *claims) set(epoch int64, nonce string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner = event.Origin{Epoch: epoch, Nonce: nonce}
}

func (c *claims) get() (event.Origin, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owner, c.owner.Nonce != ""
}

// pastPause is how slowly a scriptedRuntime reports the past.
const pastPause = 50 * time.Millisecond

// scriptedRuntime is an engine whose containers and events a test sets. It
// keeps all of its history, and sends it again to a stream that begins in the past.
type scriptedRuntime struct {
	container.Runtime // what the monitor doesn't use

	mu          sync.Mutex
	states      map[string]container.State // by name
	many        map[string][]string        // references that are ambiguous
	history     []container.Event
	unreachable bool
	hung        bool
	slow        time.Duration // an inspection takes so long
	since       []time.Time   // from where its streams began
	live        chan container.Event
	lost        chan struct{} // closed: the stream ends
}

func newScripted(states ...container.State) *scriptedRuntime {
	r := &scriptedRuntime{states: map[string]container.State{}, many: map[string][]string{}}
	for _, s := range states {
		r.states[s.Name] = s
	}
	return r
}

func (r *scriptedRuntime) answer(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hung {
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
		return ctx.Err()
	}
	if r.unreachable {
		return container.ErrUnavailable
	}
	return nil
}

func (r *scriptedRuntime) Info(ctx context.Context) (container.Info, error) {
	return container.Info{Kind: "scripted"}, r.answer(ctx)
}

func (r *scriptedRuntime) Find(ctx context.Context, ref string) (container.State, error) {
	if err := r.answer(ctx); err != nil {
		return container.State{}, err
	}
	r.mu.Lock()
	slow := r.slow
	r.mu.Unlock()
	time.Sleep(slow)
	r.mu.Lock()
	defer r.mu.Unlock()
	if names := r.many[ref]; names != nil {
		return container.State{}, &container.AmbiguousError{Ref: ref, Candidates: names}
	}
	for _, s := range r.states {
		if s.Name == ref || s.Project+"/"+s.Service == ref {
			return s, nil
		}
	}
	return container.State{}, container.ErrNotFound
}

func (r *scriptedRuntime) Inspect(ctx context.Context, id string) (container.State, error) {
	if err := r.answer(ctx); err != nil {
		return container.State{}, err
	}
	r.mu.Lock()
	slow := r.slow
	r.mu.Unlock()
	time.Sleep(slow)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.states {
		if s.ID == id {
			return s, nil
		}
	}
	return container.State{}, container.ErrNotFound
}

func (r *scriptedRuntime) Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	if err := r.answer(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	r.since = append(r.since, since)
	live, lost := make(chan container.Event, 1000), make(chan struct{})
	r.live, r.lost = live, lost
	past := slices.Clone(r.history)
	r.mu.Unlock()
	ready()
	for _, e := range past {
		if !since.IsZero() && !e.Time.Before(since) {
			time.Sleep(pastPause)
			handle(e)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lost:
			return io.ErrUnexpectedEOF
		case e := <-live:
			handle(e)
		}
	}
}

// happen changes a container, and sends the event where the stream is read.
func (r *scriptedRuntime) happen(s container.State, actions ...container.Action) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.states[s.Name]; s.StartedAt.IsZero() && before.ID == s.ID {
		s.StartedAt = before.StartedAt // of the last life, also after its end
	}
	r.states[s.Name] = s
	for _, a := range actions {
		e := container.Event{
			Time: r.clock(), Name: s.Name, ID: s.ID, Action: a, ExitCode: s.ExitCode,
			Project: s.Project, Service: s.Service, Replace: s.Replacing,
		}
		r.history = append(r.history, e)
		if r.live != nil {
			r.live <- e
		}
	}
}

// clock is the engine's: no two events have the same time.
func (r *scriptedRuntime) clock() time.Time {
	return time.Now().Add(time.Duration(len(r.history)))
}

// emit sends events of which nothing is to be seen.
func (r *scriptedRuntime) emit(events ...container.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		e.Time = r.clock()
		r.history = append(r.history, e)
		if r.live != nil {
			r.live <- e
		}
	}
}

// send sends an event with the time that it has.
func (r *scriptedRuntime) send(e container.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live <- e
}

// rename gives a container another name, and remove removes one.
func (r *scriptedRuntime) rename(from, to string) {
	var id string
	r.set(func() {
		s := r.states[from]
		delete(r.states, from)
		s.Name, id = to, s.ID
		r.states[to] = s
	})
	r.emit(container.Event{Name: to, ID: id, Action: container.ActionRename})
}

func (r *scriptedRuntime) remove(name string) {
	var id string
	r.set(func() {
		id = r.states[name].ID
		delete(r.states, name)
	})
	r.emit(container.Event{Name: name, ID: id, Action: container.ActionDestroy})
}

// lose ends the stream; the engine stays unreachable.
func (r *scriptedRuntime) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unreachable = true
	close(r.lost)
	r.live = nil
}

func (r *scriptedRuntime) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

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
