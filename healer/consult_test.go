package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

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
		model         func(modelQuery) (llm.Answer, time.Duration)
		by, cause     string
		invalid, view string // of the model
		code          event.InvalidCode
	}{
		{"it agrees", says("start", 3*time.Second), simModel, "The container was killed by a command such as docker kill.", "", "start", ""},
		{"it would wait", says("none", 3*time.Second), "runbook", "The container was killed by a command such as docker kill.", "", "none", event.InvalidNoOpinion},
		{"it would call a person", says("escalate", 3*time.Second), "runbook", "The container was killed by a command such as docker kill.", "", "escalate", event.InvalidNoOpinion},
		{"it wants what was not offered", says("remove", 3*time.Second), "runbook", "The container was killed by a command such as docker kill.", `it chose "remove", which is not legal here`, "", event.InvalidIllegal},
		{"it is late", func(modelQuery) (llm.Answer, time.Duration) {
			return llm.Answer{Code: event.InvalidLate, Invalid: "it did not answer within 20s", Prompt: "asked"}, 20 * time.Second
		}, "runbook", "The container was killed by a command such as docker kill.", "it did not answer within 20s", "", event.InvalidLate},
		{"its answer never comes", func(modelQuery) (llm.Answer, time.Duration) { return llm.Answer{}, -1 }, "runbook",
			"The container was killed by a command such as docker kill.", "it did not answer within 20s", "", event.InvalidLate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, b := quiet(t, withModel(tt.model))
			do("kill", m, b)
			m.run(60 * time.Second)
			all, by := diagnoses(m)
			if len(all) != 1 || by[0] != tt.by || len(m.queries) != 1 {
				t.Fatalf("%d diagnoses by %v after %d questions, want one by %s after one", len(all), by, len(m.queries), tt.by)
			}
			d := all[0]
			if d.Action != "start" || d.Cause != tt.cause || d.Invalid != tt.invalid || d.InvalidCode != tt.code || d.Command != "docker start svc-0" {
				t.Errorf("got %+v", d)
			}
			if d.Runbook == nil || d.Runbook.Action != "start" || d.Runbook.Cause != "The container was killed by a command such as docker kill." {
				t.Errorf("the runbook's view: %+v", d.Runbook)
			}
			if (d.Model == nil) != (tt.view == "") || d.Model != nil && d.Model.Action != tt.view {
				t.Errorf("the model's view: %+v, want %q", d.Model, tt.view)
			}
			in := m.of0()
			started, _ := in.Last(event.TypeActionStarted)
			if got := m.actions(); !slices.Equal(got, []string{"start"}) || in.How != event.HowHealed || started.By != tt.by {
				t.Errorf("actions %v by %s, how %q", got, started.By, in.How)
			}
		})
	}
}

func TestPromptAndAnswerAreKept(t *testing.T) {
	m, b := quiet(t, withModel(says("start", time.Second)), defined(func(d *service.Definition) { d.Note = "nobody can pay" }))
	do("kill", m, b)
	m.run(30 * time.Second)
	asked := m.queries[0].Question
	all, _ := diagnoses(m)
	if d := all[0]; d.Prompt != "asked" || d.Asked != "deepseek-r1:1.5b" || d.Raw != "answered" || d.Reasoning != "thought" || d.Model.Confidence != 0.7 {
		t.Errorf("kept: %+v", d)
	}
	if asked.Service != "svc-0" || asked.Note != "nobody can pay" || !slices.Equal(names(asked.Legal), []string{"start", "escalate", "none"}) ||
		len(asked.Facts) == 0 || len(asked.NotOffered) == 0 {
		t.Errorf("queried: %+v", asked)
	}
}

// TestAModelThatIsAbsentIsNotWaitedFor compares with the rules alone.
func TestAModelThatIsAbsentIsNotWaitedFor(t *testing.T) {
	repair := func(prepare func(*sim), options ...func(*sim)) (*sim, time.Duration) {
		m, b := quiet(t, options...)
		prepare(m)
		since := m.now
		do("kill", m, b)
		m.run(30 * time.Second)
		return m, begun(t, m).Sub(since)
	}
	present := withModel(says("start", 3*time.Second))
	_, alone := repair(func(*sim) {}, configured(func(c *Config) { c.Decide = DecideRunbook }))
	absent, without := repair(func(m *sim) { m.modelGone("nothing listens at http://localhost:11434") }, present)
	if without > alone {
		t.Errorf("with the model known to be absent the repair begins after %s, with the rules alone after %s", without, alone)
	}
	all, by := diagnoses(absent)
	if len(absent.queries) != 0 || by[0] != "runbook" || all[0].Invalid != "nothing listens at http://localhost:11434" || all[0].InvalidCode != event.InvalidUnreachable {
		t.Errorf("queried %d times; by %s, invalid %q", len(absent.queries), by[0], all[0].Invalid)
	}
	_, with := repair(func(*sim) {}, present)
	if with < alone+3*time.Second {
		t.Errorf("a model that takes 3 s delays the repair to %s only", with)
	}
}

func TestReflexDoesNotWaitForTheModel(t *testing.T) {
	m, b := quiet(t, withModel(says("start", 10*time.Second)), configured(func(c *Config) { c.Reflex = true }))
	do("kill", m, b)
	m.run(2 * time.Second)
	if b.state.Status != container.Running || len(m.queries) != 0 {
		t.Errorf("two seconds after a kill it is %s, and the model was queried %d times", b.state.Status, len(m.queries))
	}
	m.run(30 * time.Second)
	m.model = says("restart", 2*time.Second)
	do("error", m, b)
	m.run(30 * time.Second)
	if len(m.queries) != 1 {
		t.Errorf("a restart loses what is in memory: the model was queried %d times, want once", len(m.queries))
	}
}

func TestAnOperatorsChoiceIsNotPutToTheModel(t *testing.T) {
	m, _ := quiet(t, withModel(says("none", time.Second)))
	m.heal("restart")
	m.run(30 * time.Second)
	if got := m.actions(); !slices.Equal(got, []string{"restart"}) || len(m.queries) != 0 {
		t.Errorf("actions %v after %d questions: want a restart after none", got, len(m.queries))
	}
}

// TestAFailedChoiceOfTheModelIsNotMadeAgain: whatever words a model finds for
// it, it is the same cause.
func TestAFailedChoiceOfTheModelIsNotMadeAgain(t *testing.T) {
	n := 0
	m, b := quiet(t, withModel(func(e modelQuery) (llm.Answer, time.Duration) {
		n++
		return llm.Answer{Opinion: &event.Opinion{Cause: strings.Repeat("Other words. ", n), Action: e.Question.Legal[0].Action, Confidence: 0.5}}, time.Second
	}))
	b.app = "broken"
	m.run(5 * time.Minute)
	if got := m.actions(); !slices.Equal(got, []string{"restart"}) {
		t.Errorf("actions %v, want one restart", got)
	}
	in := m.of0()
	escalated, called := in.Last(event.TypeEscalated)
	if in.State != state.Escalated || !called || escalated.By != simModel {
		t.Errorf("the incident is %s, called by %q", in.State, escalated.By)
	}
}

// TestFactsThatFlapDoNotHoldUpTheModelForEver: the time for all questions about
// one diagnosis is that of one.
func TestFactsThatFlapDoNotHoldUpTheModelForEver(t *testing.T) {
	m, b := quiet(t, withModel(says("restart", 15*time.Second)))
	b.app, b.flap = "broken", true
	since := m.now
	m.run(2 * time.Minute)
	if first := begun(t, m).Sub(since); first > 40*time.Second {
		t.Errorf("while the facts flap the first repair begins after %s", first)
	}
}

func TestModelIsQueriedAgainAfterARestart(t *testing.T) {
	m, b := quiet(t, withModel(says("start", 5*time.Second)))
	do("kill", m, b)
	m.run(3 * time.Second)
	m.kill() // while the model thinks
	m.run(90 * time.Second)
	_, by := diagnoses(m)
	if got := m.actions(); !slices.Equal(got, []string{"start"}) || len(m.queries) != 2 || !slices.Equal(by, []string{simModel}) {
		t.Errorf("actions %v, asked %d times, diagnoses by %v", got, len(m.queries), by)
	}
	if in := m.of0(); in.How != event.HowHealed {
		t.Errorf("the incident ended %q", in.How)
	}
}

// TestWhatRecoversWhileTheModelThinksIsLeftAlone: the answer is about the past.
func TestWhatRecoversWhileTheModelThinksIsLeftAlone(t *testing.T) {
	m, b := quiet(t, withModel(says("start", 15*time.Second)))
	do("kill", m, b)
	m.run(2 * time.Second)
	do("start", m, b)
	m.run(60 * time.Second)
	if got := m.actions(); len(got) != 0 {
		t.Errorf("actions %v: another user had started it", got)
	}
}

// TestWhoseCauseStands: the model cannot change a cause that the facts prove.
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
		by := chooseView(&d, "m", llm.Answer{Opinion: &event.Opinion{Cause: tt.models, Action: "start", Confidence: 0.6}})
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
		if by := chooseView(&d, "m", answer); by != tt.by || d.Action != tt.stands || d.Cause != "the runbook's" || d.InvalidCode != tt.code {
			t.Errorf("runbook %s, model %q: %s stands by %s (%q, %q), want %s by %s (%q)", tt.runbook, tt.model, d.Action, by, d.Cause, d.InvalidCode, tt.stands, tt.by, tt.code)
		}
	}
}

// TestAnotherCause: the model's words for the same cause are none.
func TestAnotherCause(t *testing.T) {
	before := event.Diagnosed{CauseID: "exited", Cause: "The model's words."}
	for _, tt := range []struct {
		dx      runbook.Diagnosis
		another bool
	}{
		{runbook.Diagnosis{CauseID: "exited", Action: "start"}, false},
		{runbook.Diagnosis{CauseID: "paused", Action: "unpause"}, true},
		{runbook.Diagnosis{CauseID: "paused", Action: "unpause", Wait: "for a moment"}, false},
		{runbook.Diagnosis{CauseID: "hang", Action: "restart"}, false},
		{runbook.Diagnosis{CauseID: "answers", Action: "none"}, false},
	} {
		if got := anotherCause(before, tt.dx); got != tt.another {
			t.Errorf("%+v: %v", tt.dx, got)
		}
	}
}

// TestIncidentBeforeTheFirstInspectionSaysSo: where a model is wanted, its absence
// has a reason from the first moment on.
func TestIncidentBeforeTheFirstInspectionSaysSo(t *testing.T) {
	for decide, want := range map[Decide]string{DecideLLM: notSeenYet, "": ""} {
		m, b := quiet(t, configured(func(c *Config) { c.Decide, c.Reflex = decide, false }))
		do("kill", m, b)
		m.run(30 * time.Second)
		if all, by := diagnoses(m); len(all) != 1 || by[0] != "runbook" || all[0].Invalid != want {
			t.Errorf("decide %q: diagnosed %+v by %v", decide, all, by)
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
