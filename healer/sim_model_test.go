package healer

import (
	"time"

	"logstream/healer/llm"
	"logstream/internal/event"
)

// withModel lets a model have a say from now on.
func (m *sim) withModel(model func(Ask) (llm.Answer, time.Duration)) {
	m.model = model
	m.cfg.Decide, m.cfg.Reflex = DecideLLM, false
	m.world.cfg = m.cfg
	m.step(ModelIs{Ready: true})
}

// says is a model that answers so after a while.
func says(action string, after time.Duration) func(Ask) (llm.Answer, time.Duration) {
	return func(Ask) (llm.Answer, time.Duration) {
		return llm.Answer{Opinion: &event.Opinion{Cause: "The model's cause.", Action: action, Confidence: 0.7, Why: "the model's reason"},
			Prompt: "asked", Raw: "answered", Reasoning: "thought"}, after
	}
}

// fickle is a model as bad as one may be: it agrees, disagrees, chooses what is
// not legal, answers garbage, late or never, and comes and goes.
func (m *sim) fickle(e Ask) (llm.Answer, time.Duration) {
	after := m.between(50*time.Millisecond, 25*time.Second)
	switch n := m.rng.IntN(20); {
	case n < 9:
		choice := e.Question.Legal[m.rng.IntN(len(e.Question.Legal))]
		return llm.Answer{Opinion: &event.Opinion{Cause: "It looks so.", Action: choice.Action, Confidence: m.rng.Float64()}}, after
	case n < 11:
		return llm.Answer{Opinion: &event.Opinion{Cause: "It looks so.", Action: "remove", Confidence: 1}}, after
	case n < 15:
		return llm.Answer{Invalid: "its answer is no JSON object"}, after
	case n < 18:
		m.after(m.between(0, 5*time.Second), m.living(func() { m.step(ModelIs{Why: "nothing listens there"}) }))
		m.after(m.between(6*time.Second, 60*time.Second), m.living(func() { m.step(ModelIs{Ready: true}) }))
		return llm.Answer{Invalid: "nothing listens there"}, after
	}
	return llm.Answer{}, -1
}
