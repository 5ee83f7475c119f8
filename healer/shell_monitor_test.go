package healer_test

import (
	"cmp"
	"context"
	"sync"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/retry"
	"logstream/internal/service"
)

// watcher stands for the monitor: it checks the services on their schedule,
// follows the engine's events, and writes what it sees under the claim of its
// process.
type watcher struct {
	log      *memoryLog
	engine   *memoryEngine
	owner    func() (event.Origin, bool)
	services func() []service.Definition
	parts    *sync.WaitGroup

	mu       sync.Mutex
	revision int64
	waiting  []event.Docker // reported before there was a claim
	levels   map[string]level
	stands   bool     // the event stream is read
	asked    []string // services of which a check was asked for beside the schedule
}

// level is what was last written of a container.
type level struct {
	status event.Status
	nonce  string
	at     time.Time
}

const (
	levelEach  = 30 * time.Second
	extraEach  = 500 * time.Millisecond
	extraFor   = 5 * time.Second
	checkTakes = 5 * time.Millisecond
	beat       = 100 * time.Millisecond
)

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	w.levels = map[string]level{}
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { w.follow(ctx) })
	checked := map[string]time.Time{}
	for n := 0; retry.Sleep(ctx, beat); n++ {
		w.claimed()
		for _, def := range w.services() {
			w.writeLevel(def)
			scheduled := time.Since(checked[def.Name]) >= def.Interval
			if scheduled {
				checked[def.Name] = time.Now()
			}
			state, _ := w.engine.state(def.Container)
			if extra := time.Since(state.StartedAt) < extraFor && n%int(extraEach/beat) == 0; scheduled || extra {
				parts.Go(func() { w.check(ctx, def, !scheduled) })
			}
		}
	}
}

// checkNow checks a service once beside its schedule.
func (w *watcher) checkNow(ctx context.Context, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, name)
	for _, def := range w.services() {
		if def.Name == name {
			w.parts.Go(func() { w.check(ctx, def, true) })
		}
	}
}

// follow writes the engine's events, and where they were not read.
func (w *watcher) follow(ctx context.Context) {
	var newest time.Time
	for ctx.Err() == nil {
		_ = w.engine.Events(ctx, newest, func() { w.setStands(true) }, func(e container.Event) {
			newest = e.Time.Add(time.Nanosecond)
			w.happened(e)
		})
		if ctx.Err() == nil {
			w.setStands(false)
		}
		retry.Sleep(ctx, 250*time.Millisecond)
	}
}

func (w *watcher) setStands(stands bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	action := event.StreamBack
	if !stands {
		action = event.StreamLost
	}
	if w.stands != stands {
		w.stands = stands
		w.waiting = append(w.waiting, event.Docker{Time: time.Now().UTC(), Action: action})
		w.flush()
	}
}

func (w *watcher) happened(e container.Event) {
	d := event.Docker{Time: e.Time, Container: e.Name, ID: e.ID, Action: string(e.Action), Signal: e.Signal, Image: e.Image}
	if e.Action == container.ActionDie {
		d.ExitCode = &e.ExitCode
	}
	w.mu.Lock()
	w.waiting = append(w.waiting, d)
	w.flush()
	w.mu.Unlock()
	for _, def := range w.services() {
		if def.Container == e.Name {
			w.writeLevel(def)
		}
	}
}

// claimed writes what waited for a claim.
func (w *watcher) claimed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
}

func (w *watcher) flush() {
	if _, owns := w.owner(); !owns {
		return
	}
	for _, d := range w.waiting {
		d.Origin, d.Revision = w.revise()
		w.log.Enqueue(event.TopicDocker, d.Container, event.Encode(d))
	}
	w.waiting = nil
}

// revise is the origin and the revision of what is written next; w.mu is held.
func (w *watcher) revise() (event.Origin, int64) {
	origin, owns := w.owner()
	if !owns {
		return event.Origin{Instance: instance, Host: hostName}, 0
	}
	w.revision++
	return origin, w.revision
}

// writeLevel writes a container's level where it changed, under a new claim, and
// from time to time.
func (w *watcher) writeLevel(def service.Definition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	origin, owns := w.owner()
	state, _ := w.engine.state(def.Container)
	if !owns || !w.stands || def.Container == "" {
		return
	}
	h := event.HealthLog{Service: def.Name, Status: event.Up, Check: event.CheckContainer}
	if state.Status != container.Running {
		h.Status, h.Error = event.Down, "container "+def.Container+" is "+string(state.Status)
	}
	old := w.levels[def.Name]
	if old.status == h.Status && old.nonce == origin.Nonce && time.Since(old.at) < levelEach {
		return
	}
	at := time.Now()
	if !at.After(old.at) {
		at = old.at.Add(time.Microsecond)
	}
	w.levels[def.Name] = level{h.Status, origin.Nonce, at}
	h.Timestamp = event.Seconds(at)
	h.Origin, h.Revision = w.revise()
	w.log.Enqueue(event.TopicHealth, h.Service, event.Encode(h))
}

// check is one check of a service by its url.
func (w *watcher) check(ctx context.Context, def service.Definition, extra bool) {
	began := time.Now()
	state, failing := w.engine.state(cmp.Or(def.Container, def.Name)) // what answers may be unknown to us
	took := checkTakes
	h := event.HealthLog{Timestamp: event.Seconds(began), Service: def.Name, Check: "http", Status: event.Down, Extra: extra}
	switch {
	case state.Status == container.Paused:
		took = def.Timeout
		h.Failure, h.Error = event.FailureHeaderTimeout, "it took the connection and did not answer"
	case state.Status != container.Running:
		h.Failure, h.Error = event.FailureConnectRefused, "connection refused"
	case failing:
		h.Failure, h.Error, h.Code = event.FailureStatus, "HTTP 500", 500
	default:
		h.Status, h.Code = event.Up, 200
	}
	if !retry.Sleep(ctx, took) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h.Origin, h.Revision = w.revise()
	w.log.Enqueue(event.TopicHealth, h.Service, event.Encode(h))
}
