package healer

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/text"
)

const (
	// mostQueries is how many are under way at once: a model on this machine answers
	// them one after the other, and a later query would wait in vain.
	mostQueries = 4

	proven     = 0.9             // how sure the runbook is of a cause that the facts prove
	lateAnswer = 3 * time.Second // an outcome that is missing so long after its deadline never comes
	maxShown   = 80              // bytes of a choice that is not legal
)

// consultation is what the model is queried about a service, before its
// diagnosis is written. A new life queries again: nothing was written yet.
type consultation struct {
	request  int // the newest
	incident string
	about    string      // what was diagnosed when it was queried
	since    time.Time   // of the first query before the diagnosis is written, and the deadline of all counts from it; zero: none
	answer   *llm.Answer // to the newest request; nil: not there yet
}

// query is one to be made.
type query struct {
	next     consultation // with it under way; its request is counted when it is made
	question llm.Question
	deadline time.Time
}

// planConsultation writes what is held to be the cause and what is to be done
// about it, once the model's view is known, where it has one. Not known yet: it
// is queried, and waited for, and nothing else happens meanwhile. A model that is
// known not to be there is not waited for at all.
func planConsultation(v View, dx runbook.Diagnosis) Decision {
	c, about := v.Consultation, subject(dx)
	if c.incident != v.Incident.ID || c.about != about && c.lapsed(v.Config.LLM.Timeout, v.Now) {
		c = consultation{incident: v.Incident.ID}
	}
	switch {
	case !consultsModel(v, dx):
		return diagnosed(v, dx, llm.Answer{})
	case c.about == about && c.answer != nil:
		return diagnosed(v, dx, *c.answer)
	case c.about == about && v.Now.Sub(c.since) > v.Config.LLM.Timeout+lateAnswer:
		return diagnosed(v, dx, llm.Answer{Code: event.InvalidLate, Invalid: fmt.Sprintf("it did not answer within %s", v.Config.LLM.Timeout)})
	case c.about == about:
		return wait()
	case !v.Model.Ready:
		return diagnosed(v, dx, llm.Answer{Code: v.Model.Code, Invalid: v.Model.Why})
	case c.since.IsZero() && v.OpenQueries >= mostQueries:
		return diagnosed(v, dx, llm.Answer{Code: event.InvalidUnreachable, Invalid: fmt.Sprintf("it is busy with queries about %d other services", mostQueries)})
	case c.since.IsZero():
		c.since = v.Now
	}
	c.about, c.answer = about, nil
	return Decision{Kind: DoQuery, Query: query{next: c, deadline: c.since.Add(v.Config.LLM.Timeout),
		question: llm.Question{Service: v.Def.Name, Note: v.Def.Note, Facts: dx.Facts, Logs: v.Inspection.logs.lines, New: event.Evidence{FirstSeen: v.Inspection.logs.firstSeen}.NewLines(), Legal: dx.Legal, NotOffered: dx.NotOffered}}}
}

// lapsed says whether a query was left behind: its answer came and was not
// needed, or its time is over. What is queried next has a time of its own.
func (c *consultation) lapsed(limit time.Duration, now time.Time) bool {
	return c.answer != nil || !c.since.IsZero() && now.Sub(c.since) > limit+lateAnswer
}

// openQueries is how many queries are under way; it forgets the others.
func openQueries(c *Controller, now time.Time) int {
	maps.DeleteFunc(c.queried, func(name string, _ bool) bool {
		s := c.services[name]
		return s == nil || !s.open() || s.consultation.incident != s.incident.ID || s.consultation.since.IsZero() ||
			s.consultation.lapsed(c.config.LLM.Timeout, now)
	})
	return len(c.queried)
}

// consultsModel says whether the model is queried about this diagnosis: not where
// there is nothing to do, not where an operator has decided, and with reflex not
// where the cause is proven and its repair loses nothing.
func consultsModel(v View, dx runbook.Diagnosis) bool {
	switch {
	case v.Config.Decide == DecideRunbook, v.Forced != "", dx.Action == service.ActionNone:
		return false
	case v.Config.Reflex && action.Lossless(dx.Action) && dx.Confidence >= proven:
		return false
	}
	return true
}

// subject is what a query is about: while it stays the same, so does the query.
func subject(dx runbook.Diagnosis) string {
	return fmt.Sprintf("%q %q %q %q", dx.CauseID, dx.Action, dx.Legal, dx.NotOffered)
}

// diagnosed puts the model's view beside the runbook's, and lets one of them
// stand, or what a program proposed.
func diagnosed(v View, dx runbook.Diagnosis, answer llm.Answer) Decision {
	d := runbooks(v, dx)
	by := chooseView(&d, v.Config.LLM.Model, answer)
	if v.Proposed && v.Forced != "" && d.Action == v.Forced {
		opened, _ := v.Incident.Last(event.TypeOpened)
		by, d.Proposed = opened.By, opened.Data.(event.Opened).Proposed
	}
	return write(by, withCommand(v, d))
}

// runbooks is the runbook's view of a diagnosis.
func runbooks(v View, dx runbook.Diagnosis) event.Diagnosed {
	return event.Diagnosed{CauseID: dx.CauseID, Cause: dx.Cause, CausePast: dx.CausePast, Action: dx.Action, Target: v.Def.Name,
		Confidence: dx.Confidence, Legal: dx.Legal, NotOffered: dx.NotOffered,
		Runbook: &event.Opinion{Cause: dx.Cause, Action: dx.Action, Confidence: dx.Confidence, Why: dx.Why}}
}

// withCommand is a diagnosis with what a person would type for its action.
func withCommand(v View, d event.Diagnosed) event.Diagnosed {
	if a, known := action.ByName(d.Action); known {
		params, _, _ := a.Prepare(v.Target)
		d.Command = a.CommandLine(v.CLI, v.Target, params)
	}
	return d
}

// chooseView says whose view was used: a valid choice by the model is. If it timed
// out, is not legal, or declines while a repair is available, the runbook
// decides. A cause that the facts prove stays as it is, in whatever words the
// model agrees, and so does its repair.
func chooseView(d *event.Diagnosed, model string, answer llm.Answer) (by string) {
	d.Prompt, d.Raw, d.Reasoning, d.Invalid, d.InvalidCode, d.Model = answer.Prompt, answer.Raw, answer.Reasoning, answer.Invalid, answer.Code, answer.Opinion
	choice := answer.Opinion
	if answer.Prompt != "" {
		d.Asked = model
	}
	switch {
	case choice == nil:
		return event.ByRunbook
	case !slices.ContainsFunc(d.Legal, func(c event.Choice) bool { return c.Action == choice.Action }):
		d.Invalid, d.InvalidCode = fmt.Sprintf("it chose %q, which is not legal here", text.Clip(choice.Action, maxShown)), event.InvalidIllegal
		d.Model = nil
		return event.ByRunbook
	case declines(d.Action, choice.Action):
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

// declines says whether a model's choice counts as no opinion: it would do
// nothing while a repair is left that is legal and was not tried, or leave a
// person uncalled whom the runbook would call.
func declines(runbooks, models string) bool {
	switch models {
	case service.ActionNone:
		return runbooks != service.ActionNone
	case service.ActionEscalate:
		return runbooks != service.ActionNone && runbooks != service.ActionEscalate
	}
	return false
}

// isSameDiagnosis says whether the runbook finds the same as when a diagnosis
// was written, whichever view was used then: codes are compared, not words.
func isSameDiagnosis(before event.Diagnosed, dx runbook.Diagnosis) bool {
	first := before.Action
	if before.Runbook != nil {
		first = before.Runbook.Action
	}
	return isSameCause(before, dx) && first == dx.Action &&
		slices.EqualFunc(before.Legal, dx.Legal, func(a, b event.Choice) bool { return a.Action == b.Action }) &&
		slices.EqualFunc(before.NotOffered, dx.NotOffered, func(a, b event.Refusal) bool { return a.Action == b.Action })
}

// isSameCause says whether the runbook finds the same cause; in a record
// without ids, by its sentence.
func isSameCause(before event.Diagnosed, dx runbook.Diagnosis) bool {
	cause := budget.CauseOf(before)
	return cause == dx.CauseID || before.CauseID == "" && cause == dx.Cause
}
