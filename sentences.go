package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// tint is a colour of a terminal; empty is none.
type tint string

const (
	plain  tint = ""
	red    tint = "31"
	green  tint = "32"
	yellow tint = "33"
	cyan   tint = "36"
	faint  tint = "2"
)

// entry is one thing that happened, as the console prints it. The zero value is
// nothing to print. Text comes from outside in part: printing makes it harmless.
type entry struct {
	at      time.Time
	icon    string
	text    string // one sentence
	tint    tint
	level   slog.Level
	logOnly bool // a detail: only the log has it
	attrs   []slog.Attr
}

// sentences turns records into entries: what a person wants to read, each thing
// once. It folds incidents as every reader does, so that what doesn't count isn't
// printed. It is not safe for concurrent use.
type sentences struct {
	host      string
	began     time.Time // what was written before is past, and not printed
	status    map[string]event.Status
	incidents *state.Incidents
}

func newSentences(host string, began time.Time) *sentences {
	return &sentences{host: host, began: began, status: map[string]event.Status{}, incidents: state.NewIncidents()}
}

const kept = 100 // incidents that are remembered

// service is what a record of TopicServices says.
func (s *sentences) service(r event.Service) entry {
	if r.Host != s.host || r.Time.Before(s.began) {
		return entry{}
	}
	said := entry{}
	if r.Definition != nil {
		said = s.is(r.Service, r.Status, r.Error)
	} else if _, known := s.status[r.Service]; known {
		delete(s.status, r.Service)
		said = entry{icon: "⚪", text: r.Service + " is no longer monitored", tint: faint}
	}
	said.at, said.attrs = r.Time, attributes("service", r.Service, "status", string(r.Status))
	return said
}

// is says a status that is not the last one said.
func (s *sentences) is(name string, status event.Status, why string) entry {
	before := s.status[name]
	if status == before || status == event.Pending {
		return entry{}
	}
	s.status[name] = status
	switch status {
	case event.Up:
		return entry{icon: "🟢", text: name + " is UP", tint: green}
	case event.Degraded:
		return entry{icon: "🟡", text: because(name+" is DEGRADED", why), tint: yellow}
	case event.Down:
		return entry{icon: "🔴", text: because(name+" is DOWN", why), tint: red, level: slog.LevelWarn}
	}
	return entry{icon: "⚪", text: fmt.Sprintf("%s is %s", name, status), tint: faint}
}

// incident is what an event of TopicIncidents says.
func (s *sentences) incident(e event.Incident) entry {
	in, counts := s.incidents.Apply(e)
	s.incidents.Forget(kept)
	if !counts || in == nil || e.Host != s.host || e.Time.Before(s.began) {
		return entry{}
	}
	said := s.of(e)
	said.at = e.Time
	said.attrs = append(attributes("service", e.Service, "incident", e.ID, "type", string(e.Type), "by", e.By), details(e, in.Cause)...)
	return said
}

// of is the sentence for an event.
func (s *sentences) of(e event.Incident) entry {
	switch data := e.Data.(type) {
	case event.Opened:
		return s.opened(e, data)
	case event.Evidence:
		return entry{text: fmt.Sprintf("%s: evidence collected: %s, %s", e.Service, many(len(data.Facts), "fact"), many(len(data.Logs), "log line")), logOnly: true}
	case event.Diagnosed:
		return entry{icon: "🤖", text: fmt.Sprintf("%s: %s%s", e.Service, data.Cause, decidedBy(e.By, data)), tint: cyan}
	case event.ApprovalRequested:
		text := fmt.Sprintf("%s: approval needed for %s: logstream approve %s", e.Service, commandLine(data.Command, data.Action, e.Service), e.ID)
		return entry{icon: "🙋", text: text, tint: yellow, level: slog.LevelWarn}
	case event.Approved:
		return entry{icon: "👍", text: because(e.Service+": approved by "+event.OperatorName(e.By), data.Reason), tint: cyan}
	case event.Denied:
		return entry{icon: "👎", text: because(e.Service+": denied by "+event.OperatorName(e.By), data.Reason), tint: yellow}
	case event.Acknowledged:
		return entry{icon: "👀", text: because(e.Service+": acknowledged by "+event.OperatorName(e.By), data.Reason), tint: faint}
	case event.ActionStarted:
		if data.Undoes > 0 {
			return entry{icon: "⚡", text: fmt.Sprintf("undo of attempt %d: %s", data.Undoes, commandLine(data.Command, "undo "+data.Action, e.Service))}
		}
		return entry{icon: "⚡", text: commandLine(data.Command, data.Action, e.Service)}
	case event.ActionFinished:
		return finished(commandLine(data.Command, data.Action, e.Service), data)
	case event.Verified:
		return verified(e.Service, data)
	case event.Suppressed:
		text := fmt.Sprintf("%s: repair held by gate %q", e.Service, data.Gate)
		if data.Until != nil && data.Until.Sub(e.Time) >= 2*time.Second {
			text += fmt.Sprintf(" for %s", data.Until.Sub(e.Time).Round(time.Second))
		}
		return entry{icon: "✋", text: because(text, data.Reason), tint: yellow}
	case event.Escalated:
		return entry{icon: "🆘", text: because(e.Service+" needs a person", data.Reason), tint: red, level: slog.LevelError}
	case event.Resolved:
		if e.Service == event.ReservedService {
			return entry{icon: "✅", text: "LogStream reaches its services again after " + seconds(data.DownMS), tint: green}
		}
		return resolved(e.Service, data)
	case event.Reported:
		return entry{text: e.Service + ": post-mortem written", logOnly: true}
	}
	return entry{}
}

func (s *sentences) opened(e event.Incident, data event.Opened) entry {
	if data.Kind == "fleet" {
		return entry{icon: "🔴", text: cmp.Or(data.Error, "several services are DOWN at once"), tint: red, level: slog.LevelWarn}
	}
	switch {
	case data.UndoesIncident != "":
		text := fmt.Sprintf("%s: undo of attempt %d of incident %s requested by %s", e.Service, data.Undoes, data.UndoesIncident, event.OperatorName(e.By))
		return entry{icon: "🙋", text: text, tint: cyan}
	case data.Proposed != nil:
		return entry{icon: "🙋", text: e.Service + ": " + data.Error, tint: cyan}
	case data.Action != "":
		return entry{icon: "🙋", text: fmt.Sprintf("%s: %s requested by %s", e.Service, data.Action, event.OperatorName(e.By)), tint: cyan}
	}
	if data.Check == event.CheckUpdate { // its service need not be DOWN
		return entry{icon: "🟡", text: because(e.Service+": incident opened about an update", data.Error), tint: yellow, level: slog.LevelWarn}
	}
	if down := s.is(e.Service, event.Down, data.Error); down.text != "" {
		return down // in front of what follows from it
	}
	return entry{text: e.Service + ": incident opened", logOnly: true}
}

// commandLine is what a person would type, or, where there is no command line
// for it, the action.
func commandLine(command, action, name string) string { return cmp.Or(command, action+" "+name) }

// decidedBy says who decided where a model was queried, and else nothing.
func decidedBy(by string, d event.Diagnosed) string {
	model, is := strings.CutPrefix(by, event.ByModel)
	program, proposed := event.ProposerName(by)
	switch {
	case proposed:
		return fmt.Sprintf(" (proposed by %s: %s)", program, d.Action)
	case is:
		return fmt.Sprintf(" (%s: %s)", model, d.Action)
	case d.Invalid != "":
		return fmt.Sprintf(" (runbook: %s; model: %s)", d.Action, d.Invalid)
	case d.Model != nil:
		return fmt.Sprintf(" (runbook: %s; the model would %s)", d.Action, would(d.Model.Action))
	}
	return ""
}

// would is what a model would do that was overruled.
func would(action string) string {
	switch action {
	case service.ActionNone:
		return "wait"
	case service.ActionEscalate:
		return "call a person"
	}
	return action
}

// shortID is how many characters of a container's id Docker prints.
const shortID = 12

func finished(command string, data event.ActionFinished) entry {
	switch data.Outcome {
	case event.OutcomeOK:
		if data.KeptID != "" {
			return entry{icon: "📦", text: fmt.Sprintf("%[1]s succeeded; the old container is kept as %[2]s; remove it with docker rm %[2]s when it is no longer needed", command, data.KeptID[:min(len(data.KeptID), shortID)]), tint: faint}
		}
		return entry{text: command + " succeeded", logOnly: true}
	case event.OutcomeNotExecuted:
		return entry{icon: "⏭", text: command + " " + cmp.Or(data.Error, "was not executed"), tint: yellow} // not carried out: …
	}
	return entry{icon: "❌", text: because(command, data.Error), tint: red}
}

func verified(name string, data event.Verified) entry {
	switch data.Outcome {
	case event.OutcomeVerified:
		return entry{text: fmt.Sprintf("%s: repair verified by %d good checks", name, data.Observations), logOnly: true}
	case event.OutcomeInterrupted:
		return entry{icon: "⏭", text: name + ": verification " + cmp.Or(data.Error, "interrupted"), tint: yellow} // interrupted: …
	}
	return entry{icon: "❌", text: because(name+": repair failed verification", data.Error), tint: red}
}

func resolved(name string, data event.Resolved) entry {
	text := name + ": incident closed by an operator, or because the service was removed"
	switch data.How {
	case event.HowHealed:
		text = fmt.Sprintf("%s healed in %s (verified after %s)", name, seconds(data.DownMS), seconds(data.TTRMS))
	case event.HowRecovered:
		text = fmt.Sprintf("%s recovered by itself after %s", name, seconds(data.DownMS))
	}
	return entry{icon: "✅", text: text, tint: green}
}

func seconds(ms float64) string { return fmt.Sprintf("%.1f s", ms/1000) }

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

// details are an event's values for programs; cause is its incident's so far.
func details(e event.Incident, cause string) []slog.Attr {
	switch data := e.Data.(type) {
	case event.Opened:
		return attributes("check", data.Check, "action", data.Action)
	case event.Diagnosed:
		return attributes("cause_id", data.CauseID, "cause", data.Cause, "action", data.Action, "command", data.Command)
	case event.ApprovalRequested:
		return attributes("cause", cause, "action", data.Action, "command", data.Command)
	case event.ActionStarted:
		return attributes("cause", cause, "action", data.Action, "command", data.Command)
	case event.ActionFinished:
		return attributes("action", data.Action, "command", data.Command, "outcome", string(data.Outcome), "output", data.Output)
	case event.Verified:
		return attributes("outcome", string(data.Outcome))
	case event.Suppressed:
		return attributes("cause", cause, "gate", data.Gate, "root", data.Root)
	case event.Escalated:
		return attributes("cause", cause)
	case event.Resolved:
		return attributes("cause", cause, "how", data.How)
	}
	return nil
}

// attributes are pairs of a key and its value, without those that are empty.
func attributes(pairs ...string) []slog.Attr {
	var all []slog.Attr
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all = append(all, slog.String(pairs[i], printable(pairs[i+1])))
		}
	}
	return all
}

// many is a number of things: "1 fact", "2 facts".
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
