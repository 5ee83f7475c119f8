package healer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/healer/gate"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
	"logstream/internal/text"
)

// Proposals: a repair that a program proposes, such as an assistant. The gates
// hold it as they hold what LogStream chooses, and it waits for an operator's
// approval whatever its tier and the mode. It never delays LogStream's own repairs:
// while LogStream is about to act by itself a proposal is refused; when a service
// that was UP goes DOWN, or does worse since its image was changed, its proposal
// ends. After a proposal in an incident that a person was called for, nothing is done
// without approval.

// propose begins to ask for the approval of an action: in the incident of its
// service where that waits for a person or for other facts, else in one that is
// opened for it.
func propose(c *Controller, asked event.Command, now time.Time) error {
	s, name := c.services[asked.Service], asked.Args.Action
	switch {
	case s == nil || s.removed:
		return refuse(event.RefusedUnknown, "propose %s: this host has no service with that name", text.Clip(asked.Service, maxOperator))
	case s.journal.Pending():
		return s.deferred.defers(s, asked)
	case s.byHand != nil:
		return refuse(event.RefusedBusy, "propose %s: an incident is being opened for what an operator asked for", s.def.Name)
	}
	v := newView(c, s, now)
	if s.open() && (v.acts() || !awaitsPerson(s.incident)) {
		return refuse(event.RefusedBusy, "propose %s: LogStream is working on its incident %s (%s); a proposal is taken once that waits for a person", s.def.Name, s.incident.ID, phase(v))
	}
	if s.open() && !v.Decidable || !s.open() && s.def.Container != "" && !s.inspection.isCurrent() {
		s.inspection.stale = s.inspection.stale || !s.inspection.open // what is under way shows it: a program that asks on hinders none
		return refuse(event.RefusedBusy, "propose %s: its container is being inspected; try again in a moment", s.def.Name)
	}
	legal := proposable(v, s.open())
	switch {
	case !slices.Contains(legal, name):
		return illegal(v, s.open(), name, legal)
	case !s.open() && s.status.Value == event.Down:
		return refuse(event.RefusedBusy, "propose %s: it is DOWN, and its incident is being opened; try again in a moment", s.def.Name)
	case !s.open() && opensUpdate(v):
		return refuse(event.RefusedBusy, "propose %s: its checks got worse after its image changed, and LogStream is opening an incident; try again in a moment", s.def.Name)
	}
	if verdict := verdictOn(v, s.open(), name); !verdict.Passes() {
		return heldProposal(s.def.Name, verdict, legal)
	}
	if s.open() {
		return appendFor(c, s, asked, withCommand(v, runbooksFor(v, name, asked)), now)
	}
	s.byHand = &asked
	c.apply(s, View{}, openByHand(v, asked), now)
	return errDeferred
}

// runbooksFor is the diagnosis with the proposed action.
func runbooksFor(v View, name string, asked event.Command) event.Diagnosed {
	d := runbooks(v, v.Diagnosis)
	d.Action, d.Proposed = name, opinion(asked)
	d.Proposed.Cause = d.Cause
	return d
}

func opinion(asked event.Command) *event.Opinion {
	return &event.Opinion{Action: asked.Args.Action, Why: reasonOf(asked)}
}

// awaitsPerson says whether an incident waits for a person, or for other facts:
// LogStream does nothing about it by itself.
func awaitsPerson(in *state.Incident) bool {
	return in.State == state.Escalated || in.Held == gate.None("").Gate
}

// phase is what keeps an incident from a proposal, as a clause.
func phase(v View) string {
	switch {
	case v.acts():
		return "a repair is under way"
	case v.Incident.Held == state.HeldForApproval:
		return "a repair waits for approval already"
	case v.Incident.Held != "":
		return fmt.Sprintf("held by gate %q: %s", v.Incident.Held, v.Incident.HeldReason)
	}
	return "it is being diagnosed"
}

// proposable are the actions that may be proposed now: in an incident those that
// are legal for its cause, else those that are possible and not forbidden.
func proposable(v View, open bool) []string {
	list := []string{}
	for _, name := range service.Actions {
		isRepair := name != service.ActionNone && name != service.ActionEscalate
		legal := slices.ContainsFunc(v.Diagnosis.Legal, func(c event.Choice) bool { return c.Action == name })
		if !open {
			legal = isRepair && !slices.Contains(v.Def.Heal.Never, name) && whyNot(name, v.Target) == ""
		}
		if isRepair && legal {
			list = append(list, name)
		}
	}
	return list
}

// illegal refuses an action with what could be proposed instead.
func illegal(v View, open bool, name string, legal []string) error {
	why := "it is not a repair of the cause that the facts show"
	refused := slices.IndexFunc(v.Diagnosis.NotOffered, func(r event.Refusal) bool { return r.Action == name })
	switch {
	case name == service.ActionNone || name == service.ActionEscalate:
		why = "it repairs nothing"
	case !slices.Contains(service.Actions, name):
		why = "there is no such action"
	case slices.Contains(v.Def.Heal.Never, name):
		why = "heal.never in config.yaml forbids it"
	case open && refused >= 0:
		why = v.Diagnosis.NotOffered[refused].Why
	case whyNot(name, v.Target) != "":
		why = whyNot(name, v.Target)
	}
	could := "no action is legal now"
	if len(legal) > 0 {
		could = "legal now: " + strings.Join(legal, ", ")
	}
	r := refusal{code: event.RefusedIllegal, legal: legal}
	r.why = fmt.Sprintf("propose %s: %s is not legal: %s; %s", v.Def.Name, text.Clip(name, maxOperator), why, could)
	return r
}

// verdictOn is the first gate that holds an action now. Where no incident is open
// there are no attempts and no cause yet; the gates are asked again in it.
func verdictOn(v View, open bool, name string) gate.Verdict {
	s := v.situationFor(name)
	if !open {
		s.Counted, s.NotExecuted, s.Recurrence, s.Change, s.Ended = 0, 0, gate.Recurrence{}, nil, false
		if verdict := gate.Check(gate.Engine, s); !verdict.Passes() {
			return verdict
		}
		return gate.Check(gate.Repair, s)
	}
	for _, stage := range []gate.Stage{gate.Journal, gate.Change, gate.Witness, gate.Engine, gate.Target, gate.Finding, gate.Repair} {
		if verdict := gate.Check(stage, s); !verdict.Passes() {
			return verdict
		}
	}
	return gate.Verdict{}
}

// heldProposal is a gate's verdict as an answer.
func heldProposal(name string, verdict gate.Verdict, legal []string) error {
	r := refusal{code: event.RefusedHeld, legal: legal}
	switch {
	case verdict.Wait:
		r.code, r.why = event.RefusedBusy, "another repair runs on this host; try again in a moment"
	case verdict.Escalate != "":
		r.why = strings.TrimRight(verdict.Escalate, ". ") + "; a person has to repair it"
	default:
		r.why = fmt.Sprintf("held by gate %q: %s", verdict.Gate, verdict.Reason)
	}
	r.why = fmt.Sprintf("propose %s: %s", name, r.why)
	return r
}

// openedByProposal is the beginning of an incident that is opened for a proposal.
func openedByProposal(opened event.Opened, asked event.Command) event.Opened {
	opened.Check, opened.Proposed = event.CheckProposal, opinion(asked)
	opened.Error = proposedBy(event.Incident{By: proposer(asked), Data: opened})
	return opened
}

// proposer is the program that proposed, in the contract's form whatever the
// record says.
func proposer(asked event.Command) string {
	name, is := event.ProposerName(asked.By)
	if !is || name == "" {
		name = "a program"
	}
	return event.ByProposer + text.Clip(name, maxOperator)
}

// openedFor says whether an incident was opened for a proposal.
func openedFor(in *state.Incident) bool {
	opened, known := in.Last(event.TypeOpened)
	return known && opened.Data.(event.Opened).Proposed != nil
}

// proposalStands says whether the proposal for which an incident was opened is to
// be followed still. Once its service is DOWN the incident is one as each other:
// what repairs it does not wait for the proposal's approval. What was diagnosed then
// has ended the proposal for good, also where the service answers again.
func proposalStands(s *serviceState, now time.Time) bool {
	if _, denied := s.incident.Last(event.TypeDenied); denied || s.status.Value == event.Down {
		return false
	}
	if diagnosed, is := s.incident.Last(event.TypeDiagnosed); is && diagnosed.Data.(event.Diagnosed).Proposed == nil {
		return false
	}
	requested, is := s.incident.Last(event.TypeApprovalRequested)
	answer, approved := s.incident.Last(event.TypeApproved)
	return !is || approved && answer.Seq > requested.Seq || now.Before(requested.Data.(event.ApprovalRequested).Expires)
}

// isDiagnosed says whether a diagnosis that was written is still what is found.
// That of a proposal which ended is not.
func (v View) isDiagnosed(before event.Diagnosed) bool {
	return !v.hasEnded(before) && isSameDiagnosis(before, v.Diagnosis)
}

// hasEnded says whether a diagnosis that was written is that of a proposal which has
// ended: the incident was opened for it, or waited for other facts and was not
// approved in time. No person is called about either.
func (v View) hasEnded(before event.Diagnosed) bool {
	switch {
	case before.Proposed == nil:
		return false
	case v.Proposed:
		return v.Forced == ""
	}
	return proposalExpired(v.Incident, v.Now) && !reopenedByProposal(v.Incident)
}

// proposalExpired says whether the approval of what a program proposed last was
// requested, and not given in time. What held the incident meanwhile gives it no more.
func proposalExpired(in *state.Incident, now time.Time) bool {
	diagnosed, is := in.Last(event.TypeDiagnosed)
	if !is || diagnosed.Data.(event.Diagnosed).Proposed == nil {
		return false
	}
	requested, is := in.Last(event.TypeApprovalRequested)
	answer, approved := in.Last(event.TypeApproved)
	return is && requested.Seq > diagnosed.Seq && (!approved || answer.Seq < requested.Seq) && !now.Before(requested.Data.(event.ApprovalRequested).Expires)
}

// isProposed says whether an action is what a program proposed last.
func isProposed(in *state.Incident, chosen string) bool {
	if in == nil {
		return false
	}
	diagnosed, is := in.Last(event.TypeDiagnosed)
	return is && diagnosed.Data.(event.Diagnosed).Proposed != nil && diagnosed.Data.(event.Diagnosed).Action == chosen
}

// proposalReason is why the action of a proposal waits for approval.
func proposalReason(in *state.Incident) string {
	diagnosed, _ := in.Last(event.TypeDiagnosed)
	return proposedBy(diagnosed)
}

// proposedBy says who proposed what and why, of an event that keeps it.
func proposedBy(e event.Incident) string {
	var of *event.Opinion
	switch data := e.Data.(type) {
	case event.Opened:
		of = data.Proposed
	case event.Diagnosed:
		of = data.Proposed
	}
	name, _ := event.ProposerName(e.By)
	said := fmt.Sprintf("%s was proposed by %s", of.Action, name)
	if of.Why != "" {
		said += ": " + of.Why
	}
	return said
}

// reopenedByProposal says whether a person was called about an incident before a
// program proposed something in it.
func reopenedByProposal(in *state.Incident) bool {
	if in == nil {
		return false
	}
	called := false
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.Escalated:
			called = true
		case event.Diagnosed:
			if called && data.Proposed != nil {
				return true
			}
		}
	}
	return false
}

// isByHand says whether a person, or a program, had an incident opened.
func isByHand(by string) bool {
	_, proposed := event.ProposerName(by)
	return proposed || strings.HasPrefix(by, event.ByOperator)
}
