package healer

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"logstream/healer/action"
	"logstream/healer/gate"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Kind is what a decision does.
type Kind int

// The kinds of decisions.
const (
	DoWait    Kind = iota // nothing: something comes by itself
	DoAppend              // an event is appended to the incident
	DoHold                // a gate holds the incident: appended once per change of reason
	DoInspect             // the container is inspected
	DoCollect             // what may be known beside the inspection is looked up
	DoCheck               // services that this one depends on are checked
	DoQuery               // the model is queried
	DoExecute             // the call of the intent that was confirmed is made
)

// Decision is the one thing to do next about a service.
type Decision struct {
	Kind    Kind
	By      string       // DoAppend: who decides
	Data    event.Data   // DoAppend
	Verdict gate.Verdict // DoHold
	Check   []string     // DoCheck: their names
	Query   query        // DoQuery
}

// evidenceEach is how often evidence is written again from which nothing follows.
const evidenceEach = time.Minute

func wait() Decision { return Decision{} }

func write(by string, data event.Data) Decision {
	return Decision{Kind: DoAppend, By: by, Data: data}
}

// Plan decides the one next thing about a service. It is pure: the same view
// gives the same decision, and it changes nothing.
func Plan(v View) Decision {
	switch {
	case v.Removed:
		return planRemoval(v)
	case v.Incident == nil || v.Incident.State == state.Resolved:
		return planOpening(v)
	}
	if d, is := planPutBack(v); is {
		return d
	}
	if d, is := planUndoing(v); is {
		return d
	}
	if last, acted := v.Incident.Last(event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified); acted {
		switch data := last.Data.(type) {
		case event.ActionStarted:
			return planExecution(v, data)
		case event.ActionFinished:
			switch {
			case data.OK:
				return planVerification(v, data)
			case data.Outcome == event.OutcomeUnknown && newestButAcknowledged(v.Incident).Seq == last.Seq:
				return write(event.ByGuard, event.Escalated{Reason: unknownEffect(data)})
			}
		case event.Verified:
			if data.OK && !goesOn(v) {
				return planHealed(v, data)
			}
		}
	}
	return planRepair(v)
}

// acts says whether a call is under way, or being verified.
func (v View) acts() bool {
	if v.Incident == nil {
		return false
	}
	last, acted := v.Incident.Last(event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
	finished, done := last.Data.(event.ActionFinished)
	return acted && (last.Type == event.TypeActionStarted || done && finished.OK)
}

func planOpening(v View) Decision {
	switch {
	case v.ByHand != nil:
		return openByHand(v, *v.ByHand)
	case v.Status.Good() && opensUpdate(v):
		return openUpdate(v)
	case v.Status.Value != event.Down:
		return wait()
	}
	return write(event.ByLogstream, event.Opened{Error: v.Status.Error, Check: v.Status.Decided.Check,
		Instance: v.Status.Decided.Instance, FirstBad: v.Status.FirstBad, Kind: "service"})
}

// planRemoval ends the incident of a service that is no longer configured, once
// no call is under way.
func planRemoval(v View) Decision {
	if v.Incident == nil || v.Incident.State == state.Resolved {
		return wait()
	}
	if last, acted := v.Incident.Last(event.TypeActionStarted, event.TypeActionFinished); acted && last.Type == event.TypeActionStarted {
		return planExecution(v, last.Data.(event.ActionStarted))
	}
	return resolve(v, event.HowOperator, v.Now)
}

// planRepair decides what is next while no call runs and none is verified.
func planRepair(v View) Decision {
	if verdict := gate.Check(gate.Journal, v.Situation); !verdict.Passes() {
		return held(v, verdict)
	}
	requested := v.Forced != "" && v.Incident.State == state.Open && !refuses(v.Incident)
	accused := accusesUpdate(v)
	if !requested && !accused && v.Status.Good() && !v.Situation.LevelDown && v.GoodRun.n >= verifyNeeded(v.Config, v.Def) {
		if v.Status.Flapping() {
			return heldIfOpen(v, gate.Flapping())
		}
		return resolve(v, event.HowRecovered, v.GoodRun.first)
	}
	if v.Status.Value != event.Down && v.Forced == "" && !accused {
		return wait() // it answers again: the window decides
	}
	if verdict := gate.Check(gate.Change, v.Situation); !verdict.Passes() {
		return heldIfOpen(v, verdict)
	}
	escalated := v.Incident.State == state.Escalated
	if verdict := gate.Check(gate.Witness, v.Situation); !verdict.Passes() {
		if awaitsProof(v, verdict) {
			return Decision{Kind: DoInspect}
		}
		return heldIfOpen(v, verdict)
	}
	if !escalated && !v.Situation.LevelDown {
		if checks, due := planChecks(v); due {
			return checks
		}
	}
	if incomplete, is := planFacts(v); is {
		return incomplete
	}
	if escalated && !reopens(v) {
		return wait()
	}
	return planDiagnosis(v)
}

// planFacts is what is to be done before the facts are complete.
func planFacts(v View) (Decision, bool) {
	if v.Def.Container == "" {
		return Decision{}, false
	}
	if d, due := planInspection(v); due {
		return d, true
	}
	if !v.Inspection.full {
		return Decision{Kind: DoInspect}, true // it was made while all was well, without its log
	}
	if ambiguous := ambiguity(v.Inspection.err); ambiguous != nil {
		if v.Incident.State != state.Open {
			return wait(), true
		}
		return write(event.ByGuard, event.Escalated{Reason: ambiguous.Error()}), true
	}
	if verdict := gate.Check(gate.Target, v.Situation); !verdict.Passes() {
		return heldIfOpen(v, verdict), true
	}
	if !v.Decidable {
		return wait(), true
	}
	return planCollection(v)
}

// reopens says whether an escalated incident is taken up again: the facts prove
// another cause than what a person was called for, whose repair loses nothing
// and is not held.
func reopens(v View) bool {
	before, known := v.Incident.Last(event.TypeDiagnosed)
	if !known || !anotherCause(before.Data.(event.Diagnosed), v.Diagnosis) || isForgotten(v, before.Data.(event.Diagnosed)) {
		return false
	}
	return gate.Check(gate.Repair, v.situationFor(v.Diagnosis.Action)).Passes()
}

// anotherCause says whether the facts prove another cause than what a person was
// called for, whose repair loses nothing.
func anotherCause(before event.Diagnosed, dx runbook.Diagnosis) bool {
	return dx.Wait == "" && !isSameCause(before, dx) && action.Lossless(dx.Action)
}

// isForgotten says whether a job had finished, and only the events of its end are no
// longer known.
func isForgotten(v View, before event.Diagnosed) bool {
	return before.CauseID == "finished" && v.Diagnosis.CauseID == "ended_unwatched" && v.Inspection.state.ExitCode == 0
}

// planDiagnosis writes what was found and what is to be done, one event at a time.
func planDiagnosis(v View) Decision {
	dx := v.Diagnosis
	if verdict := gate.Check(gate.Finding, v.Situation); !verdict.Passes() {
		return held(v, verdict)
	}
	if chosen, stands := approvalStands(v); stands {
		return planAction(v, chosen)
	}
	evidence, written := v.Incident.Last(event.TypeEvidence)
	if !written || !slices.EqualFunc(decisive(evidence.Data.(event.Evidence).Facts), decisive(dx.Facts), isSameFact) {
		if written && changesNothing(v, evidence) {
			return wait()
		}
		if again, due := planAgain(v); due {
			return again
		}
		return write(event.ByLogstream, event.Evidence{Facts: dx.Facts, Logs: v.Inspection.logs.lines, Truncated: v.Inspection.logs.truncated, FirstSeen: v.Inspection.logs.firstSeen})
	}
	before, written := v.Incident.Last(event.TypeDiagnosed)
	if !written || !v.isDiagnosed(before.Data.(event.Diagnosed)) {
		return planConsultation(v, dx)
	}
	return planAction(v, before.Data.(event.Diagnosed).Action)
}

// planAction is what follows from the action that was chosen.
func planAction(v View, chosen string) Decision {
	switch chosen {
	case service.ActionNone:
		return held(v, gate.None(v.Diagnosis.Why))
	case service.ActionEscalate:
		return write(decider(v.Incident), event.Escalated{Reason: escalation(v)})
	}
	verdict := gate.Check(gate.Repair, v.situationFor(chosen))
	switch {
	case verdict.Passes():
		if checks, due := planChecks(v); due && !action.Lossless(chosen) {
			return checks
		}
		return planApproval(v, intent(v, chosen))
	case verdict.Escalate != "":
		return write(event.ByGuard, event.Escalated{Reason: verdict.Escalate, Code: verdict.Code})
	}
	return held(v, verdict)
}

// changesNothing says that the facts may read otherwise, and nothing follows
// from it: the same gate holds the incident for the same reason. What flaps is
// then written once in evidenceEach.
func changesNothing(v View, evidence event.Incident) bool {
	if v.Incident.Held == "" || v.Now.Sub(evidence.Time) >= evidenceEach {
		return false
	}
	diagnosed, known := v.Incident.Last(event.TypeDiagnosed)
	if !known || diagnosed.Seq < evidence.Seq {
		return false
	}
	chosen := v.Diagnosis.Action
	if stands := diagnosed.Data.(event.Diagnosed); v.isDiagnosed(stands) {
		chosen = stands.Action
	}
	next := planAction(v, chosen)
	return next.Kind == DoHold && v.holds(next.Verdict)
}

// intent is the action's intent, with the target pinned as it was inspected.
func intent(v View, chosen string) event.ActionStarted {
	c := v.Target.State
	a, _ := action.ByName(chosen)
	params, undo, _ := a.Prepare(v.Target)
	return event.ActionStarted{Attempt: v.Incident.Attempts + 1, Action: chosen, Target: v.Def.Name, Command: a.CommandLine(v.CLI, v.Target, params),
		Pins: pinned(v), Expires: v.Now.Add(a.Timeout(c.StopTimeout)).UTC(), Verify: verifyNeeded(v.Config, v.Def),
		Params: orNone(params), Undo: undo, UndoCommand: undoCommand(v, a, undo), FirstBad: v.Status.FirstBad.UTC()}
}

// orNone are an action's parameters; nil where it has none.
func orNone(p event.Params) *event.Params {
	if reflect.ValueOf(p).IsZero() {
		return nil
	}
	return &p
}

// situationFor is the situation in which an action is to be taken.
func (v View) situationFor(chosen string) gate.Situation {
	s := v.Situation
	s.Action = chosen
	return s
}

// holds says whether the incident is held so already. What was to end by now, and
// goes on, is another hold.
func (v View) holds(verdict gate.Verdict) bool {
	in := v.Incident
	longer := in.HeldUntil != nil && verdict.Until != nil && !v.Now.Before(*in.HeldUntil) && verdict.Until.After(*in.HeldUntil)
	return in.Held == verdict.Gate && in.HeldReason == verdict.Reason && !longer
}

// held is a gate's verdict as a decision.
func held(v View, verdict gate.Verdict) Decision {
	if verdict.Wait {
		return wait()
	}
	return Decision{Kind: DoHold, Verdict: verdict}
}

// heldIfOpen writes nothing about an incident that a person has been called for.
func heldIfOpen(v View, verdict gate.Verdict) Decision {
	if v.Incident.State != state.Open {
		return wait()
	}
	return held(v, verdict)
}

// decisive are the facts that decide: evidence is written again when they change.
func decisive(facts []event.Fact) []event.Fact {
	return slices.DeleteFunc(slices.Clone(facts), func(f event.Fact) bool { return !f.Decisive })
}

// isSameFact compares what was found, and not the words about it.
func isSameFact(a, b event.Fact) bool { return a.Key == b.Key && a.Value == b.Value }

func decider(in *state.Incident) string {
	if in.DecidedBy != "" {
		return in.DecidedBy
	}
	return event.ByRunbook
}

func ambiguity(err error) *container.AmbiguousError {
	var ambiguous *container.AmbiguousError
	if errors.As(err, &ambiguous) {
		return ambiguous
	}
	return nil
}
