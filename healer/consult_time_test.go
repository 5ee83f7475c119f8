package healer

import (
	"fmt"
	"testing"
	"time"

	"logstream/healer/llm"
	"logstream/internal/event"
)

// TestAnAnswerIsToItsOwnQuestion changes the facts while the model thinks: its
// answer to the first question comes before that to the second, and is to another.
func TestAnAnswerIsToItsOwnQuestion(t *testing.T) {
	m, b := quiet(t, withModel(func(e modelQuery) (llm.Answer, time.Duration) {
		return llm.Answer{Raw: fmt.Sprint("to ", e.Request)}, []time.Duration{10 * time.Second, 9 * time.Second}[min(e.Request, 2)-1]
	}))
	b.app = "error"
	m.until(t, "a question", func() bool { return len(m.queries) == 1 })
	b.app = "hang"
	m.run(50 * time.Second)
	all, _ := diagnoses(m)
	if len(m.queries) != 2 || len(all) != 1 || all[0].Raw != "to 2" {
		t.Fatalf("%d questions, diagnosed %+v: want the answer to the second", len(m.queries), all)
	}
	if first, second := m.queries[0], m.queries[1]; second.Request == first.Request || !second.Deadline.Equal(first.Deadline) {
		t.Errorf("the facts changed: asked %+v, then %+v", first, second)
	}
}

func TestEachIncidentHasATimeOfItsOwn(t *testing.T) {
	m, b := quiet(t, withModel(mute))
	do("kill", m, b)
	m.run(2 * time.Second)
	do("start", m, b)
	m.until(t, "a recovery", func() bool { return len(dataOf[event.Resolved](m)) == 1 })
	if took := m.now.Sub(m.queries[0].at); took > m.cfg.LLM.Timeout {
		t.Fatalf("it recovered only after %s", took)
	}
	do("kill", m, b)
	m.run(3 * time.Second)
	if n := len(m.queries); n != 2 {
		t.Fatalf("%d questions", n)
	}
	if first, second := m.queries[0], m.queries[1]; second.Incident == first.Incident || !second.Deadline.Equal(second.at.Add(m.cfg.LLM.Timeout)) {
		t.Errorf("queried %+v, then %+v", first, second)
	}
}

// TestAQuestionThatWasLeftBehindTakesNoTimeFromTheNext: it answered again in the
// meantime, never for long enough, and is down for something else.
func TestAQuestionThatWasLeftBehindTakesNoTimeFromTheNext(t *testing.T) {
	for name, model := range map[string]func(modelQuery) (llm.Answer, time.Duration){"its answer came": says("start", 5*time.Second), "nothing came": mute} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, withModel(model))
			do("kill", m, b)
			m.run(2 * time.Second)
			do("start", m, b)
			m.run(8 * time.Second)
			for range 6 {
				b.app = "broken"
				m.run(2 * time.Second)
				b.app = "ok"
				m.run(4 * time.Second)
			}
			do("pause", m, b)
			m.until(t, "the next question", func() bool { return len(m.queries) == 2 })
			if first, second := m.queries[0], m.queries[1]; second.Incident != first.Incident || !second.Deadline.Equal(second.at.Add(m.cfg.LLM.Timeout)) {
				t.Errorf("queried %+v, then %+v, which has until %s after it was queried", first, second, second.Deadline.Sub(second.at))
			}
		})
	}
}

// TestAModelThatIsSlowToSayThatItIsThere is waited for where it was queried.
func TestAModelThatIsSlowToSayThatItIsThere(t *testing.T) {
	m, b := quiet(t, withModel(says("start", 5*time.Second)))
	do("kill", m, b)
	m.until(t, "a question", func() bool { return len(m.queries) == 1 })
	m.run(time.Second)
	m.modelGone("it does not answer")
	m.run(30 * time.Second)
	if all, by := diagnoses(m); len(all) != 1 || by[0] != simModel || all[0].Raw != "answered" {
		t.Errorf("diagnosed %+v by %v", all, by)
	}
}

func TestAnAnswerToAnotherIncidentIsNone(t *testing.T) {
	m, b := quiet(t, withModel(says("start", 10*time.Second)))
	do("kill", m, b)
	m.until(t, "a question", func() bool { return len(m.queries) == 1 })
	another := m.queries[0].modelQuery
	another.Incident = "another"
	m.answer(another, llm.Answer{Raw: "of old"})
	m.run(30 * time.Second)
	if all, _ := diagnoses(m); len(all) != 1 || all[0].Raw != "answered" {
		t.Errorf("diagnosed %+v", all)
	}
}

// TestConcurrentModelQueriesAreLimited: the others don't wait for a model that has its hands full.
func TestConcurrentModelQueriesAreLimited(t *testing.T) {
	m := quietSim(t, 6, withModel(mute))
	for _, b := range m.boxes {
		do("kill", m, b)
	}
	m.run(5 * time.Second)
	all, _ := diagnoses(m)
	if len(m.queries) != 4 || len(all) != 2 {
		t.Fatalf("%d questions, %d diagnoses without one", len(m.queries), len(all))
	}
	for _, d := range all {
		if d.Invalid != "it is busy with queries about 4 other services" {
			t.Errorf("diagnosed without the model, for %q", d.Invalid)
		}
	}
	m.run(time.Minute)
	do("kill", m, m.boxes[5])
	if m.run(5 * time.Second); len(m.queries) != 5 {
		t.Errorf("when the others' time is over it is not queried: %d questions", len(m.queries))
	}
}

func TestWhenTheModelIsQueried(t *testing.T) {
	unseen := func(m *sim, b *box) { m.exited(b, 1) } // no event
	fault := func(name string) func(*sim, *box) { return func(m *sim, b *box) { do(name, m, b) } }
	tests := []struct {
		name   string
		decide Decide
		reflex bool
		fault  func(*sim, *box)
		asked  bool
	}{
		{"any model that is there", "", false, fault("kill"), true},
		{"a model", DecideLLM, false, fault("kill"), true},
		{"the runbook alone", DecideRunbook, false, fault("kill"), false},
		{"with reflex, of a proven cause", DecideLLM, true, fault("kill"), false},
		{"with reflex, of a pause", DecideLLM, true, fault("pause"), false},
		{"with reflex, of a cause that is not proven", DecideLLM, true, unseen, true},
		{"with reflex, before a restart", DecideLLM, true, fault("error"), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, b := quiet(t, withModel(mute), configured(func(c *Config) { c.Decide, c.Reflex = tt.decide, tt.reflex }))
			tt.fault(m, b)
			m.until(t, "a diagnosis or a question", func() bool { return len(m.queries) > 0 || len(dataOf[event.Diagnosed](m)) > 0 })
			if asked := len(m.queries) > 0; asked != tt.asked {
				t.Errorf("asked %v", asked)
			}
		})
	}
}
