package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/healer/action"
	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Approvals: which actions wait for an operator, for what exactly, and what
// becomes of it. What is known of one is on the log alone, so a new life of the
// process goes on waiting where the last one was.

// approval is the request that stands in an incident.
type approval struct {
	request  event.ApprovalRequested
	seq      int       // of the request in its incident
	at       time.Time // of the request
	approved bool
	answered time.Time // when it was approved
}

// approvalOf is the request that stands, and whether there is one. It stands
// while nothing else was written of the incident: what was written since (a gate
// that held it, other evidence, another cause, a denial) has ended it, and an
// answer to it counts for nothing.
func approvalOf(in *state.Incident) (approval, bool) {
	return newestRequest(in, event.TypeAcknowledged, event.TypeApproved)
}

// newestRequest is the newest request that only events of those types follow.
func newestRequest(in *state.Incident, followed ...event.Type) (approval, bool) {
	var a approval
	for i := len(in.Events) - 1; i >= 0; i-- {
		e := in.Events[i]
		if request, is := e.Data.(event.ApprovalRequested); is {
			a.request, a.seq, a.at = request, e.Seq, e.Time
			return a, true
		}
		if !slices.Contains(followed, e.Type) {
			break
		}
		if e.Type == event.TypeApproved {
			a.approved, a.answered = true, e.Time
		}
	}
	return approval{}, false
}

// covers says whether the request is for that intent: the same action, with the
// same parameters, on the container as it was. A container that its restart
// policy starts again and again is in another life each time; what is approved
// of it is the action on that container, image and specification.
func (a approval) covers(next event.ActionStarted, looping bool) bool {
	asked, now := a.request.Pins, next.Pins
	if looping {
		asked.StartedAt, asked.State = now.StartedAt, now.State
	}
	return a.request.Action == next.Action && sameParams(a.request.Params, next.Params) && asked.ContainerID == now.ContainerID &&
		asked.ImageID == now.ImageID && asked.SpecHash == now.SpecHash && asked.StartedAt.Equal(now.StartedAt) && asked.State == now.State
}

// lapsed says whether an approval was not executed while the request was
// valid, as after an outage of this process: its operator no longer expects it.
func (a approval) lapsed(now time.Time) bool {
	return a.approved && now.After(later(a.request.Expires, a.answered.Add(commandAge)))
}

func sameParams(a, b *event.Params) bool {
	if a == nil || b == nil {
		return a == b
	}
	return string(event.Encode(*a)) == string(event.Encode(*b))
}

// needsApproval says whether an operator is asked before an action, and why. One
// that an operator has named is approved by that.
func needsApproval(v View, chosen string) (reason string, needed bool) {
	a, _ := action.ByName(chosen)
	switch {
	case isProposed(v.Incident, chosen):
		return proposalReason(v.Incident), true
	case reopenedByProposal(v.Incident):
		return "a person was called about this incident, and a proposal opened it again: each repair waits for an operator's approval", true
	case v.Forced == chosen:
		return "", false
	case v.Situation.Mode == service.Approve:
		return "the mode is approve: each repair waits for an operator's approval", true
	case a.NeedsApproval(v.Def):
		return fmt.Sprintf("%s changes the container itself, and heal.actions does not list it: an operator has to approve it", chosen), true
	}
	return "", false
}

// planApproval goes from an action that no gate holds to its intent, through an
// operator's approval where it needs one.
func planApproval(v View, next event.ActionStarted) Decision {
	reason, needed := needsApproval(v, next.Action)
	if !needed {
		return write(decider(v.Incident), next)
	}
	standing, is := approvalOf(v.Incident)
	switch {
	case proposalExpired(v.Incident, v.Now): // a person was called before it: the incident is as it was then
		return write(event.ByGuard, event.Escalated{Reason: fmt.Sprintf("No operator approved the proposed action %s in time.", next.Action)})
	case !is || !standing.covers(next, v.Status.Looping()) || standing.lapsed(v.Now):
		return write(event.ByGuard, request(v, next, reason))
	case standing.approved:
		return write(decider(v.Incident), next)
	case !v.Now.Before(standing.request.Expires):
		return write(event.ByGuard, event.Escalated{Reason: fmt.Sprintf("No operator approved %s within %s.", next.Action, short(v.Config.ApprovalTimeout))})
	}
	return wait()
}

// request asks for the approval of an intent. Where the same was requested and
// only the cause reads otherwise, the time for an answer is not begun anew.
func request(v View, next event.ActionStarted, reason string) event.ApprovalRequested {
	a, _ := action.ByName(next.Action)
	expires := v.Now.Add(v.Config.ApprovalTimeout).UTC()
	before, is := newestRequest(v.Incident, event.TypeAcknowledged, event.TypeEvidence, event.TypeDiagnosed)
	if is && before.covers(next, v.Status.Looping()) && v.Now.Before(before.request.Expires) {
		expires = before.request.Expires
	}
	return event.ApprovalRequested{Action: next.Action, Target: next.Target, Command: next.Command, Undo: next.UndoCommand, Cost: a.Cost, Reason: reason,
		Expires: expires, Pins: next.Pins, Params: next.Params}
}

// approvalStands is the action whose request stands for what would be requested
// now, and whether there is one: facts may read otherwise meanwhile, and nothing
// follows from that. Another cause with the same repair is written, and
// requested, once in evidenceEach.
func approvalStands(v View) (chosen string, stands bool) {
	standing, is := approvalOf(v.Incident)
	diagnosed, known := v.Incident.Last(event.TypeDiagnosed)
	if !is || !known || v.hasEnded(diagnosed.Data.(event.Diagnosed)) {
		return "", false
	}
	if chosen = v.Diagnosis.Action; v.isDiagnosed(diagnosed.Data.(event.Diagnosed)) {
		chosen = diagnosed.Data.(event.Diagnosed).Action
	} else if v.Now.Sub(standing.at) >= evidenceEach {
		return "", false
	}
	if _, known := action.ByName(chosen); !known || v.Inspection.err != nil {
		return "", false
	}
	return chosen, standing.covers(intent(v, chosen), v.Status.Looping())
}

// denials are the actions that operators denied in the incident: they are not
// offered again in it.
func denials(in *state.Incident) []event.Refusal {
	if in == nil {
		return nil
	}
	var list []event.Refusal
	asked := ""
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.ApprovalRequested:
			asked = data.Action
		case event.Denied:
			why := "denied by " + name(e.By)
			if data.Reason != "" {
				why += ": " + data.Reason
			}
			if asked != "" {
				list = append(list, event.Refusal{Action: asked, Why: why})
			}
		}
	}
	return list
}

// denied is the newest denial of what is not offered for that, where there is one.
func denied(v View, dx runbook.Diagnosis) (event.Refusal, bool) {
	all := denials(v.Incident)
	for i := len(all) - 1; i >= 0; i-- {
		if slices.Contains(dx.NotOffered, all[i]) {
			return all[i], true
		}
	}
	return event.Refusal{}, false
}
