package dashboard

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	by           = "operator:dashboard"
	appendWithin = 5 * time.Second
	maxReason    = 500 // characters
	maxHold      = 30 * 24 * time.Hour
	maxRecords   = 1000 // of one POST of observations
	maxSource    = 100  // characters of an instance or a check
	maxErrorText = 4000
)

// command writes a command to the log and answers with its id, once the log
// has acknowledged it.
func (r *run) command(w http.ResponseWriter, req *http.Request, service, name string, args event.CommandArgs) {
	c := event.Command{
		ID: rand.Text(), Time: now(), By: by, Service: service, Command: name, Args: args,
		Origin: event.Origin{Instance: r.deps.Identity.Instance, Host: r.deps.Identity.Host},
	}
	ctx, cancel := context.WithTimeout(req.Context(), appendWithin)
	defer cancel()
	if err := r.deps.Log.Append(ctx, event.TopicCommands, service, event.Encode(c)); err != nil {
		r.log.Warn("command is not on the log", "command", name, "service", service, "error", err)
		failf(w, http.StatusServiceUnavailable, "the log did not take the command (%v); it is not known to be written, so look before you ask again", err)
		return
	}
	// So that it is found before it was read back. If the loop has ended it is
	// found by the next.
	_ = r.ask(ctx, func(l *loop) { l.fleet.Commands.Apply(c) })
	r.log.Info("command", "command", name, "service", service, "id", c.ID, "remote", req.RemoteAddr)
	reply(w, http.StatusAccepted, struct {
		Command string `json:"command"`
	}{c.ID})
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
		failf(w, http.StatusNotFound, "no service %q is configured", name)
		return shown, nil, false
	}
	return shown, def, true
}

func (r *run) postHeal(w http.ResponseWriter, req *http.Request) {
	var ask struct {
		Action string `json:"action"`
	}
	if bad := object(w, req, &ask); bad.is() {
		fail(w, bad.status, bad.why)
		return
	}
	shown, def, is := r.target(w, req)
	if !is {
		return
	}
	switch {
	case ask.Action != "" && !slices.Contains(service.Actions, ask.Action):
		failf(w, http.StatusBadRequest, "%q is not an action; known are %s", short(ask.Action), strings.Join(service.Actions, ", "))
	case def.Container == "":
		failf(w, http.StatusConflict, "%q has no container, so there is nothing that could be done", def.Name)
	case slices.Contains(def.Heal.Never, ask.Action):
		failf(w, http.StatusConflict, "config.yaml says heal.never: %s of %q", ask.Action, def.Name)
	case ask.Action == "" && (shown.Status == event.Up || shown.Status == event.Degraded):
		failf(w, http.StatusConflict, "%q is %s; name an action to take all the same", def.Name, shown.Status)
	default:
		r.command(w, req, def.Name, event.CommandHeal, event.CommandArgs{Action: ask.Action})
	}
}

// chaosFault is a fault, and where it may be injected.
type chaosFault struct {
	Fault    string   `json:"fault"`
	Undo     bool     `json:"undo"` // it can be taken back by hand; none of today's can
	Services []string `json:"services"`
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
				list = append(list, chaosFault{Fault: fault})
			}
			list[i].Services = append(list[i].Services, v.Name)
		}
	}
	reply(w, http.StatusOK, list)
}

// faults are those that can be injected into a container, or none.
func (r *run) faults(container string) []string {
	if container == "" || r.deps.Faults == nil {
		return nil
	}
	return r.deps.Faults(container)
}

func (r *run) postChaos(w http.ResponseWriter, req *http.Request) {
	var ask struct {
		Fault string `json:"fault"`
		Undo  bool   `json:"undo"`
	}
	if bad := object(w, req, &ask); bad.is() {
		fail(w, bad.status, bad.why)
		return
	}
	_, def, is := r.target(w, req)
	if !is {
		return
	}
	known := r.faults(def.Container)
	switch {
	case !def.Chaos:
		failf(w, http.StatusForbidden, "config.yaml does not say chaos: true of %q", def.Name)
	case len(known) == 0:
		failf(w, http.StatusConflict, "%q has no container into which a fault could be injected", def.Name)
	case !slices.Contains(known, ask.Fault):
		failf(w, http.StatusBadRequest, "%q is not a fault of %q; known are %s", short(ask.Fault), def.Name, strings.Join(known, ", "))
	default:
		r.command(w, req, def.Name, event.CommandInject, event.CommandArgs{Fault: ask.Fault, Undo: ask.Undo})
	}
}

func (r *run) postHold(w http.ResponseWriter, req *http.Request) {
	var ask struct {
		For    string `json:"for"`
		Reason string `json:"reason"`
	}
	if bad := object(w, req, &ask); bad.is() {
		fail(w, bad.status, bad.why)
		return
	}
	if ask.For != "" {
		if d, err := time.ParseDuration(ask.For); err != nil || d <= 0 || d > maxHold {
			failf(w, http.StatusBadRequest, "for is %q, and not a duration up to 720h, such as 30m", short(ask.For))
			return
		}
	}
	if len([]rune(ask.Reason)) > maxReason {
		failf(w, http.StatusBadRequest, "reason has more than %d characters", maxReason)
		return
	}
	r.command(w, req, event.AllServices, event.CommandHold, event.CommandArgs{For: ask.For, Reason: ask.Reason})
}

func (r *run) deleteHold(w http.ResponseWriter, req *http.Request) {
	if bad := object(w, req, &struct{}{}); bad.is() {
		fail(w, bad.status, bad.why)
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
		fail(w, http.StatusConflict, "nothing is on hold")
		return
	}
	r.command(w, req, event.AllServices, event.CommandRelease, event.CommandArgs{})
}

// apiSource marks a source that speaks over HTTP. What we publish carries our
// signature, and must not pass for an observation of ours, or of any other
// instance: so the name that was given is never used as it is.
const apiSource = "api:"

func (r *run) postHealthLogs(w http.ResponseWriter, req *http.Request) {
	all, bad := body(w, req, maxObserved)
	if bad.is() {
		fail(w, bad.status, bad.why)
		return
	}
	values, err := records(all)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if len(values) > maxRecords {
		failf(w, http.StatusRequestEntityTooLarge, "these are %d records, more than %d", len(values), maxRecords)
		return
	}
	logs := make([]event.HealthLog, len(values))
	for i, value := range values {
		if logs[i], err = observed(value); err != nil {
			failf(w, http.StatusBadRequest, "record %d: %s", i+1, err)
			return
		}
	}
	if r.deps.Ready != nil {
		ctx, cancel := context.WithTimeout(req.Context(), appendWithin)
		defer cancel()
		if err := r.deps.Ready(ctx); err != nil {
			failf(w, http.StatusServiceUnavailable, "the log cannot be written: %v", err)
			return
		}
	}
	for _, h := range logs {
		r.deps.Log.Enqueue(event.TopicHealth, h.Service, event.Encode(h))
	}
	reply(w, http.StatusAccepted, struct {
		Accepted int `json:"accepted"`
	}{len(logs)})
}

// records splits a body into its record, or the records of its array.
func records(all []byte) ([]json.RawMessage, error) {
	all = bytes.TrimSpace(all)
	switch {
	case len(all) == 0:
		return nil, errors.New("the body is empty")
	case all[0] != '[':
		return []json.RawMessage{all}, nil
	}
	var values []json.RawMessage
	if err := json.Unmarshal(all, &values); err != nil {
		return nil, fmt.Errorf("the body is not valid: %s", jsonError(err))
	}
	return values, nil
}

// observed is what somebody else saw, as it is published.
func observed(value []byte) (event.HealthLog, error) {
	h, err := event.DecodeHealthLog(value)
	if err != nil {
		return h, err
	}
	if err := event.CheckServiceName(h.Service); err != nil {
		return h, err
	}
	for name, text := range map[string]string{"instance": h.Instance, "check": h.Check} {
		if len([]rune(text)) > maxSource {
			return h, fmt.Errorf("%s has more than %d characters", name, maxSource)
		}
	}
	if len([]rune(h.Error)) > maxErrorText {
		return h, fmt.Errorf("error has more than %d characters", maxErrorText)
	}
	h.Origin = event.Origin{Instance: apiSource + h.Instance} // neither host nor claim: those are an owner's
	return h, nil
}

// short cuts what a caller sent for an answer.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
