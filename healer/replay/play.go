package replay

import (
	"fmt"
	"slices"
	"time"

	"logstream/healer"
	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
)

// A player gives a world of today the inputs of a recording. What came from
// outside comes at its recorded time. What answered an effect (a record read
// back, an inspection, the end of a call, a model's answer) comes as long after
// today's effect as it came after the recorded one: a decision that is made a
// moment later, in other words, or after one inspection more is still followed
// by what follows it.
type player struct {
	*script
	world    *healer.Controller
	waiting  []answer // to today's effects, by time
	emitted  map[string]int
	wrote    map[string]event.Incident     // by its key
	readBack time.Time                     // when the newest of it is read back
	nonce    string                        // of this life's claim; empty: not there yet
	query    func(healer.Query) llm.Answer // the model of today; nil: it answers as it did then
}

// answer is an input that an effect caused.
type answer struct {
	in    healer.Input
	at    time.Time
	index int // of the recorded step: what came first at the same instant comes first
}

// play feeds a new world, and calls observe with each input, its time and what
// it decided.
func play(r *Recording, observe func(healer.Input, time.Time, []healer.Effect) error) error {
	return newPlayer(r).play(observe)
}

func newPlayer(r *Recording) *player {
	return &player{script: newScript(r), emitted: map[string]int{}, wrote: map[string]event.Incident{},
		world: healer.NewController(healer.Setup{Config: r.Config, Instance: r.Instance, Host: r.Host, Services: r.Services, Protected: r.Protected}, r.Start)}
}

func (p *player) play(observe func(healer.Input, time.Time, []healer.Effect) error) error {
	give := func(in healer.Input, at time.Time) error {
		out := p.world.Step(in, at)
		for _, e := range decisions(out) {
			p.follow(e, at)
		}
		return observe(in, at, out)
	}
	for _, s := range p.outside {
		for len(p.waiting) > 0 && p.waiting[0].before(s) {
			next := p.waiting[0]
			p.waiting = p.waiting[1:]
			if err := give(next.in, next.at); err != nil {
				return err
			}
		}
		if s.in == nil {
			break
		}
		in, is := p.today(s.in)
		if !is {
			continue
		}
		if err := give(in, s.at); err != nil {
			return err
		}
	}
	return nil
}

func (a answer) before(s outsideStep) bool {
	return a.at.Before(s.at) || a.at.Equal(s.at) && a.index < s.index
}

// today is an input from outside as the world of today gets it: a copy of what
// we wrote has today's words, and of what we do not write today there is none.
func (p *player) today(in healer.Input) (healer.Input, bool) {
	switch read := in.(type) {
	case healer.ModelState:
		return in, p.query == nil // it is not the model of then
	case healer.Replayed:
		p.nonce = read.Nonce
	case healer.ReadIncident:
		if p.nonce == "" || read.Event.Nonce != p.nonce {
			return in, true
		}
		mine, wrote := p.wrote[appendKey(read.Event.ID, read.Event.Seq)]
		return healer.ReadIncident{Event: mine}, wrote
	}
	return in, true
}

// shortly is when an answer comes that was never recorded.
const shortly = 5 * time.Millisecond

// follow books what answers an effect.
func (p *player) follow(e healer.Effect, now time.Time) {
	switch e := e.(type) {
	case healer.Append:
		key := appendKey(e.Events[0].ID, e.Events[0].Seq)
		mine, err := event.DecodeIncident(event.Encode(e.Events[0]))
		if err != nil {
			return // it is no event that a reader could decode: nothing comes back
		}
		p.wrote[key] = mine
		p.answer(key, now, healer.ReadIncident{Event: mine}, func(in healer.Input) healer.Input {
			if _, is := in.(healer.ReadIncident); is {
				return healer.ReadIncident{Event: mine}
			}
			return in
		})
	case healer.Publish:
		p.published(e.Service.Service, now)
	case healer.Reply:
		p.answer(answerKey(e.Command.ID), now, healer.ReadCommand(e), nil)
	case healer.Inspect:
		p.inspect(e, now)
	case healer.Collect:
		p.collect(e, now)
	case healer.Query:
		if p.query != nil {
			p.book(answer{healer.Answered{Service: e.Service, Incident: e.Incident, Request: e.Request, Answer: p.query(e)}, now.Add(shortly), len(p.steps)})
			return
		}
		p.answer(queryKey(e.Service, e.Request), now, healer.Answered{Service: e.Service, Incident: e.Incident, Request: e.Request}, func(in healer.Input) healer.Input {
			a := in.(healer.Answered)
			a.Incident = e.Incident
			return a
		})
	case healer.Execute:
		lost := healer.Executed{Service: e.Service, Incident: e.Incident, Attempt: e.Attempt, NotExecuted: "the recording has no such call"}
		p.answer(callKey(e.Service, e.Attempt), now, lost, func(in healer.Input) healer.Input {
			a := in.(healer.Executed)
			a.Incident = e.Incident
			return a
		})
	}
}

// answer books what answered the recorded effect of that key, as today's world
// gets it; and unrecorded where there was no such effect.
func (p *player) answer(key string, now time.Time, unrecorded healer.Input, today func(healer.Input) healer.Input) {
	n := p.emitted[key]
	p.emitted[key]++
	recorded := p.effects[key]
	if len(recorded) == 0 {
		p.book(answer{unrecorded, now.Add(shortly), len(p.steps)})
		return
	}
	more := n >= len(recorded) // as where it is tried once more than it was
	for _, a := range recorded[min(n, len(recorded)-1)].answers {
		at := now.Add(a.delay)
		if more {
			at = p.steps[a.index].at
			if at.Before(now) {
				at = now.Add(shortly)
			}
		}
		in := p.steps[a.index].in
		if today != nil {
			in = today(in)
		}
		p.book(answer{in, at, a.index})
	}
}

// book keeps the order of what is read back: what was written later is not read before.
func (p *player) book(a answer) {
	if _, is := a.in.(healer.ReadIncident); is {
		if !a.at.After(p.readBack) {
			a.at = p.readBack.Add(time.Nanosecond)
		}
		p.readBack = a.at
	}
	i, _ := slices.BinarySearchFunc(p.waiting, a, func(x, y answer) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return x.index - y.index
	})
	p.waiting = slices.Insert(p.waiting, i, a)
}

// published answers that a service's state was written, as the recorded writing
// that was nearest in time was answered: how often a state is written differs
// easily, and is no decision.
func (p *player) published(service string, now time.Time) {
	var nearest *emission
	for _, e := range p.effects[publishKey(service)] {
		if nearest == nil || e.at.Sub(now).Abs() < nearest.at.Sub(now).Abs() {
			nearest = e
		}
	}
	if nearest == nil {
		p.book(answer{healer.Published{Service: service, OK: true}, now.Add(shortly), len(p.steps)})
		return
	}
	for _, a := range nearest.answers {
		p.book(answer{p.steps[a.index].in, now.Add(a.delay), a.index})
	}
}

// inspect answers an inspection. One at another time than was recorded sees what
// the nearest recorded one saw, where the engine reported nothing between them;
// else what the next one saw.
func (p *player) inspect(e healer.Inspect, now time.Time) {
	key := inspectKey(e.Service, e.Request)
	if recorded := p.effects[key]; len(recorded) == 1 && recorded[0].at.Equal(now) {
		p.answer(key, now, nil, nil)
		return
	}
	seen := p.inspected(e.Service, now)
	seen.Service, seen.Request = e.Service, e.Request
	p.book(answer{seen, now.Add(shortly), len(p.steps)})
}

// collect answers a collection as the recorded one of that run of the container
// that was nearest in time; a recording from before there were any has nothing
// to tell.
func (p *player) collect(e healer.Collect, now time.Time) {
	found := healer.Collected{Service: e.Service, Request: e.Request}
	found.Found.Lack(runbook.WhatAll, "the recording has none")
	var distance time.Duration
	delay := time.Microsecond // what an older recording shows was decided without waiting for it
	for _, s := range p.steps {
		seen, is := s.in.(healer.Collected)
		if !is || seen.Service != e.Service || !s.at.After(e.Container.StartedAt) {
			continue
		}
		d := s.at.Sub(now)
		if distance == 0 || d.Abs() < distance {
			distance, found.Found = d.Abs(), seen.Found
			delay = max(time.Microsecond, d)
		}
	}
	p.book(answer{found, now.Add(min(delay, maxDelay)), len(p.steps)})
}

// maxDelay is how long a collection takes at most.
const maxDelay = 2 * time.Second

// inspected is what an inspection at that time would have seen.
func (p *player) inspected(service string, at time.Time) healer.Inspected {
	var best healer.Inspected
	var distance time.Duration
	found := false
	for _, s := range p.steps {
		seen, is := s.in.(healer.Inspected)
		if !is || seen.Service != service {
			continue
		}
		d := s.at.Sub(at).Abs()
		if p.happened(seen.State.Name, s.at, at) {
			if s.at.Before(at) {
				continue
			}
			d += time.Hour // the next one, where none is as good
		}
		if !found || d < distance {
			best, distance, found = seen, d, true
		}
	}
	if !found {
		best.Err = fmt.Errorf("%w: the recording has no inspection of it", container.ErrUnavailable)
	}
	return best
}

// happened says whether the engine reported an event of a container between two instants.
func (p *player) happened(name string, a, b time.Time) bool {
	if b.Before(a) {
		a, b = b, a
	}
	return slices.ContainsFunc(p.steps, func(s step) bool {
		e, is := s.in.(healer.ReadDocker)
		return is && e.Event.Container == name && s.at.After(a) && s.at.Before(b)
	})
}
