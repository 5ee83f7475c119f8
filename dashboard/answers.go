package dashboard

import (
	"fmt"
	"net/http"
	"strings"

	"logstream/dashboard/public"
	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/state"
	"logstream/internal/text"
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

// incidentCommand reads a command's body into ask, of which reason is a field, and returns
// the incident that the address names. Where it returns false the response is written.
func (r *run) incidentCommand(w http.ResponseWriter, req *http.Request, ask any, reason *string) (view.IncidentDetail, bool) {
	if !r.command(w, req, ask) || !shortEnough(w, *reason) {
		return view.IncidentDetail{}, false
	}
	return r.named(w, req)
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
		in, is := r.incidentCommand(w, req, &ask, &ask.Reason)
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
			r.answer(w, req, in, command, ask.Reason)
		}
	}
}

// answer records the answer to the request that waits in an incident. Of answers
// that come at the same time the first counts, and the others are refused.
func (r *run) answer(w http.ResponseWriter, req *http.Request, in view.IncidentDetail, command, reason string) {
	request := in.Approval.Request
	key, counts := answerKey(in.ID, request), ""
	if !r.fetch(w, req, func(l *loop) {
		if counts = l.answered(in.ID, request); counts == "" {
			l.acting[key] = true
		}
	}) {
		return
	}
	if counts != "" {
		failf(w, http.StatusConflict, "%s was not recorded: %s", command, counts)
		return
	}
	defer r.send(r.ctx, func(l *loop) { delete(l.acting, key) })
	r.issue(w, req, in.Service, command, event.CommandArgs{Incident: in.ID, Reason: reason, Request: request})
}

// answerKey is a request for approval in loop.acting.
func answerKey(incident string, request int) string { return fmt.Sprintf("%s/%d", incident, request) }

// answered says which answer to a request for approval counts, or is about to, as a
// clause. Empty: none was given.
func (l *loop) answered(incident string, request int) string {
	if l.acting[answerKey(incident, request)] {
		return "another answer to this request is being recorded"
	}
	given, is := l.fleet.Commands.Answer(incident, request, now())
	if !is {
		return ""
	}
	did := "approved"
	if given.Command == event.CommandDeny {
		did = "denied"
	}
	return fmt.Sprintf("this request was %s already, at %s, by %s", did, public.Moment(given.Time), text.Short(who(given.By)))
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
	in, is := r.incidentCommand(w, req, &ask, &ask.Reason)
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

// noteRequest adds a text to an incident.
type noteRequest struct {
	Text string `json:"text"` // at most 2000 bytes
}

// postNote adds a text to an incident, ended or not.
func (r *run) postNote(w http.ResponseWriter, req *http.Request) {
	var ask noteRequest
	if !r.command(w, req, &ask) {
		return
	}
	in, is := r.named(w, req)
	switch written := redact.Text(strings.TrimSpace(text.Block(ask.Text))); {
	case !is:
	case written == "":
		fail(w, http.StatusBadRequest, `"text" is missing or empty`)
	case len(written) > event.MaxNote:
		failf(w, http.StatusBadRequest, `"text" is longer than %d bytes`, event.MaxNote)
	default:
		r.issue(w, req, in.Service, event.CommandNote, event.CommandArgs{Incident: in.ID, Text: written})
	}
}

// acknowledgeRequest stops the repeated notifications of an incident.
type acknowledgeRequest struct {
	Reason string `json:"reason"`
}

func (r *run) postAcknowledge(w http.ResponseWriter, req *http.Request) {
	var ask acknowledgeRequest
	in, is := r.incidentCommand(w, req, &ask, &ask.Reason)
	switch {
	case !is:
	case in.State == state.Resolved:
		fail(w, http.StatusConflict, "the incident is resolved already")
	case in.Acknowledged != nil:
		failf(w, http.StatusConflict, "the incident was acknowledged already, by %s", event.OperatorName(in.Acknowledged.By))
	default:
		r.issue(w, req, in.Service, event.CommandAcknowledge, event.CommandArgs{Incident: in.ID, Reason: ask.Reason})
	}
}
