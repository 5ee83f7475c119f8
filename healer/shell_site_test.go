package healer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"logstream/healer"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/state"
)

// The shell of the healer (its loop, its workers, its end) in virtual time,
// between an event log and an engine that are in memory and keep their
// contracts. A site is the host with both; a healer is started and stopped on it.
type site struct {
	*testing.T
	timeline *timeline
	log      *memoryLog
	kafka    healer.Log // the log as the healer has it
	engine   *memoryEngine
	registry *health.Registry
	config   healer.Config
	model    healer.Model
	runtime  healer.Runtime // nil: the engine itself
	checkAt  func(context.Context, service.Definition, string) (event.HealthLog, error)
	commands *memoryCommands
	specs    *memorySpecs
	observe  func([]service.Definition, time.Time) func(healer.Input, time.Time, []healer.Effect)
	keep     func(ctx context.Context, run func(context.Context) error) error // who runs the healer; nil: it is run once

	mu   sync.Mutex
	defs []service.Definition // what is configured

	healer  *healer.Healer
	watcher *watcher
	cancel  context.CancelFunc
	ended   chan error // Run returned that
	parts   sync.WaitGroup

	decoded  []event.Incident         // of the incidents' topic, as far as it was read
	services map[string]event.Service // the newest of each, as far as its topic was read
	read     int                      // so far

	before, written int // what was appended, and written, before an action of which the end of the process is tested
}

const (
	instance = "me-1234"
	hostName = "local"
	patience = 3 * time.Minute       // until something is the case
	glance   = 50 * time.Millisecond // between two reads of it
)

// onSite runs a scenario in virtual time: with a healer that has claimed its host,
// and services that are UP. What it leaves running fails it.
func onSite(t *testing.T, services []string, prepare func(*site), scenario func(*site)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for _, name := range services {
			s.engine.add(name, false)
			s.defs = append(s.defs, serviceOn(name))
		}
		if prepare != nil {
			prepare(s)
		}
		s.boot()
		s.until("every service is UP", func() bool {
			return !slices.ContainsFunc(services, func(name string) bool { return s.published(name).Status != event.Up })
		})
		scenario(s)
		if s.cancel != nil {
			s.stop()
		}
		s.engine.working.Wait()
		s.check()
	})
}

// newSite is one without services, on which nothing runs.
func newSite(t *testing.T) *site {
	tl := &timeline{}
	s := &site{T: t, timeline: tl, log: newMemoryLog(tl), engine: newMemoryEngine(tl), registry: &health.Registry{}, config: healer.Default(),
		services: map[string]event.Service{}, commands: &memoryCommands{timeline: tl}, specs: &memorySpecs{}}
	s.kafka = s.log
	s.config.Mode, s.config.Decide, s.config.ManualGrace, s.config.Verify.For = service.Auto, healer.DecideRunbook, time.Second, 3*time.Second
	return s
}

// serviceOn is a service in the container of that name.
func serviceOn(name string) service.Definition {
	def := service.Default()
	def.Name, def.Container, def.URL = name, name, "http://"+name
	def.Interval, def.Timeout, def.FailureThreshold, def.SuccessThreshold = time.Second, time.Second/2, 2, 2
	return def
}

// boot starts a process: a healer and a monitor that know nothing.
func (s *site) boot() {
	ctx, cancel := context.WithCancel(s.Context())
	s.cancel, s.ended = cancel, make(chan error, 1)
	var runtime healer.Runtime = s.engine
	if s.runtime != nil {
		runtime = s.runtime
	}
	w := &watcher{log: s.log, engine: s.engine, services: s.configured}
	s.healer = healer.New(healer.Deps{Log: s.kafka, Runtime: runtime, CheckAt: s.checkAt, Model: s.model, Commands: s.commands, Specs: s.specs, Instance: instance, Host: hostName, Config: s.config, CLI: "docker",
		Services: s.configured, Logger: slog.New(slog.DiscardHandler), Health: s.registry, Observe: s.observe,
		CheckNow: func(name string) { w.checkNow(ctx, name) }})
	run := s.healer.Run
	if s.keep != nil {
		run = func(ctx context.Context) error { return s.keep(ctx, s.healer.Run) }
	}
	ended := s.ended
	s.parts.Go(func() { ended <- run(ctx) })
	w.owner, w.parts, s.watcher = s.healer.Owner, &s.parts, w
	s.parts.Go(func() { w.run(ctx) })
	s.Cleanup(s.parts.Wait) // of a scenario that failed
}

// stop ends the process, and says how long that took. An ordered stop is no error.
func (s *site) stop() time.Duration {
	s.Helper()
	began := time.Now()
	s.cancel()
	if err := <-s.ended; err != nil {
		s.Errorf("after it was stopped, Run returns %v", err)
	}
	s.cancel = nil
	took := time.Since(began)
	s.parts.Wait()
	return took
}

func (s *site) configured() []service.Definition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.defs)
}

// configure changes what is configured, as a reload does.
func (s *site) configure(services ...string) {
	s.mu.Lock()
	s.defs = nil
	for _, name := range services {
		s.defs = append(s.defs, serviceOn(name))
	}
	s.mu.Unlock()
	s.healer.Apply()
}

// harm injects a fault into a container, as a user of its host would.
func (s *site) harm(name, fault string) {
	s.Helper()
	state, _ := s.engine.state(name)
	if err := s.engine.Inject(s.Context(), state.ID, fault); err != nil {
		s.Fatalf("%s of %s: %v", fault, name, err)
	}
}

// until lets time pass until something is the case.
func (s *site) until(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(glance) {
		if time.Now().After(end) {
			s.Fatalf("within %s it never came to this: %s\n%s", patience, what, s.timeline)
		}
	}
}

// events are the incident events on the log of those types, in order; without a
// type all of them.
func (s *site) events(types ...event.Type) []event.Incident {
	s.Helper()
	for _, r := range s.log.records(event.TopicIncidents)[len(s.decoded):] {
		s.decoded = append(s.decoded, decode(s.T, r, event.DecodeIncident))
	}
	if len(types) == 0 {
		return s.decoded[:len(s.decoded):len(s.decoded)]
	}
	return slices.DeleteFunc(slices.Clone(s.decoded), func(e event.Incident) bool { return !slices.Contains(types, e.Type) })
}

func decode[R any](t *testing.T, r event.Record, as func([]byte) (R, error)) R {
	t.Helper()
	record, err := as(r.Value)
	if err != nil {
		t.Fatalf("%s: %v", r.Value, err)
	}
	return record
}

// incidents are the fold of the log.
func (s *site) incidents() []*state.Incident {
	s.Helper()
	fold := state.NewIncidents()
	for _, e := range s.events() {
		fold.Apply(e)
	}
	return fold.All()
}

// repaired waits until a service's incidents have ended, the last as healed.
func (s *site) repaired(name string) {
	s.Helper()
	s.until(name+" is repaired", func() bool {
		all := s.events()
		last := len(all) - 1
		for last >= 0 && all[last].Service != name {
			last--
		}
		if last < 0 {
			return false
		}
		resolved, is := all[last].Data.(event.Resolved)
		return is && resolved.How == event.HowHealed
	})
	if state, _ := s.engine.state(name); state.Status != container.Running {
		s.Errorf("%s is repaired, and %s", name, state.Status)
	}
}

// eventTypes are the event types written about a service's incidents, in order.
func (s *site) eventTypes(name string) string {
	s.Helper()
	var words []string
	for _, e := range s.events() {
		if e.Service == name {
			words = append(words, string(e.Type))
		}
	}
	return strings.Join(words, " ")
}

const repair = "opened evidence diagnosed action_started action_finished verified resolved"

// published is the newest that was published of a service.
func (s *site) published(name string) event.Service {
	s.Helper()
	records := s.log.records(event.TopicServices)
	for _, r := range records[s.read:] {
		s.services[string(r.Key)] = decode(s.T, r, event.DecodeService)
	}
	s.read = len(records)
	return s.services[name]
}

// calls are the repairs that the engine was asked for.
func (s *site) calls() []string {
	var all []string
	for _, m := range s.timeline.marked() {
		if m.kind == "call" {
			all = append(all, m.what)
		}
	}
	return all
}

func (s *site) wantCalls(want ...string) {
	s.Helper()
	if got := s.calls(); !slices.Equal(got, want) {
		s.Errorf("the engine was called for %v, want %v\n%s", got, want, s.timeline)
	}
}

// check is what holds after every scenario: one call at a time, none without an
// intent that was read back, none that never returned, and records that a
// repetition does not change.
func (s *site) check() {
	s.Helper()
	if most := s.engine.mostAtOnce(); most > 1 {
		s.Errorf("%d calls at once", most)
	}
	for _, method := range []string{"Find", "Inspect", "Logs", "Start", "Restart", "Unpause", "Connect", "Disconnect", "KillStart", "SetMemory", "Recreate", "Restore", "Specification"} {
		if n := s.engine.underway(method); n > 0 {
			s.Errorf("%d calls of %s have not returned", n, method)
		}
	}
	read, called := map[string]bool{}, 0
	for _, m := range s.timeline.marked() {
		switch {
		case m.kind == "read" && m.incident.Type == event.TypeActionStarted:
			read[fmt.Sprintf("%s/%d", m.incident.ID, m.incident.Seq)] = true
		case m.kind == "call":
			if called++; called > len(read) {
				s.Errorf("the call %q had no intent of its own read back\n%s", m.what, s.timeline)
			}
		}
	}
	tries := map[string][]byte{}
	for _, r := range s.log.attempted(event.TopicIncidents) {
		e := decode(s.T, r, event.DecodeIncident)
		key := fmt.Sprintf("%s/%d of %s", e.ID, e.Seq, e.Nonce) // another life decides anew
		if e.Type == event.TypeClaim {
			key += e.Time.String() // a claim is written anew, at its time
		}
		if first, again := tries[key]; again && !bytes.Equal(first, r.Value) {
			s.Errorf("%s was appended as\n%s\nand then as\n%s", key, first, r.Value)
		}
		tries[key] = r.Value
	}
	for _, in := range s.incidents() {
		for i, e := range in.Events {
			if e.Seq != i+1 {
				s.Errorf("the event %d of %s is %d", i+1, in.ID, e.Seq)
			}
		}
	}
}
