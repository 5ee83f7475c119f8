package healer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// diagnoses are those that were written so far, with who they are by.
func diagnoses(m *sim) (all []event.Diagnosed, by []string) {
	for _, w := range m.incidents {
		if data, is := w.event.Data.(event.Diagnosed); is {
			all, by = append(all, data), append(by, w.event.By)
		}
	}
	return all, by
}

// begun is when the first action was.
func begun(t *testing.T, m *sim) time.Time {
	t.Helper()
	for _, w := range m.incidents {
		if w.event.Type == event.TypeActionStarted {
			return w.event.Time
		}
	}
	t.Fatal("no action was begun")
	return time.Time{}
}

const simModel = "llm:deepseek-r1:1.5b"

func TestWhoseViewStands(t *testing.T) {
	for _, tt := range []struct {
		name          string
		model         func(Ask) (llm.Answer, time.Duration)
		by, cause     string
		invalid, view string // of the model
		code          event.InvalidCode
	}{
		{"it agrees", says("start", 3*time.Second), simModel, "The container was killed from outside.", "", "start", ""},
		{"it would wait", says("none", 3*time.Second), "runbook", "The container was killed from outside.", "", "none", event.InvalidNoOpinion},
		{"it would call a person", says("escalate", 3*time.Second), "runbook", "The container was killed from outside.", "", "escalate", event.InvalidNoOpinion},
		{"it wants what was not offered", says("remove", 3*time.Second), "runbook", "The container was killed from outside.", `it chose "remove", which is not legal here`, "", event.InvalidIllegal},
		{"it is late", func(Ask) (llm.Answer, time.Duration) {
			return llm.Answer{Code: event.InvalidLate, Invalid: "it did not answer within 20s", Prompt: "asked"}, 20 * time.Second
		}, "runbook", "The container was killed from outside.", "it did not answer within 20s", "", event.InvalidLate},
		{"its answer never comes", func(Ask) (llm.Answer, time.Duration) { return llm.Answer{}, -1 }, "runbook",
			"The container was killed from outside.", "it did not answer within 20s", "", event.InvalidLate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, b := quiet(t)
			m.withModel(tt.model)
			do("kill", m, b)
			m.run(60 * time.Second)
			all, by := diagnoses(m)
			if len(all) != 1 || by[0] != tt.by || m.asked != 1 {
				t.Fatalf("%d diagnoses by %v after %d questions, want one by %s after one", len(all), by, m.asked, tt.by)
			}
			d := all[0]
			if d.Action != "start" || d.Cause != tt.cause || d.Invalid != tt.invalid || d.InvalidCode != tt.code || d.Command != "docker start svc-0" {
				t.Errorf("got %+v", d)
			}
			if d.Runbook == nil || d.Runbook.Action != "start" || d.Runbook.Cause != "The container was killed from outside." {
				t.Errorf("the runbook's view: %+v", d.Runbook)
			}
			if (d.Model == nil) != (tt.view == "") || d.Model != nil && d.Model.Action != tt.view {
				t.Errorf("the model's view: %+v, want %q", d.Model, tt.view)
			}
			in := m.world.services["svc-0"].incident
			started, _ := in.Last(event.TypeActionStarted)
			if got := actions(m); !slices.Equal(got, []string{"start"}) || in.How != event.HowHealed || started.By != tt.by {
				t.Errorf("actions %v by %s, how %q", got, started.By, in.How)
			}
		})
	}
}

func TestWhatWasAskedAndAnsweredIsKept(t *testing.T) {
	m, b := quiet(t)
	var asked llm.Question
	m.withModel(func(e Ask) (llm.Answer, time.Duration) {
		asked = e.Question
		return says("start", time.Second)(e)
	})
	m.world.services["svc-0"].def.Note = "nobody can pay"
	do("kill", m, b)
	m.run(30 * time.Second)
	all, _ := diagnoses(m)
	if d := all[0]; d.Prompt != "asked" || d.Asked != "deepseek-r1:1.5b" || d.Raw != "answered" || d.Reasoning != "thought" || d.Model.Confidence != 0.7 {
		t.Errorf("kept: %+v", d)
	}
	if asked.Service != "svc-0" || asked.Note != "nobody can pay" || !slices.Equal(names(asked.Legal), []string{"start", "escalate", "none"}) ||
		len(asked.Facts) == 0 || len(asked.NotOffered) == 0 {
		t.Errorf("asked: %+v", asked)
	}
}

// TestAModelThatIsAbsentIsNotWaitedFor compares with the rules alone.
func TestAModelThatIsAbsentIsNotWaitedFor(t *testing.T) {
	repair := func(prepare func(*sim)) (*sim, time.Duration) {
		m, b := quiet(t)
		prepare(m)
		since := m.now
		do("kill", m, b)
		m.run(30 * time.Second)
		return m, begun(t, m).Sub(since)
	}
	_, alone := repair(func(m *sim) { m.world.cfg.Decide = DecideRunbook })
	absent, without := repair(func(m *sim) {
		m.withModel(says("start", 3*time.Second))
		m.step(ModelIs{Code: event.InvalidUnreachable, Why: "nothing listens at http://localhost:11434"})
	})
	if without > alone {
		t.Errorf("with the model known to be absent the repair begins after %s, with the rules alone after %s", without, alone)
	}
	all, by := diagnoses(absent)
	if absent.asked != 0 || by[0] != "runbook" || all[0].InvalidCode != event.InvalidUnreachable || all[0].Invalid != "nothing listens at http://localhost:11434" {
		t.Errorf("asked %d times; by %s, invalid %q", absent.asked, by[0], all[0].Invalid)
	}
	_, with := repair(func(m *sim) { m.withModel(says("start", 3*time.Second)) })
	if with < alone+3*time.Second {
		t.Errorf("a model that takes 3 s delays the repair to %s only", with)
	}
}

func TestReflexWaitsForNobody(t *testing.T) {
	m, b := quiet(t)
	m.withModel(says("start", 10*time.Second))
	m.world.cfg.Reflex = true
	do("kill", m, b)
	m.run(2 * time.Second)
	if b.state.Status != container.Running || m.asked != 0 {
		t.Errorf("two seconds after a kill it is %s, and the model was asked %d times", b.state.Status, m.asked)
	}
	m.run(30 * time.Second)
	m.model = says("restart", 2*time.Second)
	do("error", m, b)
	m.run(30 * time.Second)
	if m.asked != 1 {
		t.Errorf("a restart loses what is in memory: the model was asked %d times, want once", m.asked)
	}
}

func TestAnOperatorsChoiceIsNotPutToTheModel(t *testing.T) {
	m, _ := quiet(t)
	m.withModel(says("none", time.Second))
	m.step(ReadCommand{event.Command{ID: "c1", Time: m.now, By: "operator:ann", Service: "svc-0", Command: event.CommandHeal, Args: event.CommandArgs{Action: "restart"}}})
	m.run(30 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"restart"}) || m.asked != 0 {
		t.Errorf("actions %v after %d questions: want a restart after none", got, m.asked)
	}
}

// TestAFailedChoiceOfTheModelIsNotMadeAgain: whatever words a model finds for
// it, it is the same cause.
func TestAFailedChoiceOfTheModelIsNotMadeAgain(t *testing.T) {
	m, b := quiet(t)
	n := 0
	m.withModel(func(e Ask) (llm.Answer, time.Duration) {
		n++
		return llm.Answer{Opinion: &event.Opinion{Cause: strings.Repeat("Other words. ", n), Action: e.Question.Legal[0].Action, Confidence: 0.5}}, time.Second
	})
	b.app = "broken"
	m.run(5 * time.Minute)
	if got := actions(m); !slices.Equal(got, []string{"restart"}) {
		t.Errorf("actions %v, want one restart", got)
	}
	in := m.world.services["svc-0"].incident
	escalated, called := in.Last(event.TypeEscalated)
	if in.State != state.Escalated || !called || escalated.By != simModel {
		t.Errorf("the incident is %s, called by %q", in.State, escalated.By)
	}
}

// TestFactsThatFlapDoNotHoldUpTheModelForEver: the time for all questions about
// one diagnosis is that of one.
func TestFactsThatFlapDoNotHoldUpTheModelForEver(t *testing.T) {
	m, b := quiet(t)
	m.withModel(says("restart", 15*time.Second))
	b.app, b.flap = "broken", true
	since := m.now
	m.run(2 * time.Minute)
	if first := begun(t, m).Sub(since); first > 40*time.Second {
		t.Errorf("while the facts flap the first repair begins after %s", first)
	}
}

func TestANewLifeAsksAnew(t *testing.T) {
	m, b := quiet(t)
	m.withModel(says("start", 5*time.Second))
	do("kill", m, b)
	m.run(3 * time.Second)
	m.kill() // while the model thinks
	m.run(90 * time.Second)
	_, by := diagnoses(m)
	if got := actions(m); !slices.Equal(got, []string{"start"}) || m.asked != 2 || !slices.Equal(by, []string{simModel}) {
		t.Errorf("actions %v, asked %d times, diagnoses by %v", got, m.asked, by)
	}
	if in := m.world.services["svc-0"].incident; in.How != event.HowHealed {
		t.Errorf("the incident ended %q", in.How)
	}
}

// TestWhatRecoversWhileTheModelThinksIsLeftAlone: the answer is about the past.
func TestWhatRecoversWhileTheModelThinksIsLeftAlone(t *testing.T) {
	m, b := quiet(t)
	m.withModel(says("start", 15*time.Second))
	do("kill", m, b)
	m.run(2 * time.Second)
	do("start", m, b)
	m.run(60 * time.Second)
	if got := actions(m); len(got) != 0 {
		t.Errorf("actions %v: somebody else had started it", got)
	}
}

// TestWhoseCauseStands: what the facts prove is not the model's to say.
func TestWhoseCauseStands(t *testing.T) {
	for _, tt := range []struct {
		sure   float64
		models string
		cause  string
		past   string
		want   float64
	}{{0.97, "The disk is full.", "It was stopped.", "It had been stopped.", 0.97}, {0.8, "The disk is full.", "The disk is full.", "", 0.6},
		{0.8, "", "It was stopped.", "It had been stopped.", 0.8}} {
		d := event.Diagnosed{Action: "start", Cause: "It was stopped.", CausePast: "It had been stopped.", Confidence: tt.sure, Legal: []event.Choice{{Letter: "A", Action: "start"}}}
		by := stand(&d, "m", llm.Answer{Opinion: &event.Opinion{Cause: tt.models, Action: "start", Confidence: 0.6}})
		if by != "llm:m" || d.Cause != tt.cause || d.CausePast != tt.past || d.Confidence != tt.want || d.InvalidCode != "" {
			t.Errorf("sure to %v, and the model says %q: %q, sure to %v, by %s", tt.sure, tt.models, d.Cause, d.Confidence, by)
		}
	}
}

func TestStand(t *testing.T) {
	legal := []event.Choice{{Letter: "A", Action: "restart"}, {Letter: "B", Action: "escalate"}, {Letter: "C", Action: "none"}}
	for _, tt := range []struct {
		runbook, model string
		sure           float64
		stands         string
		by             string
		code           event.InvalidCode
	}{
		{"restart", "restart", 0.8, "restart", "llm:m", ""},
		{"restart", "escalate", 0.8, "restart", "runbook", event.InvalidNoOpinion},
		{"restart", "none", 0.8, "restart", "runbook", event.InvalidNoOpinion},
		{"restart", "start", 0.8, "restart", "runbook", event.InvalidIllegal},
		{"escalate", "restart", 0.8, "restart", "llm:m", ""},
		{"escalate", "restart", 0.9, "escalate", "runbook", event.InvalidOverruled},
		{"escalate", "escalate", 0.9, "escalate", "llm:m", ""},
		{"escalate", "none", 0.9, "escalate", "runbook", event.InvalidNoOpinion},
		{"none", "escalate", 0.6, "escalate", "llm:m", ""},
		{"none", "none", 0.6, "none", "llm:m", ""},
		{"restart", "", 0.8, "restart", "runbook", event.InvalidGarbage},
	} {
		d := event.Diagnosed{Action: tt.runbook, Cause: "the runbook's", Confidence: tt.sure, Legal: legal}
		answer := llm.Answer{Code: event.InvalidGarbage, Invalid: "no answer"}
		if tt.model != "" {
			answer = llm.Answer{Opinion: &event.Opinion{Action: tt.model}}
		}
		if by := stand(&d, "m", answer); by != tt.by || d.Action != tt.stands || d.Cause != "the runbook's" || d.InvalidCode != tt.code {
			t.Errorf("runbook %s, model %q: %s stands by %s (%q, %q), want %s by %s (%q)", tt.runbook, tt.model, d.Action, by, d.Cause, d.InvalidCode, tt.stands, tt.by, tt.code)
		}
	}
}

// consulted is a world with an incident of a killed container, and what the
// runbook makes of it.
func consulted(t *testing.T) (*World, *svc, runbook.Diagnosis, time.Time) {
	t.Helper()
	w := NewWorld(Default(), "me", "local", []service.Definition{{Name: "svc-0", Container: "svc-0"}}, nil, simStart)
	w.cfg.Reflex = false
	w.model = ModelIs{Ready: true}
	s := w.services["svc-0"]
	s.incident = &state.Incident{ID: "i1", Service: "svc-0", State: state.Open}
	return w, s, runbook.Diagnose(runbook.Facts{Container: "svc-0", State: "exited", End: history.EndKilled}), simStart
}

// asks consults once, and returns the question that came of it.
func asks(t *testing.T, w *World, s *svc, dx runbook.Diagnosis, now time.Time) Ask {
	t.Helper()
	w.effects = nil
	if answer, known := w.consult(s, dx, now); known || len(w.effects) != 1 {
		t.Fatalf("known %v: %+v, effects %v: want one question", known, answer, w.effects)
	}
	return w.effects[0].(Ask)
}

func TestAnAnswerIsToItsOwnQuestion(t *testing.T) {
	w, s, killed, now := consulted(t)
	stopped := runbook.Diagnose(runbook.Facts{Container: "svc-0", State: "exited", End: history.EndStopped})
	first := asks(t, w, s, killed, now)
	second := asks(t, w, s, stopped, now.Add(5*time.Second))
	if second.Request == first.Request || !second.Deadline.Equal(first.Deadline) {
		t.Errorf("the facts changed: asked %+v, then %+v", first, second)
	}
	w.answered(Answered{"svc-0", "i1", first.Request, llm.Answer{Raw: "to the first"}}, now)
	if _, known := w.consult(s, stopped, now.Add(6*time.Second)); known {
		t.Error("the answer to the first question was taken for one to the second")
	}
	w.answered(Answered{"svc-0", "i1", second.Request, llm.Answer{Raw: "to the second"}}, now)
	if third := asks(t, w, s, killed, now.Add(7*time.Second)); third.Request == second.Request {
		t.Error("the answer to another question was taken")
	}
	w.answered(Answered{"svc-0", "i1", s.consulting.request, llm.Answer{Raw: "to the third"}}, now)
	if answer, known := w.consult(s, killed, now.Add(8*time.Second)); !known || answer.Raw != "to the third" {
		t.Errorf("known %v: %+v", known, answer)
	}
}

func TestEachIncidentHasATimeOfItsOwn(t *testing.T) {
	w, s, dx, now := consulted(t)
	asks(t, w, s, dx, now)
	s.incident = &state.Incident{ID: "i2", Service: "svc-0", State: state.Open}
	later := now.Add(15 * time.Second)
	if again := asks(t, w, s, dx, later); again.Incident != "i2" || !again.Deadline.Equal(later.Add(w.cfg.LLM.Timeout)) {
		t.Errorf("asked %+v", again)
	}
}

// TestAQuestionThatWasLeftBehindTakesNoTimeFromTheNext: it answered again in the
// meantime, and is down for something else.
func TestAQuestionThatWasLeftBehindTakesNoTimeFromTheNext(t *testing.T) {
	for name, answered := range map[string]bool{"its answer came": true, "nothing came": false} {
		w, s, killed, now := consulted(t)
		first := asks(t, w, s, killed, now)
		if answered {
			w.answered(Answered{"svc-0", "i1", first.Request, llm.Answer{Raw: "to the first"}}, now)
		}
		later := now.Add(40 * time.Second)
		paused := runbook.Diagnose(runbook.Facts{Container: "svc-0", State: "paused"})
		if second := asks(t, w, s, paused, later); !second.Deadline.Equal(later.Add(w.cfg.LLM.Timeout)) {
			t.Errorf("%s: the next question has until %s after it was asked", name, second.Deadline.Sub(later))
		}
	}
}

// TestAModelThatIsSlowToSayThatItIsThere is waited for where it was asked.
func TestAModelThatIsSlowToSayThatItIsThere(t *testing.T) {
	w, s, dx, now := consulted(t)
	ask := asks(t, w, s, dx, now)
	w.model = ModelIs{Why: "it does not answer"}
	if answer, known := w.consult(s, dx, now.Add(time.Second)); known {
		t.Errorf("it is not waited for: %+v", answer)
	}
	w.answered(Answered{"svc-0", "i1", ask.Request, llm.Answer{Raw: "here"}}, now)
	if answer, known := w.consult(s, dx, now.Add(2*time.Second)); !known || answer.Raw != "here" {
		t.Errorf("known %v: %+v", known, answer)
	}
}

func TestAnAnswerToAnotherIncidentIsNone(t *testing.T) {
	w, s, dx, now := consulted(t)
	ask := asks(t, w, s, dx, now)
	w.answered(Answered{"svc-0", "another", ask.Request, llm.Answer{Raw: "of old"}}, now)
	if answer, known := w.consult(s, dx, now); known {
		t.Errorf("taken: %+v", answer)
	}
}

// TestSoManyAreAskedAtOnce: the others don't wait for a model that has its hands full.
func TestSoManyAreAskedAtOnce(t *testing.T) {
	w, _, dx, now := consulted(t)
	for i := range mostQuestions + 2 {
		s := w.add(service.Definition{Name: fmt.Sprint("more-", i), Container: "c"}, now)
		s.incident = &state.Incident{ID: fmt.Sprint(i), State: state.Open}
		answer, known := w.consult(s, dx, now)
		if wants := i < mostQuestions; known == wants || !wants && (answer.Code != event.InvalidUnreachable || answer.Invalid != "it is busy with queries about 4 other services") {
			t.Errorf("service %d: known %v, %+v", i, known, answer)
		}
	}
	s := w.services["svc-0"]
	if _, known := w.consult(s, dx, now.Add(w.cfg.LLM.Timeout+lateAnswer+time.Second)); known {
		t.Error("when the others' time is over it is not asked")
	}
}

func TestWhoIsAsked(t *testing.T) {
	for _, tt := range []struct {
		decide Decide
		reflex bool
		action string
		sure   float64
		asked  bool
	}{
		{"", false, "start", 0.97, true},
		{DecideLLM, false, "start", 0.97, true},
		{DecideRunbook, false, "start", 0.97, false},
		{DecideLLM, true, "start", 0.97, false},
		{DecideLLM, true, "unpause", 0.9, false},
		{DecideLLM, true, "start", 0.7, true},
		{DecideLLM, true, "restart", 0.97, true},
		{DecideLLM, true, "escalate", 0.97, true},
		{DecideLLM, false, "none", 0.6, false},
	} {
		w, s, _, _ := consulted(t)
		w.cfg.Decide, w.cfg.Reflex = tt.decide, tt.reflex
		if got := w.asksModel(s, runbook.Diagnosis{Action: tt.action, Confidence: tt.sure}); got != tt.asked {
			t.Errorf("%+v: asked %v", tt, got)
		}
	}
}

// TestAnotherCause: the model's words for the same cause are none.
func TestAnotherCause(t *testing.T) {
	before := event.Diagnosed{Cause: "The model's words.", Runbook: &event.Opinion{Cause: "It ended."}}
	for _, tt := range []struct {
		dx      runbook.Diagnosis
		another bool
	}{
		{runbook.Diagnosis{Cause: "It ended.", Action: "start"}, false},
		{runbook.Diagnosis{Cause: "It is paused.", Action: "unpause"}, true},
		{runbook.Diagnosis{Cause: "It is paused.", Action: "unpause", Wait: "for a moment"}, false},
		{runbook.Diagnosis{Cause: "It hangs.", Action: "restart"}, false},
		{runbook.Diagnosis{Cause: "It answers.", Action: "none"}, false},
	} {
		if got := anotherCause(before, tt.dx); got != tt.another {
			t.Errorf("%+v: %v", tt.dx, got)
		}
	}
}

// TestBeforeTheFirstLookTheIncidentSaysSo: where a model is wanted, its absence
// has a reason from the first moment on.
func TestBeforeTheFirstLookTheIncidentSaysSo(t *testing.T) {
	for decide, want := range map[Decide]string{DecideLLM: notHeard, "": ""} {
		c := Default()
		c.Decide = decide
		if got := NewWorld(c, "me", "local", nil, nil, simStart).model; got.Ready || got.Why != want {
			t.Errorf("decide %q: %+v", decide, got)
		}
	}
}

func TestHealerProblems(t *testing.T) {
	c := Default()
	c.Decide, c.LLM.URL, c.LLM.Timeout = "model", "http://10.1.2.3:11434", 0
	var keys []string
	for _, p := range c.Problems() {
		keys = append(keys, p.Key)
	}
	if want := []string{"decide", "llm.url", "llm.timeout"}; !slices.Equal(keys, want) {
		t.Errorf("problems at %v, want %v", keys, want)
	}
	if c = Default(); len(c.Problems()) != 0 || !c.Reflex || c.Mode != service.Observe {
		t.Errorf("the default: %+v has %v", c, c.Problems())
	}
}
