package dashboard

import (
	"encoding/json"
	"net/http"
	"reflect"

	"logstream/dashboard/public"
	"logstream/dashboard/view"
	"logstream/internal/event"
)

// operation says of one call what the OpenAPI document does. A test holds the
// list equal to the routes, and every answer to its type.
type operation struct {
	method, path string
	tag          string
	summary      string // one line
	description  string
	query        []parameter
	body         reflect.Type         // nil: none
	optional     bool                 // the body may be left out
	several      bool                 // the body may be an array
	answer       reflect.Type         // nil: text
	status       int                  // where it is done
	media        string               // of a text
	form         bool                 // the body is a form, and each answer a page
	otherwise    map[int]reflect.Type // answers with another status that are no failure
	security     string               // of schemes; empty: nothing is needed
}

// parameter is a value in the query of an address.
type parameter struct {
	name, description string
	otherwise         any      // where it is left out
	values            []string // nil: any
}

// The ways to be let in.
const (
	byToken = "token"
	byHook  = "hookToken"
)

// reads is a call that changes nothing, and answers with a T.
func reads[T any](tag, path, summary, description string, query ...parameter) operation {
	return operation{method: http.MethodGet, path: "/api/v1" + path, tag: tag, summary: summary, description: description,
		query: query, answer: reflect.TypeFor[T](), status: http.StatusOK, security: byToken}
}

// commands is a call that records a command, whose body is a B.
func commands[B any](tag, method, path, summary, description string) operation {
	return operation{method: method, path: "/api/v1" + path, tag: tag, summary: summary, description: description,
		body: reflect.TypeFor[B](), optional: true, answer: reflect.TypeFor[recorded](), status: http.StatusAccepted, security: byToken}
}

// reports is a call of another monitor.
func reports(path, summary, description string) operation {
	return operation{method: http.MethodPost, path: hooksPath + path, tag: "observations", summary: summary, description: description,
		body: reflect.TypeFor[json.RawMessage](), answer: reflect.TypeFor[accepted](), status: http.StatusAccepted, security: byHook}
}

// texts is a call that answers with a text.
func texts(tag, path, summary, description, media string) operation {
	return operation{method: http.MethodGet, path: path, tag: tag, summary: summary, description: description, status: http.StatusOK, media: media, security: byToken}
}

// needed says that the body may not be left out.
func (o operation) needed() operation { o.optional = false; return o }

// emptyRequest is the body of a command without arguments.
type emptyRequest struct{}

// operations are all calls, as programs see them.
func operations() []operation {
	const (
		get, post, remove                           = http.MethodGet, http.MethodPost, http.MethodDelete
		services, incidents, repairs, observe, self = "services", "incidents", "repairs", "observations", "logstream"
	)
	return []operation{
		reads[Summary](self, "/summary", "The state of everything, in a few numbers", "Small and stable, for start pages such as Homepage. No object in it is ever null."),
		reads[Info](self, "/info", "This instance, its dependencies and their problems", ""),
		reads[[]call](self, "", "The calls of this API", ""),
		reads[json.RawMessage](self, "/openapi.json", "This document", ""),
		reads[[]view.Service](services, "/services", "All services", ""),
		reads[serviceDetail](services, "/services/{name}", "One service, with its definition and newest observations", "Secrets are masked."),
		reads[historyAnswer](services, "/services/{name}/history", "The chart of a service", "At most 500 points.",
			parameter{"window", "how far back: a duration from 15m to 30d, or 1y", "1h", nil}),
		reads[logsAnswer](services, "/services/{name}/logs", "The last lines of a service's container", "Secrets are masked.",
			parameter{"tail", "how many lines, 1 to 1000", logLines, nil},
			parameter{"after", "only those after the line of this cursor", nil, nil}),
		reads[containerAnswer](services, "/services/{name}/container", "The container of a service, and what it uses now", "Sizes are bytes; a limit of 0 is none."),
		commands[silenceRequest](repairs, post, "/services/{name}/silence", "Silence a service", "It is observed, and not repaired meanwhile.").needed(),
		commands[emptyRequest](repairs, remove, "/services/{name}/silence", "End a silence", ""),
		commands[healRequest](repairs, post, "/services/{name}/heal", "Start an incident by hand", ""),
		commands[proposeRequest](repairs, post, "/services/{name}/propose", "Propose a repair", "It waits for an operator's approval, whatever its tier and the mode. The command's result says whether it is legal now, and which actions are.").needed(),
		commands[chaosRequest](repairs, post, "/services/{name}/chaos", "Inject a real fault", "403 unless the service allows it with chaos: true.").needed(),
		reads[[]chaosFault](repairs, "/chaos", "The faults that can be injected, and where", ""),
		reads[[]view.Incident](incidents, "/incidents", "Incidents, newest first", "For the next page, pass the id of the last incident as `before`.",
			parameter{"service", "only incidents of this service", nil, nil},
			parameter{"state", "only incidents in this state", nil, []string{"open", "resolved", "escalated"}},
			parameter{"cause", "only incidents with this cause_id", nil, nil},
			parameter{"decided_by", "only incidents decided by this: the whole value, or its part before the first colon, such as runbook, llm or operator", nil, nil},
			parameter{"q", "only incidents with this text in the service's name, the cause, the error, the action or the id", nil, nil},
			parameter{"before", "only incidents opened before the incident with this id", nil, nil},
			parameter{"limit", "how many, 1 to 500", incidentsLimit, nil}),
		reads[view.IncidentDetail](incidents, "/incidents/{id}", "One incident, with all its events in order", ""),
		texts(incidents, "/api/v1/incidents/{id}.md", "The post-mortem of an incident", "", "text/markdown"),
		commands[answerRequest](incidents, post, "/incidents/{id}/approve", "Approve the repair that waits for it", ""),
		commands[answerRequest](incidents, post, "/incidents/{id}/deny", "Deny the repair that waits for approval", ""),
		commands[undoRequest](incidents, post, "/incidents/{id}/undo", "Undo a repair that has an inverse", ""),
		commands[acknowledgeRequest](incidents, post, "/incidents/{id}/acknowledge", "Acknowledge an incident", "Its repeated notifications stop."),
		commands[noteRequest](incidents, post, "/incidents/{id}/note", "Add a note to an incident", "It is shown on the incident's page, and on the status page where the service's group is published. No result follows.").needed(),
		commands[holdRequest](repairs, post, "/hold", "Hold all repairs of this host", ""),
		commands[emptyRequest](repairs, remove, "/hold", "Release the hold", ""),
		reads[[]commandRecord](repairs, "/commands", "The last commands, newest first, with their results", "result is null until a command was executed.",
			parameter{"limit", "how many, 1 to 200", commandsLimit, nil}),
		reads[commandRecord](repairs, "/commands/{id}", "A command, with its result", "result is null until it was executed."),
		{method: post, path: "/api/v1/health-logs", tag: observe, summary: "Publish observations", description: "One, or an array of at most 1000. Unknown fields are skipped.",
			body: reflect.TypeFor[observation](), several: true, answer: reflect.TypeFor[accepted](), status: http.StatusAccepted, security: byToken},
		{method: post, path: "/api/v1/probe", tag: observe, summary: "Check a definition once that is not saved",
			body: reflect.TypeFor[probeRequest](), answer: reflect.TypeFor[event.Probe](), status: http.StatusOK, security: byToken},
		{method: post, path: "/api/v1/definition", tag: services, summary: "The lines for config.yaml that describe a service", description: "The definition is validated. Nothing is saved.",
			body: reflect.TypeFor[probeRequest](), answer: reflect.TypeFor[linesAnswer](), status: http.StatusOK, security: byToken},
		{method: post, path: "/api/v1/notify/test", tag: self, summary: "Send a test message to one receiver of notifications, or to all", description: "It answers when each has answered, or had its time.",
			body: reflect.TypeFor[notifyTestRequest](), optional: true, answer: reflect.TypeFor[[]Notified](), status: http.StatusOK, security: byToken},
		reports("alertmanager", "Reports of Prometheus Alertmanager", "The body is that of its webhook receiver."),
		reports("gatus", "Reports of Gatus", "The body is that of its custom alerting provider, as docs/hooks.md has it."),
		reports("uptime-kuma", "Reports of Uptime Kuma", "The body is that of its Webhook notification."),
		reports("generic", "Reports of any other program", "The fields of an observation. The token may stand in the address, as ?token=…"),
		{method: get, path: "/act/{token}", tag: repairs, summary: "The page of a signed link", description: "It says what the link would do, and changes nothing. The link is what permits it.",
			status: http.StatusOK, media: "text/html", form: true},
		{method: post, path: "/act/{token}", tag: repairs, summary: "Do what a signed link permits, once", description: "Sent by the form on the page of the link.",
			body: reflect.TypeFor[linkForm](), form: true, status: http.StatusAccepted, media: "text/html"},
		texts(services, "/badge/{name}.svg", "A badge with the status of a service", "No token is needed where dashboard.status_page publishes badges. A service that does not exist, or is not published, is unknown.", "image/svg+xml"),
		{method: get, path: "/badge/{name}/uptime.svg", tag: services, summary: "A badge with the uptime of a service", status: http.StatusOK, media: "image/svg+xml", security: byToken,
			query: []parameter{{"window", "over which time", "7d", badgeWindows}}},
		{method: get, path: "/status.json", tag: services, summary: "What the status page says", description: "404 unless dashboard.status_page publishes it. No token is needed.",
			answer: reflect.TypeFor[public.Status](), status: http.StatusOK},
		{method: get, path: "/status", tag: services, summary: "The status page", description: "404 unless dashboard.status_page publishes it. No token is needed.", status: http.StatusOK, media: "text/html"},
		{method: get, path: "/healthz", tag: self, summary: "Liveness", answer: reflect.TypeFor[liveness](), status: http.StatusOK},
		{method: get, path: "/readyz", tag: self, summary: "Readiness", description: "503 while Kafka cannot be read or written. Details are shown only with the token.",
			answer: reflect.TypeFor[readiness](), status: http.StatusOK, otherwise: map[int]reflect.Type{http.StatusServiceUnavailable: reflect.TypeFor[readiness]()}},
		texts(self, "/metrics", "Metrics for Prometheus", "", "text/plain"),
		{method: get, path: "/ws", tag: self, summary: "The live stream, as a WebSocket", description: "First a snapshot, then batches of events, as text frames of JSON. A client that sends {\"type\":\"watch\",\"services\":[\"a\",\"b\"]} gets the observations of those services alone, at most 200, and everything else as before; with null it gets all again.",
			status: http.StatusSwitchingProtocols, security: byToken},
	}
}
