package dashboard

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/text"
)

// maxClient is how long the name of a program that proposes may be, in characters.
const maxClient = 64

// proposeRequest proposes a repair, which waits for an operator's approval.
type proposeRequest struct {
	Action string `json:"action"`
	Reason string `json:"reason"` // shown to the operator who approves or denies it
	// Client is the program that proposes; absent: api.
	Client string `json:"client"`
}

// problem is what is wrong with a proposal, or nothing.
func (p proposeRequest) problem() string {
	switch {
	case p.Action == "":
		return fmt.Sprintf(`"action" is missing; the actions are %s`, strings.Join(service.Actions, ", "))
	case !slices.Contains(service.Actions, p.Action):
		return unknown("action", p.Action, service.Actions)
	case strings.TrimSpace(text.Line(p.Reason)) == "":
		return `"reason" is missing: the operator who decides has to know why`
	case len([]rune(p.Reason)) > maxReason:
		return fmt.Sprintf(`"reason" is longer than %d characters`, maxReason)
	case len([]rune(p.Client)) > maxClient || text.Line(p.Client) != p.Client:
		return fmt.Sprintf(`"client" must be a name of at most %d printable characters`, maxClient)
	}
	return ""
}

// by is who proposes. The program's own name may be any; that of its token, where
// it has one, stands before it.
func (p proposeRequest) by(token string) string {
	program := cmp.Or(p.Client, "api")
	if token == "" {
		return program
	}
	return token + " (" + program + ")"
}

// postPropose records a proposal. Whether the action is legal now, and whether a
// gate holds it, is the healer's to say: its answer is the command's result.
func (r *run) postPropose(w http.ResponseWriter, req *http.Request) {
	var ask proposeRequest
	_, def, is := r.serviceCommand(w, req, &ask)
	if !is {
		return
	}
	switch why := ask.problem(); {
	case why != "":
		fail(w, http.StatusBadRequest, why)
	case slices.Contains(def.Heal.Never, ask.Action):
		failf(w, http.StatusConflict, "heal.never of %q forbids %s", def.Name, ask.Action)
	default:
		r.issueBy(w, req, event.ByProposer+ask.by(person(req).Name), def.Name, event.CommandPropose, event.CommandArgs{Action: ask.Action, Reason: ask.Reason})
	}
}
