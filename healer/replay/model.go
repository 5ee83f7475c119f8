package replay

import (
	"time"

	"logstream/healer"
	"logstream/healer/llm"
)

// WithModel replays a recording with a model beside the runbook, whatever it was
// recorded with: query answers each question that the healer of today has for it, and
// observe sees each input, its time, and what was decided. A decision that leads
// elsewhere than the recorded one meets what followed the recorded one, so it is the
// first decision about a failure that says something.
func (r *Recording) WithModel(query func(healer.Query) llm.Answer, observe func(healer.Input, time.Time, []healer.Effect) error) error {
	with := *r
	with.Config.Decide, with.Config.Reflex = healer.DecideLLM, false
	p := newPlayer(&with)
	p.query = query
	p.world.Step(healer.ModelState{Ready: true}, r.Start)
	return p.play(observe)
}
