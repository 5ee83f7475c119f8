package healer

import (
	"time"

	"logstream/healer/llm"
	"logstream/internal/event"
)

// modelQuery is a question to the model.
type modelQuery struct {
	Service  string
	Incident string
	Request  int
	Question llm.Question
	Deadline time.Time
}

// queriedAt is one, and when it was queried.
type queriedAt struct {
	modelQuery
	at time.Time
}

// withModel lets a model have a say in every diagnosis.
func withModel(model func(modelQuery) (llm.Answer, time.Duration)) func(*sim) {
	return func(m *sim) {
		m.model = model
		m.cfg.Decide, m.cfg.Reflex = DecideLLM, false
	}
}

func (m *sim) modelReady() { m.step(ModelState{Ready: true}) }

func (m *sim) modelGone(why string) { m.step(ModelState{Code: event.InvalidUnreachable, Why: why}) }

// says is a model that answers so after a while.
func says(action string, after time.Duration) func(modelQuery) (llm.Answer, time.Duration) {
	return func(modelQuery) (llm.Answer, time.Duration) {
		return llm.Answer{Opinion: &event.Opinion{Cause: "The model's cause.", Action: action, Confidence: 0.7, Why: "the model's reason"},
			Prompt: "asked", Raw: "answered", Reasoning: "thought"}, after
	}
}

// mute is a model that never answers.
func mute(modelQuery) (llm.Answer, time.Duration) { return llm.Answer{}, -1 }

func (m *sim) query(q modelQuery) {
	if m.model == nil {
		m.violated("a model is queried that is not there: %s", q.Service)
		return
	}
	m.queries = append(m.queries, queriedAt{q, m.now})
	answer, after := m.model(q)
	m.note("query %s/%d %v: %+v after %s", q.Service, q.Request, names(q.Question.Legal), answer, after)
	if after >= 0 {
		m.after(min(after, q.Deadline.Sub(m.now)), m.living(func() { m.answer(q, answer) }))
	}
}

// answer gives the core the model's answer to a question.
func (m *sim) answer(q modelQuery, answer llm.Answer) {
	m.step(Answered{q.Service, q.Incident, q.Request, answer})
}

func names(legal []event.Choice) []string {
	var all []string
	for _, c := range legal {
		all = append(all, c.Action)
	}
	return all
}

// fickle makes the model as bad as one may be: it agrees, disagrees, chooses what
// is not legal, answers garbage, late or never, and comes and goes.
func fickle(m *sim) { withModel(m.fickle)(m) }

func (m *sim) fickle(q modelQuery) (llm.Answer, time.Duration) {
	after := m.between(50*time.Millisecond, 25*time.Second)
	switch n := m.rng.IntN(20); {
	case n < 9:
		choice := q.Question.Legal[m.rng.IntN(len(q.Question.Legal))]
		return llm.Answer{Opinion: &event.Opinion{Cause: "It looks so.", Action: choice.Action, Confidence: m.rng.Float64()}}, after
	case n < 11:
		return llm.Answer{Opinion: &event.Opinion{Cause: "It looks so.", Action: "remove", Confidence: 1}}, after
	case n < 15:
		return llm.Answer{Invalid: "its answer is not a JSON object"}, after
	case n < 18:
		m.after(m.between(0, 5*time.Second), m.living(func() { m.modelGone("nothing listens there") }))
		m.after(m.between(6*time.Second, 60*time.Second), m.living(m.modelReady))
		return llm.Answer{Invalid: "nothing listens there"}, after
	}
	return llm.Answer{}, -1
}
