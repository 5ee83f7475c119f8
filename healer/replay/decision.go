package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"logstream/healer"
	"logstream/internal/event"
)

// The names of decisions in a file.
const (
	doAppend  = "append"
	doPublish = "publish"
	doAnswer  = "answer"
	doInspect = "inspect"
	doCollect = "collect"
	doCheck   = "check"
	doKeep    = "keep"
	doQuery   = "query"
	doCall    = "call"
)

// decision is what was decided, as codes: no sentence and no time. Its key
// "decision" is one of the names above, "service" whom it concerns.
type decision map[string]any

func (d decision) text(key string) string {
	s, _ := d[key].(string)
	return s
}

func (d decision) number(key string) int {
	n, _ := d[key].(float64)
	return int(n)
}

// notCompared are keys that identify an effect, and may differ.
var notCompared = []string{"id", "seq", "request"}

// String is d on one line.
func (d decision) String() string {
	var b strings.Builder
	b.WriteString(d.text("decision"))
	if t := d.text("type"); t != "" {
		b.WriteString(" " + t)
	}
	for _, key := range slices.Sorted(maps.Keys(d)) {
		if key != "decision" && key != "service" && key != "type" && !slices.Contains(notCompared, key) {
			fmt.Fprintf(&b, " %s=%v", key, d[key])
		}
	}
	return b.String()
}

// matches says whether d is what was recorded. A later version writes richer
// records: what the recorded one does not have is not compared.
func (d decision) matches(recorded decision) bool {
	for key, want := range recorded {
		if slices.Contains(notCompared, key) {
			continue
		}
		a, _ := json.Marshal(want) // of what was JSON before
		b, _ := json.Marshal(d[key])
		if !bytes.Equal(a, b) {
			return false
		}
	}
	return true
}

// decisions are the effects that are decisions: to learn what a healthy service
// writes is none, nor to compare it, and neither is when to inspect again. Each event
// that is written is one.
func decisions(out []healer.Effect) []healer.Effect {
	var list []healer.Effect
	for _, e := range out {
		switch e := e.(type) {
		case healer.Learn, healer.CompareLogs, healer.Wake:
		case healer.Append:
			for i := range e.Events {
				list = append(list, healer.Append{Events: e.Events[i : i+1]})
			}
		default:
			list = append(list, e)
		}
	}
	return list
}

// decisionOf is an effect as codes.
func decisionOf(e healer.Effect) (decision, error) {
	var d decision
	switch e := e.(type) {
	case healer.Append:
		read, err := event.DecodeIncident(event.Encode(e.Events[0])) // as every reader has it, codes completed
		if err != nil {
			return nil, err
		}
		d = decision{"decision": doAppend, "service": read.Service, "type": string(read.Type), "by": read.By, "id": read.ID, "seq": read.Seq}
		maps.Copy(d, appended(read.Data))
	case healer.Publish:
		s := e.Service
		d = decision{"decision": doPublish, "service": s.Service, "removed": s.Definition == nil, "status": string(s.Status), "healing": s.Healing, "held": s.Held}
	case healer.Reply:
		c := e.Command
		d = decision{"decision": doAnswer, "service": c.Service, "id": c.ID, "command": c.Command, "ok": c.Result != nil && c.Result.OK}
	case healer.Inspect:
		d = decision{"decision": doInspect, "service": e.Service, "request": e.Request}
	case healer.Collect:
		d = decision{"decision": doCollect, "service": e.Service, "request": e.Request}
	case healer.CheckNow:
		d = decision{"decision": doCheck, "service": e.Service}
	case healer.Query:
		d = decision{"decision": doQuery, "service": e.Service, "request": e.Request, "legal": choices(e.Question.Legal)}
	case healer.Execute:
		d = decision{"decision": doCall, "service": e.Service, "attempt": e.Attempt, "action": e.Intent.Action, "container": e.Intent.Pins.ContainerID}
	case healer.KeepSpec:
		d = decision{"decision": doKeep, "service": e.Service}
	default:
		return nil, fmt.Errorf("effect %T has no form in a recording", e)
	}
	return d.plain()
}

// appended are the codes of an incident event. A code that is not set is left
// out: another version may set it.
func appended(data event.Data) decision {
	d := decision{}
	code := func(key, value string) {
		if value != "" {
			d[key] = value
		}
	}
	switch data := data.(type) {
	case event.Opened:
		d["kind"], d["check"], d["action"] = data.Kind, data.Check, data.Action
	case event.Diagnosed:
		d["action"], d["legal"] = data.Action, choices(data.Legal)
		code("cause_id", data.CauseID)
		code("invalid_code", string(data.InvalidCode))
		if data.Runbook != nil {
			d["runbook"] = data.Runbook.Action
		}
		if data.Model != nil {
			d["model"] = data.Model.Action
		}
	case event.ApprovalRequested:
		d["action"] = data.Action
	case event.ActionStarted:
		d["attempt"], d["action"], d["verify"] = data.Attempt, data.Action, data.Verify
	case event.ActionFinished:
		d["attempt"], d["action"], d["ok"] = data.Attempt, data.Action, data.OK
		code("outcome", string(data.Outcome))
	case event.Verified:
		d["ok"] = data.OK
		code("outcome", string(data.Outcome))
	case event.Suppressed:
		d["gate"], d["until"] = data.Gate, data.Until != nil
	case event.Resolved:
		d["how"], d["attempts"] = data.How, data.Attempts
	}
	return d
}

func choices(legal []event.Choice) []string {
	all := make([]string, len(legal))
	for i, c := range legal {
		all[i] = c.Action
	}
	return all
}

// plain is d as it is read from a file.
func (d decision) plain() (decision, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var out decision
	err = json.Unmarshal(text, &out)
	return out, err
}
