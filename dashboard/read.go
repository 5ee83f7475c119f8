package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/state"
	"logstream/internal/text"
)

const (
	incidentsLimit, maxIncidents = 50, 500
	logLines, maxLogLines        = 200, 1000
	maxLogBytes                  = 256 << 10
	logsWithin                   = 5 * time.Second
	readyWithin                  = 2 * time.Second
)

// fetch queries the loop, and answers 503 itself where that has ended.
func (r *run) fetch(w http.ResponseWriter, req *http.Request, call func(*loop)) bool {
	if err := r.ask(req.Context(), call); err != nil {
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
		d.DependsOn = append(d.DependsOn, d.Config.DependsOn...)
	}
	for _, n := range d.Needs {
		if !slices.Contains(d.DependsOn, n.Service) {
			d.DependsOn = append(d.DependsOn, n.Service)
		}
	}
	reply(w, http.StatusOK, d)
}

func noService(w http.ResponseWriter, name string) {
	failf(w, http.StatusNotFound, "unknown service %s", quoted(name))
}

// logLine is one line of a container's output.
type logLine struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// logsAnswer is the end of a container's output.
type logsAnswer struct {
	Lines []logLine `json:"lines"` // redacted, the newest last
}

func (r *run) getLogs(w http.ResponseWriter, req *http.Request) {
	tail, ok := number(req.URL.Query().Get("tail"), logLines, maxLogLines)
	if !ok {
		failf(w, http.StatusBadRequest, `"tail" must be a number from 1 to %d`, maxLogLines)
		return
	}
	name := req.PathValue("name")
	var def *event.Definition
	var shown view.Service
	if !r.fetch(w, req, func(l *loop) { shown, _ = l.fleet.Service(name, now()); def = l.fleet.Definition(name) }) {
		return
	}
	switch {
	case def == nil:
		noService(w, name)
		return
	case def.Container == "":
		failf(w, http.StatusNotFound, "%q has no container", name)
		return
	case shown.Host != r.deps.Identity.Host || r.deps.Logs == nil:
		failf(w, http.StatusNotFound, "the container of %q runs on another host", name)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), logsWithin)
	defer cancel()
	lines, err := r.deps.Logs(ctx, def.Container, tail)
	var ambiguous *container.AmbiguousError
	switch {
	case errors.Is(err, container.ErrNotFound):
		failf(w, http.StatusNotFound, "the container %q of %q does not exist", def.Container, name)
		return
	case errors.As(err, &ambiguous):
		fail(w, http.StatusNotFound, ambiguous.Error())
		return
	case err != nil:
		r.log.Warn("container logs cannot be read", "service", name, "container", def.Container, "error", err)
		failf(w, http.StatusServiceUnavailable, "the logs of %q cannot be read: the container engine did not answer; see the server log", name)
		return
	}
	reply(w, http.StatusOK, logsAnswer{bounded(lines, tail)})
}

// bounded are the newest lines, redacted, of maxLogBytes at most.
func bounded(lines []container.Line, tail int) []logLine {
	shown := []logLine{}
	for left := maxLogBytes; len(lines) > 0 && len(shown) < tail; lines = lines[:len(lines)-1] {
		newest := lines[len(lines)-1]
		text := redact.Text(text.Line(strings.ReplaceAll(newest.Text, "\t", "    ")))
		if left -= len(text); left < 0 {
			break
		}
		shown = append(shown, logLine{newest.Time, text})
	}
	slices.Reverse(shown)
	return shown
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
	of := query.Get("service")
	var list []view.Incident
	if r.fetch(w, req, func(l *loop) { list = l.fleet.List(of, wanted, limit, now()) }) {
		reply(w, http.StatusOK, list)
	}
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
	err := r.ask(ctx, func(l *loop) { caughtUp = l.caughtUp() })
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
	if !r.guard.knows(req) {
		answer = readiness{Ready: answer.Ready}
	}
	reply(w, status, answer)
}
