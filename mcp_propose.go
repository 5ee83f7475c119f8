package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
)

// proposeTries is how often a proposal is made that is refused for a moment only,
// such as while the container is being inspected.
const proposeTries = 3

type proposeInput struct {
	Service string `json:"service" jsonschema:"the service's name, as list_services has it"`
	Action  string `json:"action" jsonschema:"the repair to propose"`
	Reason  string `json:"reason" jsonschema:"why, for the operator who decides: at most 500 characters, with the evidence"`
}

// proposed is what became of a proposal. It is no error of the tool where it was
// refused: the answer says what is legal.
type proposed struct {
	Accepted bool     `json:"accepted" jsonschema:"an operator is asked, or will be as soon as the container has been inspected"`
	Refused  string   `json:"refused,omitempty" jsonschema:"why it was refused"`
	Code     string   `json:"code,omitempty" jsonschema:"illegal: not among legal; held: a gate holds it; busy: LogStream is working on the incident, a repair already waits for approval, or too many proposals were made; try again later; unknown: no such service"`
	Legal    []string `json:"legal,omitempty" jsonschema:"the actions that could be proposed now"`
	Incident string   `json:"incident,omitempty" jsonschema:"the incident in which it waits, for get_incident"`
	Waits    string   `json:"waits_for,omitempty" jsonschema:"approval: an operator has to approve or deny it; nothing runs before"`
	Command  string   `json:"command,omitempty" jsonschema:"what will be run once it is approved"`
	Expires  string   `json:"expires,omitempty" jsonschema:"when the request for approval ends"`
}

func addProposeTool(server *mcp.Server, c client) {
	tool := mcpTool("propose_action", "Propose a repair", "Proposes one repair of one service to an operator. It repairs nothing: it passes the same gates as LogStream's own repairs, and then waits until a person approves or denies it, whatever the action and the mode. "+
		"While LogStream is repairing the service by itself it is refused. A refusal says why, and which actions are legal now. The actions are "+strings.Join(service.Actions, ", ")+".")
	tool.Annotations.ReadOnlyHint, tool.Annotations.IdempotentHint = false, false
	mcp.AddTool(server, tool, func(ctx context.Context, req *mcp.CallToolRequest, in proposeInput) (*mcp.CallToolResult, proposed, error) {
		if err := checkPart("the service", in.Service); err != nil {
			return nil, proposed{}, err
		}
		out, err := c.propose(ctx, in, programOf(req))
		return nil, out, err
	})
}

// propose makes a proposal, and says where it waits. An error is no refusal.
func (c client) propose(ctx context.Context, in proposeInput, program string) (out proposed, err error) {
	body := map[string]any{"action": in.Action, "reason": in.Reason, "client": program}
	for try := 1; ; try++ {
		done, err := c.execute(ctx, http.MethodPost, []string{"services", in.Service, "propose"}, body)
		answer := new(apiError)
		switch {
		case errors.As(err, answer):
			return proposed{Refused: answer.why, Code: codeOfStatus(answer.status)}, nil
		case done.Result == nil:
			return proposed{}, err
		case done.Result.OK:
			return c.awaitRequest(ctx, in.Service, in.Action)
		case done.Result.Code != event.RefusedBusy || try == proposeTries:
			return proposed{Refused: printable(done.Result.Error), Code: string(done.Result.Code), Legal: done.Result.Legal}, nil
		}
		select {
		case <-ctx.Done():
			return proposed{}, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// codeOfStatus is why the API refused a proposal before the healer saw it.
func codeOfStatus(status int) string {
	switch status {
	case http.StatusNotFound:
		return string(event.RefusedUnknown)
	case http.StatusBadRequest, http.StatusConflict:
		return string(event.RefusedIllegal)
	case http.StatusTooManyRequests:
		return string(event.RefusedBusy)
	}
	return fmt.Sprint(status)
}

// awaitRequest waits until the request for approval of a proposal is written. The
// proposal was taken: where none comes its incident says why.
func (c client) awaitRequest(ctx context.Context, name, action string) (proposed, error) {
	within, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	tick := time.NewTicker(resultEvery)
	defer tick.Stop()
	out := proposed{Accepted: true}
	for {
		in, err := c.newestIncident(within, name)
		switch {
		case err != nil && within.Err() == nil:
			return out, err
		case err == nil && in.Approval != nil && in.Approval.Action == action:
			return proposed{Accepted: true, Incident: in.ID, Waits: "approval", Command: cmp.Or(in.Approval.Command, action+" "+name),
				Expires: in.Approval.Expires.UTC().Format(time.RFC3339)}, nil
		case err == nil:
			out.Incident = in.ID
		}
		select {
		case <-within.Done():
			return out, ctx.Err()
		case <-tick.C:
		}
	}
}

// newestIncident is the newest of a service; zero where there was none.
func (c client) newestIncident(ctx context.Context, name string) (view.Incident, error) {
	var found []view.Incident
	err := c.call(ctx, http.MethodGet, []string{"incidents"}, url.Values{"service": {name}, "limit": {"1"}}, nil, &found)
	if err != nil || len(found) == 0 {
		return view.Incident{}, err
	}
	return found[0], nil
}
