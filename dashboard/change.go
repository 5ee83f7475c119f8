package dashboard

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/redact"
	"logstream/internal/service"
	"logstream/internal/text"
)

const (
	appendWithin = 5 * time.Second
	maxReason    = 500 // characters
	maxHold      = 30 * 24 * time.Hour
)

// issue writes a command to the log and answers with its id, once the log has
// acknowledged it.
func (r *run) issue(w http.ResponseWriter, req *http.Request, service, name string, args event.CommandArgs) {
	r.issueBy(w, req, caller(req), service, name, args)
}

func (r *run) issueBy(w http.ResponseWriter, req *http.Request, by, service, name string, args event.CommandArgs) {
	args.Reason = redact.Text(text.Line(args.Reason)) // others read it, in terminals as well
	c := event.Command{
		ID: rand.Text(), Time: now(), By: by, Service: service, Command: name, Args: args,
		Origin: event.Origin{Instance: r.deps.Identity.Instance, Host: r.deps.Identity.Host},
	}
	if !r.record(req, c) {
		reply(w, http.StatusServiceUnavailable, failure{Error: "Kafka did not confirm the command: it may not have been recorded; check its status before retrying", Command: c.ID})
		return
	}
	reply(w, http.StatusAccepted, recorded{c.ID})
}

// record writes a command to the log; false where that did not confirm it.
func (r *run) record(req *http.Request, c event.Command) bool {
	ctx, cancel := context.WithTimeout(req.Context(), appendWithin)
	defer cancel()
	if err := r.deps.Log.Append(ctx, event.TopicCommands, c.Service, event.Encode(c)); err != nil {
		r.log.Warn("command may not have been recorded", "command", c.Command, "service", c.Service, "id", c.ID, "error", err)
		return false
	}
	// So that it is found before it was read back. If the loop has ended it is
	// found by the next.
	_ = r.inLoop(ctx, func(l *loop) {
		changes, _ := l.fleet.ApplyCommand(c, now())
		l.changed(true, changes)
	})
	r.log.Info("command recorded", "command", c.Command, "service", c.Service, "id", c.ID, "by", c.By, "remote", r.guard.Address(req))
	return true
}

// recorded is the answer to a command.
type recorded struct {
	Command string `json:"command"` // its id, for GET /api/v1/commands/{id}
}

// caller is who sends a command: a person by name, else the page, or a program. A
// browser says of each change where it comes from, and only our own page gets
// this far.
func caller(req *http.Request) string {
	if p := person(req); p.Name != "" {
		return event.ByOperator + p.Name
	}
	if req.Header.Get("Origin") != "" || req.Header.Get("Sec-Fetch-Site") != "" {
		return "operator:dashboard"
	}
	return "operator:api"
}

// target is the configured service that a command is about; where there is
// none it is answered for.
func (r *run) target(w http.ResponseWriter, req *http.Request) (view.Service, *event.Definition, bool) {
	name := req.PathValue("name")
	var shown view.Service
	var def *event.Definition
	if !r.fetch(w, req, func(l *loop) { shown, _ = l.fleet.Service(name, now()); def = l.fleet.Definition(name) }) {
		return shown, nil, false
	}
	if def == nil {
		failf(w, http.StatusNotFound, "service %s is not configured", quoted(name))
		return shown, nil, false
	}
	return shown, def, true
}

// serviceCommand reads a command's body into ask, and returns the service that the address
// names. Where it returns false the response is written.
func (r *run) serviceCommand(w http.ResponseWriter, req *http.Request, ask any) (view.Service, *event.Definition, bool) {
	if !r.command(w, req, ask) {
		return view.Service{}, nil, false
	}
	return r.target(w, req)
}

// healRequest starts an incident by hand.
type healRequest struct {
	// Action is the one to run; absent: what the diagnosis says. A service that is
	// UP needs one.
	Action string `json:"action"`
}

func (r *run) postHeal(w http.ResponseWriter, req *http.Request) {
	var ask healRequest
	shown, def, is := r.serviceCommand(w, req, &ask)
	if !is {
		return
	}
	switch {
	case ask.Action != "" && !slices.Contains(service.Actions, ask.Action):
		fail(w, http.StatusBadRequest, unknown("action", ask.Action, service.Actions))
	case def.Container == "" && len(def.Heal.Commands) == 0:
		failf(w, http.StatusConflict, "%q has neither a container nor heal.commands: LogStream cannot repair it", def.Name)
	case slices.Contains(def.Heal.Never, ask.Action):
		failf(w, http.StatusConflict, "heal.never of %q forbids %s", def.Name, ask.Action)
	case ask.Action == "" && (shown.Status == event.Up || shown.Status == event.Degraded):
		failf(w, http.StatusConflict, "%q is %s: name an action to run it anyway", def.Name, shown.Status)
	default:
		r.issue(w, req, def.Name, event.CommandHeal, event.CommandArgs{Action: ask.Action})
	}
}

// chaosFault is a fault, and where it may be injected.
type chaosFault struct {
	Fault      string   `json:"fault"`
	Does       string   `json:"does"`
	Undo       bool     `json:"undo"`       // it can be taken back by hand
	UndoneBy   string   `json:"undone_by"`  // how, in a word
	Reversible bool     `json:"reversible"` // its undo leaves nothing changed
	Repairable bool     `json:"repairable"` // LogStream can repair it without a person
	Services   []string `json:"services"`
}

func (r *run) getChaos(w http.ResponseWriter, req *http.Request) {
	var views []view.Service
	containers := map[string]string{}
	if !r.fetch(w, req, func(l *loop) {
		views = l.fleet.Services(now())
		for _, v := range views {
			if def := l.fleet.Definition(v.Name); def != nil {
				containers[v.Name] = def.Container
			}
		}
	}) {
		return
	}
	list := []chaosFault{}
	for _, v := range views {
		if !v.Chaos || v.Host != r.deps.Identity.Host {
			continue
		}
		for _, fault := range r.faults(containers[v.Name]) {
			i := slices.IndexFunc(list, func(c chaosFault) bool { return c.Fault == fault })
			if i < 0 {
				i = len(list)
				known, _ := container.FaultNamed(fault)
				list = append(list, chaosFault{Fault: fault, Does: known.Does, Undo: known.Undo != "", UndoneBy: string(known.Undo),
					Reversible: known.Reversible, Repairable: known.Repairable})
			}
			list[i].Services = append(list[i].Services, v.Name)
		}
	}
	// Those that are shown first first, whichever service came first.
	slices.SortStableFunc(list, func(a, b chaosFault) int { return rank(a.Fault) - rank(b.Fault) })
	reply(w, http.StatusOK, list)
}

func rank(fault string) int {
	return slices.IndexFunc(container.KnownFaults(), func(f container.Fault) bool { return f.Name == fault })
}

// faults are those that can be injected into a container, or none.
func (r *run) faults(container string) []string {
	if container == "" || r.deps.Faults == nil {
		return nil
	}
	return r.deps.Faults(container)
}

// chaosRequest injects a real fault.
type chaosRequest struct {
	Fault string `json:"fault"` // of GET /api/v1/chaos
	Undo  bool   `json:"undo"`  // takes the fault back instead
}

func (r *run) postChaos(w http.ResponseWriter, req *http.Request) {
	var ask chaosRequest
	shown, def, is := r.serviceCommand(w, req, &ask)
	if !is {
		return
	}
	known := r.faults(def.Container)
	switch {
	case !def.Chaos:
		failf(w, http.StatusForbidden, "fault injection is off for %q: set chaos: true in config.yaml to allow it", def.Name)
	case shown.Host != r.deps.Identity.Host:
		failf(w, http.StatusConflict, "the container of %q runs on host %s: inject the fault there", def.Name, quoted(shown.Host))
	case len(known) == 0:
		failf(w, http.StatusConflict, "%q has no container to inject a fault into", def.Name)
	case ask.Fault == "":
		failf(w, http.StatusBadRequest, `"fault" is missing; the faults are %s`, strings.Join(known, ", "))
	case !slices.Contains(known, ask.Fault):
		fail(w, http.StatusBadRequest, unknown("fault", ask.Fault, known))
	default:
		r.issue(w, req, def.Name, event.CommandInject, event.CommandArgs{Fault: ask.Fault, Undo: ask.Undo})
	}
}

// holdRequest holds all repairs of this host.
type holdRequest struct {
	For    *string `json:"for"` // such as 30m, at most 720h; absent: until it is released
	Reason string  `json:"reason"`
}

func (r *run) postHold(w http.ResponseWriter, req *http.Request) {
	var ask holdRequest
	if !r.command(w, req, &ask) {
		return
	}
	args := event.CommandArgs{Reason: ask.Reason}
	if ask.For != nil {
		args.For = *ask.For
		if d, err := time.ParseDuration(args.For); err != nil || d <= 0 || d > maxHold {
			failf(w, http.StatusBadRequest, `"for" must be a duration up to 720h, such as 30m, not %s`, quoted(args.For))
			return
		}
	}
	if !shortEnough(w, ask.Reason) {
		return
	}
	r.issue(w, req, event.AllServices, event.CommandHold, args)
}

func (r *run) deleteHold(w http.ResponseWriter, req *http.Request) {
	if !r.command(w, req, &struct{}{}) {
		return
	}
	pointless := false
	if !r.fetch(w, req, func(l *loop) {
		_, held := l.fleet.Held(now())
		pointless = !held && l.caughtUp() && !l.fleet.Commands.Awaited(event.CommandHold, now())
	}) {
		return
	}
	if pointless {
		fail(w, http.StatusConflict, "no hold is active")
		return
	}
	r.issue(w, req, event.AllServices, event.CommandRelease, event.CommandArgs{})
}

// unknown says that there is no such action or fault, and which there are.
func unknown(what, given string, known []string) string {
	if near := nearest.Of(given, known); near != "" {
		return fmt.Sprintf("unknown %s %s; did you mean %q?", what, quoted(given), near)
	}
	return fmt.Sprintf("unknown %s %s; the %ss are %s", what, quoted(given), what, strings.Join(known, ", "))
}
