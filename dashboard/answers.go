package dashboard

import (
	"fmt"
	"net/http"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

// What operators answer about one incident.

// named is the incident that a command is about; where there is none it is
// answered for.
func (r *run) named(w http.ResponseWriter, req *http.Request) (view.IncidentDetail, bool) {
	id := req.PathValue("id")
	var detail view.IncidentDetail
	var is bool
	if !r.fetch(w, req, func(l *loop) { detail, is = l.fleet.Incident(id, now()) }) {
		return detail, false
	}
	if !is {
		failf(w, http.StatusNotFound, "unknown incident %s", quoted(id))
	}
	return detail, is
}

func shortEnough(w http.ResponseWriter, reason string) bool {
	if len([]rune(reason)) > maxReason {
		failf(w, http.StatusBadRequest, `"reason" is longer than %d characters`, maxReason)
		return false
	}
	return true
}

// answerRequest approves or denies.
type answerRequest struct {
	Reason string `json:"reason"`
	// Request is the one that the operator has seen; absent: the one that waits now.
	Request int `json:"request"`
}

// postAnswer approves or denies what waits for approval.
func (r *run) postAnswer(command string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var ask answerRequest
		if !r.command(w, req, &ask) || !shortEnough(w, ask.Reason) {
			return
		}
		in, is := r.named(w, req)
		if !is {
			return
		}
		switch {
		case in.Approval == nil:
			failf(w, http.StatusConflict, "nothing waits for approval in this incident: %s", standing(in.Incident))
		case !now().Before(in.Approval.Expires):
			fail(w, http.StatusConflict, "the request for approval has expired")
		case ask.Request != 0 && ask.Request != in.Approval.Request:
			failf(w, http.StatusConflict, "the situation changed, and approval is requested anew, for %s: review the incident", in.Approval.Action)
		default:
			r.issue(w, req, in.Service, command, event.CommandArgs{Incident: in.ID, Reason: ask.Reason, Request: in.Approval.Request})
		}
	}
}

// standing is where an incident stands, for an answer.
func standing(in view.Incident) string {
	if in.Held != "" && in.State == state.Open {
		return fmt.Sprintf("it is held by gate %q", in.Held)
	}
	return "it is " + in.State
}

// undoRequest undoes a repair.
type undoRequest struct {
	Attempt int    `json:"attempt"` // absent: the newest that can be undone
	Reason  string `json:"reason"`
}

func (r *run) postUndo(w http.ResponseWriter, req *http.Request) {
	var ask undoRequest
	if !r.command(w, req, &ask) || !shortEnough(w, ask.Reason) {
		return
	}
	in, is := r.named(w, req)
	if !is {
		return
	}
	if ask.Attempt < 0 {
		fail(w, http.StatusBadRequest, `"attempt" must be the number of an attempt, such as 1`)
		return
	}
	why := event.RefusedUnknown
	if !r.fetch(w, req, func(l *loop) { why = l.fleet.Undoable(in.ID, ask.Attempt) }) {
		return
	}
	switch why {
	case "":
		r.issue(w, req, in.Service, event.CommandUndo, event.CommandArgs{Incident: in.ID, Attempt: ask.Attempt, Reason: ask.Reason})
	case event.RefusedUnknown:
		failf(w, http.StatusConflict, "this incident has no attempt %d", ask.Attempt)
	case event.RefusedDuplicate:
		fail(w, http.StatusConflict, "it was undone already, or is being undone")
	default:
		fail(w, http.StatusConflict, "nothing was done that can be undone")
	}
}

// acknowledgeRequest stops the repeated notifications of an incident.
type acknowledgeRequest struct {
	Reason string `json:"reason"`
}

func (r *run) postAcknowledge(w http.ResponseWriter, req *http.Request) {
	var ask acknowledgeRequest
	if !r.command(w, req, &ask) || !shortEnough(w, ask.Reason) {
		return
	}
	in, is := r.named(w, req)
	switch {
	case !is:
	case in.State == state.Resolved:
		fail(w, http.StatusConflict, "the incident is resolved already")
	case in.Acknowledged != nil:
		failf(w, http.StatusConflict, "the incident was acknowledged already, by %s", in.Acknowledged.By)
	default:
		r.issue(w, req, in.Service, event.CommandAcknowledge, event.CommandArgs{Incident: in.ID, Reason: ask.Reason})
	}
}
