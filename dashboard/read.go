package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/dashboard/access"
	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

const (
	incidentsLimit, maxIncidents = 50, 500
	maxSearch                    = 200 // bytes of the text to search for
	readyWithin                  = 2 * time.Second
)

// fetch queries the loop, and answers 503 itself where that has ended.
func (r *run) fetch(w http.ResponseWriter, req *http.Request, call func(*loop)) bool {
	if err := r.inLoop(req.Context(), call); err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return false
	}
	return true
}

func (r *run) getServices(w http.ResponseWriter, req *http.Request) {
	var views []view.Service
	if r.fetch(w, req, func(l *loop) { views = l.fleet.Services(now()) }) {
		reply(w, http.StatusOK, views)
	}
}

// serviceDetail is the answer to GET /api/v1/services/{name}.
type serviceDetail struct {
	view.Service
	Config       *event.Definition  `json:"config"`
	YAML         string             `json:"yaml"`       // config as an entry of config.yaml; empty: there is none
	DependsOn    []string           `json:"depends_on"` // the names of needs
	NeededBy     []string           `json:"needed_by"`
	Observations []view.Observation `json:"observations"`
}

func (r *run) getService(w http.ResponseWriter, req *http.Request) {
	name := req.PathValue("name")
	d := serviceDetail{DependsOn: []string{}, NeededBy: []string{}, Observations: []view.Observation{}}
	var is bool
	if !r.fetch(w, req, func(l *loop) {
		if d.Service, is = l.fleet.Service(name, now()); is {
			d.Config = l.fleet.Definition(name)
			d.Observations = append(d.Observations, l.fleet.Observations(name)...)
			d.NeededBy = append(d.NeededBy, l.fleet.NeededBy(name)...)
		}
	}) {
		return
	}
	if !is {
		noService(w, name)
		return
	}
	if d.Config != nil {
		d.YAML = r.written(d.Config)
		d.DependsOn = append(d.DependsOn, d.Config.DependsOn...)
	}
	for _, n := range d.Needs {
		if !slices.Contains(d.DependsOn, n.Service) {
			d.DependsOn = append(d.DependsOn, n.Service)
		}
	}
	reply(w, http.StatusOK, d)
}

// written is a definition as an entry of config.yaml; empty where it cannot be
// written as one.
func (r *run) written(def *event.Definition) string {
	if r.deps.Written == nil {
		return ""
	}
	lines, err := r.deps.Written(event.Encode(def))
	if err != nil {
		r.log.Warn("a definition cannot be written as YAML", "service", def.Name, "error", err)
	}
	return lines
}

func noService(w http.ResponseWriter, name string) {
	failf(w, http.StatusNotFound, "unknown service %s", quoted(name))
}

func (r *run) getIncidents(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	limit, ok := number(query.Get("limit"), incidentsLimit, maxIncidents)
	if !ok {
		failf(w, http.StatusBadRequest, `"limit" must be a number from 1 to %d`, maxIncidents)
		return
	}
	wanted := query.Get("state")
	if wanted != "" && wanted != state.Open && wanted != state.Resolved && wanted != state.Escalated {
		fail(w, http.StatusBadRequest, `"state" must be open, resolved or escalated`)
		return
	}
	if len(query.Get("q")) > maxSearch {
		failf(w, http.StatusBadRequest, `"q" must be at most %d bytes long`, maxSearch)
		return
	}
	if query.Get("q") != "" && !r.limits.searches.Allow() {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "too many searches; try again in a second")
		return
	}
	of := view.Wanted{Service: query.Get("service"), State: wanted, Cause: query.Get("cause"), DecidedBy: query.Get("decided_by"),
		Text: query.Get("q"), Before: query.Get("before")}
	var list []view.Incident
	var known bool
	if !r.fetch(w, req, func(l *loop) { list, known = l.fleet.List(of, limit, now()) }) {
		return
	}
	if !known {
		failf(w, http.StatusBadRequest, `"before" must be the id of an incident: %s is unknown`, quoted(of.Before))
		return
	}
	reply(w, http.StatusOK, list)
}

// number reads 1 to limit; empty is otherwise.
func number(s string, otherwise, limit int) (int, bool) {
	if s == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= limit
}

func (r *run) getIncident(w http.ResponseWriter, req *http.Request) {
	id, report := strings.CutSuffix(req.PathValue("id"), ".md")
	var detail view.IncidentDetail
	var is bool
	if !r.fetch(w, req, func(l *loop) { detail, is = l.fleet.Incident(id, now()) }) {
		return
	}
	switch {
	case !is:
		failf(w, http.StatusNotFound, "unknown incident %s", quoted(id))
	case report:
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(Report(detail))) // a client that disconnected needs no answer
	default:
		reply(w, http.StatusOK, detail)
	}
}

// commandsLimit and maxCommands bound how many commands are listed.
const commandsLimit, maxCommands = 20, 200

// getCommands are the last commands, of all operators, with the result of each.
func (r *run) getCommands(w http.ResponseWriter, req *http.Request) {
	limit, ok := number(req.URL.Query().Get("limit"), commandsLimit, maxCommands)
	if !ok {
		failf(w, http.StatusBadRequest, `"limit" must be a number from 1 to %d`, maxCommands)
		return
	}
	list := []commandRecord{}
	if !r.fetch(w, req, func(l *loop) {
		for _, c := range l.fleet.Commands.Newest(limit) {
			list = append(list, commandRecord{c, c.Result})
		}
	}) {
		return
	}
	reply(w, http.StatusOK, list)
}

// commandRecord is a command with its result, null while there is none.
type commandRecord struct {
	asked
	Result *event.CommandResult `json:"result"`
}

// asked is a Command under another name than that of its field.
type asked = event.Command

func (r *run) getCommand(w http.ResponseWriter, req *http.Request) {
	id := req.PathValue("id")
	var c event.Command
	var is bool
	if !r.fetch(w, req, func(l *loop) { c, is = l.fleet.Commands.Get(id) }) {
		return
	}
	if !is {
		failf(w, http.StatusNotFound, "unknown command %s", quoted(id))
		return
	}
	reply(w, http.StatusOK, commandRecord{c, c.Result})
}

func (r *run) getInfo(w http.ResponseWriter, req *http.Request) {
	var info Info
	if r.fetch(w, req, func(l *loop) { info = l.info() }) {
		info.Troubles = r.deps.Health.List()
		p := person(req)
		info.Role, info.Person, info.LoggedIn = p.Role, p.Name, p.Signed
		reply(w, http.StatusOK, info)
	}
}

// liveness is the answer to GET /healthz.
type liveness struct {
	OK bool `json:"ok"`
}

func (r *run) getHealth(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, liveness{true})
}

// readiness is the answer to GET /readyz: details only for who may see them.
type readiness struct {
	Ready    bool     `json:"ready"`
	Error    string   `json:"error,omitempty"`
	Troubles []string `json:"troubles,omitempty"`
}

// getReady says whether Kafka can be read and written. Nothing else makes
// us unready.
func (r *run) getReady(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), readyWithin)
	defer cancel()
	answer := readiness{Ready: true}
	caughtUp := false
	err := r.inLoop(ctx, func(l *loop) { caughtUp = l.caughtUp() })
	if err == nil && r.deps.Ready != nil {
		err = r.deps.Ready(ctx)
	}
	if err == nil && !caughtUp {
		err = errors.New("reading the event log from Kafka after the start")
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusServiceUnavailable
		answer = readiness{Error: err.Error()}
	}
	for _, t := range r.deps.Health.List() {
		answer.Troubles = append(answer.Troubles, t.Part+": "+t.What)
	}
	if !person(req).Role.May(access.Viewer) {
		answer = readiness{Ready: answer.Ready}
	}
	reply(w, status, answer)
}
