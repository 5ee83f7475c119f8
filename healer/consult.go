package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	// mostQuestions is how many are asked at once: a model on this machine answers
	// them one after the other, and whoever comes late would wait for nothing.
	mostQuestions = 4

	proven     = 0.9             // how sure the runbook is of a cause that the facts prove
	lateAnswer = 3 * time.Second // an outcome that is not heard so long after its deadline never comes
)

// consulting is what the model is asked about a service, before its diagnosis
// is written. A new life asks anew: nothing was written yet.
type consulting struct {
	request  int // the newest
	incident string
	about    string      // what was diagnosed when it was asked
	since    time.Time   // of the first question before the diagnosis is written, and the deadline of all counts from it; zero: none
	answer   *llm.Answer // to the newest request; nil: not there yet
}

// consult gives the model's view of what is about to be diagnosed. Not known
// yet: it is asked, and waited for, and nothing else happens meanwhile. A model
// that is known not to be there is not waited for at all. What was not asked is
// an answer without a word.
func (w *World) consult(s *svc, dx runbook.Diagnosis, now time.Time) (answer llm.Answer, known bool) {
	c, about := &s.consulting, diagnosis(dx)
	if c.incident != s.incident.ID || c.about != about && c.lapsed(w.cfg.LLM.Timeout, now) {
		*c = consulting{request: c.request, incident: s.incident.ID}
	}
	answered := func(a llm.Answer) (llm.Answer, bool) {
		*c = consulting{request: c.request, incident: c.incident}
		return a, true
	}
	switch {
	case !w.asksModel(s, dx):
		return answered(llm.Answer{})
	case c.about == about && c.answer != nil:
		return answered(*c.answer)
	case c.about == about && now.Sub(c.since) > w.cfg.LLM.Timeout+lateAnswer:
		return answered(llm.Answer{Code: event.InvalidLate, Invalid: fmt.Sprintf("it did not answer within %s", w.cfg.LLM.Timeout)})
	case c.about == about:
		return llm.Answer{}, false
	case !w.model.Ready:
		return answered(llm.Answer{Code: w.model.Code, Invalid: w.model.Why})
	case c.since.IsZero() && w.questions(now) >= mostQuestions:
		return answered(llm.Answer{Code: event.InvalidUnreachable, Invalid: fmt.Sprintf("it is busy with queries about %d other services", mostQuestions)})
	case c.since.IsZero():
		c.since = now
	}
	c.request++
	c.about, c.answer = about, nil
	w.emit(Ask{Service: s.def.Name, Incident: s.incident.ID, Request: c.request, Deadline: c.since.Add(w.cfg.LLM.Timeout),
		Question: llm.Question{Service: s.def.Name, Note: s.def.Note, Facts: dx.Facts, Logs: s.look.logs, Legal: dx.Legal, NotOffered: dx.NotOffered}})
	return llm.Answer{}, false
}

// lapsed says whether a question was left behind: its answer came and was not
// needed, or its time is over. What is asked next has a time of its own.
func (c *consulting) lapsed(limit time.Duration, now time.Time) bool {
	return c.answer != nil || !c.since.IsZero() && now.Sub(c.since) > limit+lateAnswer
}

// questions is how many are under way.
func (w *World) questions(now time.Time) int {
	n := 0
	for _, s := range w.services {
		if c := &s.consulting; s.open() && c.incident == s.incident.ID && !c.since.IsZero() && !c.lapsed(w.cfg.LLM.Timeout, now) {
			n++
		}
	}
	return n
}

// asksModel says whether the model has a say in this diagnosis: not where there
// is nothing to do, not where an operator has decided, and with reflex not where
// the cause is proven and its repair loses nothing.
func (w *World) asksModel(s *svc, dx runbook.Diagnosis) bool {
	switch {
	case w.cfg.Decide == DecideRunbook, forcedAction(s.incident) != "", dx.Action == service.ActionNone:
		return false
	case w.cfg.Reflex && runbook.Tier0(dx.Action) && dx.Confidence >= proven:
		return false
	}
	return true
}

// diagnosis is what a question was about: while it stays the same, so does the
// question.
func diagnosis(dx runbook.Diagnosis) string {
	return fmt.Sprintf("%q %q %q %q", dx.Cause, dx.Action, dx.Legal, dx.NotOffered)
}

// answered takes the model's answer, unless something else was asked since.
func (w *World) answered(in Answered, now time.Time) {
	s := w.services[in.Service]
	if s == nil || in.Request != s.consulting.request || in.Incident != s.consulting.incident {
		return
	}
	s.consulting.answer = &in.Answer
	w.touch(s, now)
}

// stand puts the model's view beside the runbook's, and says whose was used: a
// valid choice by the model is. If it timed out, is not legal, or declines while
// a repair is available, the runbook decides. A cause that the facts prove stays
// as it is, in whatever words the model agrees, and so does its repair.
func stand(d *event.Diagnosed, model string, answer llm.Answer) (by string) {
	d.Prompt, d.Raw, d.Reasoning, d.Model = answer.Prompt, answer.Raw, answer.Reasoning, answer.Opinion
	d.InvalidCode, d.Invalid = answer.Code, answer.Invalid
	choice := answer.Opinion
	if answer.Prompt != "" {
		d.Asked = model
	}
	switch {
	case choice == nil:
		return event.ByRunbook
	case !slices.ContainsFunc(d.Legal, func(c event.Choice) bool { return c.Action == choice.Action }):
		d.InvalidCode, d.Invalid = event.InvalidIllegal, fmt.Sprintf("it chose %q, which is not legal here", clip(choice.Action, 80))
		d.Model = nil
		return event.ByRunbook
	case noOpinion(d.Action, choice.Action):
		d.InvalidCode = event.InvalidNoOpinion
		return event.ByRunbook
	case d.Confidence >= proven && choice.Action != d.Action:
		d.InvalidCode = event.InvalidOverruled
		return event.ByRunbook
	}
	d.Action = choice.Action
	if d.Confidence < proven && choice.Cause != "" {
		d.Cause, d.CausePast, d.Confidence = choice.Cause, "", choice.Confidence // the model gives one tense
	}
	return event.ByModel + model
}

// noOpinion says whether a model's choice counts as none: it would do nothing
// while a repair is left that is legal and was not tried, or leave a person
// uncalled whom the runbook would call.
func noOpinion(runbooks, models string) bool {
	switch models {
	case service.ActionNone:
		return runbooks != service.ActionNone
	case service.ActionEscalate:
		return runbooks != service.ActionNone && runbooks != service.ActionEscalate
	}
	return false
}

// sameDiagnosis says whether the runbook finds the same as when a diagnosis was
// written, whoever's view stood then.
func sameDiagnosis(before event.Diagnosed, dx runbook.Diagnosis) bool {
	view := runbooksView(before)
	return view.Cause == dx.Cause && view.Action == dx.Action && slices.Equal(before.Legal, dx.Legal) && slices.Equal(before.NotOffered, dx.NotOffered)
}

// runbooksView is what the runbook held when a diagnosis was written.
func runbooksView(d event.Diagnosed) event.Opinion {
	if d.Runbook != nil {
		return *d.Runbook
	}
	return event.Opinion{Cause: d.Cause, Action: d.Action, Confidence: d.Confidence}
}
