package healer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// Every action, and what undoes it, across an end of the process at every
// boundary of its steps.

// boundary is where a process ends that carries an action out, for good: what
// is so from then on until it is started again.
type boundary struct {
	name string
	is   func(s *site, method string, so bool)
	// reached says whether the process is there; effects are what the action has had.
	reached  func(s *site, method string, effects int) bool
	isResult bool // the result is on the log
}

var boundaries = []boundary{
	{"the intent is not written", func(s *site, _ string, so bool) {
		s.log.fail(event.TopicIncidents, appendFault{refuse: only(so, isIntent)})
	}, func(s *site, _ string, _ int) bool {
		return slices.ContainsFunc(s.log.attempted(event.TopicIncidents)[s.before:], isIntent)
	}, false},
	{"the intent is written, and its acknowledgement lost", func(s *site, _ string, so bool) {
		s.log.hold(event.TopicIncidents, only(so, isIntent))
		s.log.fail(event.TopicIncidents, appendFault{forget: only(so, isIntent)})
	}, intentWritten, false},
	{"the intent is written", func(s *site, _ string, so bool) { s.log.hold(event.TopicIncidents, only(so, isIntent)) }, intentWritten, false},
	{"the call has no effect", func(s *site, method string, so bool) { s.breaks(method, callFault{hang: so}) },
		func(s *site, method string, _ int) bool { return s.engine.underway(method) > 0 }, false},
	{"the call has its effect", func(s *site, method string, so bool) { s.breaks(method, callFault{mute: so}) },
		func(_ *site, _ string, effects int) bool { return effects > 0 }, false},
	{"the result is not written", func(s *site, _ string, so bool) {
		s.log.fail(event.TopicIncidents, appendFault{refuse: only(so, isResult)})
	}, func(s *site, _ string, _ int) bool {
		return slices.ContainsFunc(s.log.attempted(event.TopicIncidents)[s.before:], isResult)
	}, false},
	{"the result is written", func(s *site, _ string, so bool) { s.log.hold(event.TopicIncidents, only(so, isResult)) }, resultWritten, true},
	{"the effect is being verified", func(*site, string, bool) {}, func(s *site, method string, effects int) bool {
		if !resultWritten(s, method, effects) {
			return false
		}
		time.Sleep(700 * time.Millisecond)
		return true
	}, true},
}

func intentWritten(s *site, _ string, _ int) bool {
	return slices.ContainsFunc(s.log.records(event.TopicIncidents)[s.written:], isIntent)
}

func resultWritten(s *site, _ string, _ int) bool {
	return slices.ContainsFunc(s.log.records(event.TopicIncidents)[s.written:], isResult)
}

func isResult(r event.Record) bool { return strings.Contains(string(r.Value), `"action_finished"`) }

func only(so bool, what func(event.Record) bool) func(event.Record) bool {
	if !so {
		return nil
	}
	return what
}

// step is an action, or the undo of one, as it is begun.
type step struct {
	name, method string
	prepare      func(*site)
	begin        func(*site)
	holds        func(container.State) bool
	incidents    int // in the end
}

// steps are all actions, and all that undoes one.
func steps() []step {
	runs := func(c container.State) bool { return c.Status == container.Running }
	all := []step{
		{"start", "Start", func(*site) {}, func(s *site) { s.harm("web", container.FaultKill) }, runs, 1},
		{"unpause", "Unpause", func(*site) {}, func(s *site) { s.harm("web", container.FaultPause) }, runs, 1},
	}
	for _, a := range acts {
		all = append(all, step{a.name, a.method, a.prepare, func(s *site) { s.heal(a.name) }, a.holds, 1})
		if undo, is := undos[a.name]; is {
			all = append(all, step{"undo of " + a.name, undo.method, func(s *site) {
				a.prepare(s)
				time.Sleep(time.Second)
				s.heal(a.name)
				s.repaired("web")
			}, func(s *site) { s.answers(event.CommandUndo) }, undo.holds, 2})
		}
	}
	return all
}

// TestEachActionAcrossAnEndOfTheProcess: an action that had its effect is not
// repeated, one that had none is made, and no incident is forgotten.
func TestEachActionAcrossAnEndOfTheProcess(t *testing.T) {
	for _, at := range boundaries {
		for _, a := range steps() {
			if a.name == "run" && strings.HasPrefix(at.name, "the call") {
				continue // an ordered stop waits until it is killed
			}
			t.Run(at.name+"/"+a.name, func(t *testing.T) {
				onReadySite(t, a.prepare, func(s *site) { endsAt(s, at, a) })
			})
		}
	}
}

func endsAt(s *site, at boundary, a step) {
	s.Helper()
	before := s.effects(a.method)
	s.before, s.written = len(s.log.attempted(event.TopicIncidents)), len(s.log.records(event.TopicIncidents))
	at.is(s, a.method, true)
	a.begin(s)
	s.until(at.name, func() bool { return at.reached(s, a.method, s.effects(a.method)-before) })
	s.stop()
	at.is(s, a.method, false)
	s.boot()
	s.until("its last incident", func() bool { return len(s.incidents()) >= a.incidents })
	s.ends("web")
	undo := strings.HasPrefix(a.name, "undo")
	n, people := s.effects(a.method)-before, s.events(event.TypeEscalated)
	c, _ := s.engine.state("web")
	if a.name == "run" && !at.isResult && at.name != boundaries[0].name { // the effect is unknown
		if len(people) != 1 || n > 1 || !strings.Contains(people[0].Data.(event.Escalated).Reason, "nothing shows whether it took effect") {
			s.Errorf("a command that was interrupted: %d times, %s", n, s.eventTypes("web"))
		}
	} else if undo && n == 0 { // it is not made later by itself: the operator sees the result, and may request it again
		if len(people) != 1 || !strings.HasPrefix(people[0].Data.(event.Escalated).Reason, "It was not undone: ") || a.holds(c) {
			s.Errorf("an undo that was interrupted: %s", s.eventTypes("web"))
		}
	} else if n != 1 || len(people) > 0 || !a.holds(c) {
		s.Errorf("it is executed %d times: %v\n%s\n%+v", n, s.calls(), s.eventTypes("web"), c)
	}
	// After an undo that replaced the container the service may be DOWN for a moment
	// still: of that there may be an incident that recovers.
	with := slices.DeleteFunc(slices.Clone(s.incidents()), func(in *state.Incident) bool { return in.Attempts == 0 })
	if len(with) != a.incidents {
		s.Errorf("%d incidents with attempts: %s", len(with), s.eventTypes("web"))
	}
}
