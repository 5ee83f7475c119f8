package replay

import (
	"fmt"
	"io"
	"time"

	"logstream/healer"
	"logstream/internal/event"
)

// decided is a decision, when it was made, and after which input.
type decided struct {
	decision
	at    time.Duration // since the start
	after string
}

// player gives a world of today the inputs of a recording. What a world wrote
// itself comes back to it as it wrote it, and an inspection or a model's answer
// comes back to the request that waits for it: so that other words, or one
// request more, are no difference.
type player struct {
	recording *Recording
	world     *healer.World
	appended  map[string]event.Incident // by id and seq
	requests  map[string]int            // the world's newest, by kind and service
	recorded  map[string]int            // the recording's newest
	observe   func(healer.Input, time.Time, []healer.Effect) error
}

// play feeds a new world, and returns what it decided.
func play(r *Recording, observe func(healer.Input, time.Time, []healer.Effect) error) ([]decided, error) {
	p := &player{recording: r, appended: map[string]event.Incident{}, requests: map[string]int{}, recorded: map[string]int{}, observe: observe,
		world: healer.NewWorld(r.Config, r.Instance, r.Host, r.Services, r.Protected, r.Start)}
	var all []decided
	for _, s := range r.steps {
		in := p.own(s.in)
		for _, d := range s.decisions {
			if request := d.number("request"); request > 0 {
				p.recorded[requestKey(d.text("decision"), d.text("service"))] = request
			}
		}
		out := p.world.Step(in, s.at)
		if err := observe(in, s.at, out); err != nil {
			return nil, err
		}
		for _, e := range out {
			d, err := p.took(e)
			if err != nil {
				return nil, err
			}
			all = append(all, decided{d, s.at.Sub(r.Start), describe(in)})
		}
	}
	return all, nil
}

// took remembers what comes back of an effect.
func (p *player) took(e healer.Effect) (decision, error) {
	d, err := decisionOf(e)
	if err != nil {
		return nil, err
	}
	if a, is := e.(healer.Append); is {
		p.appended[appendKey(a.Event)] = a.Event
	}
	if request := d.number("request"); request > 0 {
		p.requests[requestKey(d.text("decision"), d.text("service"))] = request
	}
	return d, nil
}

// own is an input as the world of today gets it.
func (p *player) own(in healer.Input) healer.Input {
	switch in := in.(type) {
	case healer.ReadIncident:
		if mine, wrote := p.appended[appendKey(in.Event)]; wrote {
			if read, err := event.DecodeIncident(event.Encode(mine)); err == nil {
				in.Event = read
			}
		}
		return in
	case healer.Looked:
		in.Request = p.request(doInspect, in.Service, in.Request)
		return in
	case healer.Answered:
		in.Request = p.request(doQuery, in.Service, in.Request)
		return in
	}
	return in
}

// request is the number under which an outcome comes back: where it was the
// newest when it was recorded, that of the newest request of today.
func (p *player) request(what, service string, recorded int) int {
	key := requestKey(what, service)
	if newest := p.requests[key]; newest > 0 && p.recorded[key] == recorded {
		return newest
	}
	return recorded
}

func requestKey(what, service string) string { return what + " " + service }

func appendKey(e event.Incident) string { return fmt.Sprintf("%s/%d/%s", e.ID, e.Seq, e.Nonce) }

// recordedDecisions are those of the file.
func (r *Recording) recordedDecisions() []decided {
	var all []decided
	for _, s := range r.steps {
		for _, d := range s.decisions {
			all = append(all, decided{d, s.at.Sub(r.Start), describe(s.in)})
		}
	}
	return all
}

// Compare replays a recording. It returns how today's decisions differ from the
// recorded ones, as a text for people; empty: not at all.
func (r *Recording) Compare() (string, error) {
	replayed, err := play(r, func(healer.Input, time.Time, []healer.Effect) error { return nil })
	if err != nil {
		return "", err
	}
	return differences(r.recordedDecisions(), replayed), nil
}

// Rewrite writes the recording again with the decisions of today.
func (r *Recording) Rewrite(to io.Writer) error {
	recorder, err := NewRecorder(to, r.Header)
	if err != nil {
		return err
	}
	if _, err := play(r, recorder.Observe); err != nil {
		return err
	}
	return recorder.Close()
}

// describe is an input in a few words.
func describe(in healer.Input) string {
	switch in := in.(type) {
	case healer.ReadHealth:
		return fmt.Sprintf("health log %s %s %s %d", in.Log.Service, in.Log.Check, in.Log.Status, in.Log.Code)
	case healer.ReadDocker:
		return fmt.Sprintf("engine event %s %s", in.Event.Container, in.Event.Action)
	case healer.ReadService:
		return "service record of " + in.Service.Service
	case healer.ReadCommand:
		return fmt.Sprintf("command %s %s", in.Command.Command, in.Command.Service)
	case healer.ReadIncident:
		return fmt.Sprintf("%s of %s read back", in.Event.Type, in.Event.Service)
	case healer.Looked:
		return fmt.Sprintf("inspection of %s: %s", in.Service, orError(string(in.State.Status), in.Err))
	case healer.Acted:
		return fmt.Sprintf("call for %s ended: %s", in.Service, orError("ok"+in.NotMade, in.Err))
	case healer.Answered:
		return "the model's answer about " + in.Service
	}
	line, err := encodeInput(in)
	if err != nil {
		return "a tick"
	}
	return line.Input
}

func orError(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}
