package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"logstream/healer"
	"logstream/healer/action"
	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
)

// The names of inputs in a file. They are the file's own, whatever Go calls
// them: a recording outlives many a type.
const (
	inHealth     = "health_log"
	inDocker     = "docker_event"
	inService    = "service"
	inCommand    = "command"
	inIncident   = "incident"
	inCaughtUp   = "caught_up"
	inEngine     = "engine"
	inInspected  = "inspected"
	inCollected  = "collected"
	inExecuted   = "executed"
	inModel      = "model"
	inAnswered   = "model_answered"
	inFailed     = "append_failed"
	inPublished  = "published"
	inConfigured = "configured"
	inLogs       = "logs_compared"
	inSpecs      = "specifications_kept"
	inTicks      = "ticks"
)

// inputLine is a line of the file that holds an input; each kind uses its own
// fields.
type inputLine struct {
	At    int64  `json:"at"` // nanoseconds since the header's start; of ticks: the first one
	Input string `json:"input"`

	Record json.RawMessage `json:"record,omitempty"` // as it stands on its topic
	Signed bool            `json:"signed,omitempty"`

	Service     string             `json:"service,omitempty"`
	Incident    string             `json:"incident,omitempty"`
	Request     int                `json:"request,omitempty"`
	Attempt     int                `json:"attempt,omitempty"`
	Seq         int                `json:"seq,omitempty"`
	State       *container.State   `json:"state,omitempty"`
	Error       *errorForm         `json:"error,omitempty"`
	Logs        []string           `json:"logs,omitempty"`
	Truncated   bool               `json:"truncated,omitempty"`
	LogsMissing string             `json:"logs_missing,omitempty"`
	FirstSeen   []event.FirstSeen  `json:"first_seen,omitempty"`
	Signs       []runbook.Signed   `json:"signs,omitempty"`
	Found       *runbook.Collected `json:"found,omitempty"`
	Compared    *event.UpdateLogs  `json:"compared,omitempty"`
	NotExecuted string             `json:"not_executed,omitempty"`
	Unseen      bool               `json:"unseen,omitempty"`
	ContainerID string             `json:"container_id,omitempty"` // that a call left in the target's place
	KeptID      string             `json:"kept_id,omitempty"`
	Output      string             `json:"output,omitempty"`
	Hashes      []string           `json:"hashes,omitempty"`
	Took        time.Duration      `json:"took_ns,omitempty"`
	OK          bool               `json:"ok,omitempty"`
	Why         string             `json:"why,omitempty"`
	Code        event.InvalidCode  `json:"code,omitempty"`
	Answer      *answerForm        `json:"answer,omitempty"`
	Nonce       string             `json:"nonce,omitempty"`
	Engine      string             `json:"engine,omitempty"`
	Services    json.RawMessage    `json:"services,omitempty"`
	Discovering bool               `json:"discovering,omitempty"`
	Ticks       []int64            `json:"ticks,omitempty"` // each one's distance from the one before
}

type answerForm struct {
	Opinion   *event.Opinion    `json:"opinion,omitempty"`
	Code      event.InvalidCode `json:"code,omitempty"`
	Invalid   string            `json:"invalid,omitempty"`
	Prompt    string            `json:"prompt,omitempty"`
	Raw       string            `json:"raw,omitempty"`
	Reasoning string            `json:"reasoning,omitempty"`
}

// encodeInput is an input as a line of the file, without its time. Ticks are
// the recorder's to gather.
func encodeInput(in healer.Input) (inputLine, error) {
	switch in := in.(type) {
	case healer.ReadHealth:
		return inputLine{Input: inHealth, Record: event.Encode(in.Log), Signed: in.Signed}, nil
	case healer.ReadDocker:
		return inputLine{Input: inDocker, Record: event.Encode(in.Event)}, nil
	case healer.ReadService:
		return inputLine{Input: inService, Record: event.Encode(in.Service)}, nil
	case healer.ReadCommand:
		return inputLine{Input: inCommand, Record: event.Encode(in.Command)}, nil
	case healer.ReadIncident:
		return inputLine{Input: inIncident, Record: event.Encode(in.Event)}, nil
	case healer.Replayed:
		return inputLine{Input: inCaughtUp, Nonce: in.Nonce, Discovering: in.Discovering}, nil
	case healer.EngineSeen:
		return inputLine{Input: inEngine, Engine: in.ID}, nil
	case healer.Inspected:
		return inputLine{Input: inInspected, Service: in.Service, Request: in.Request, State: encodeContainer(in.State), Error: encodeError(in.Err), Logs: in.Logs,
			Truncated: in.Truncated, LogsMissing: in.LogsMissing, FirstSeen: in.FirstSeen, Signs: in.Signs}, nil
	case healer.Collected:
		return inputLine{Input: inCollected, Service: in.Service, Request: in.Request, Found: &in.Found}, nil
	case healer.Executed:
		return inputLine{Input: inExecuted, Service: in.Service, Incident: in.Incident, Attempt: in.Attempt, NotExecuted: in.NotExecuted,
			Unseen: in.Unseen, ContainerID: in.Done.ContainerID, KeptID: in.Done.KeptID, Output: in.Done.Output,
			Error: encodeError(in.Err), State: encodeContainer(in.After), Took: in.Took}, nil
	case healer.LogsCompared:
		return inputLine{Input: inLogs, Service: in.Service, ContainerID: in.ContainerID, Compared: &in.Logs}, nil
	case healer.SpecsKept:
		return inputLine{Input: inSpecs, Hashes: in.Keys}, nil
	case healer.ModelState:
		return inputLine{Input: inModel, OK: in.Ready, Why: in.Why, Code: in.Code}, nil
	case healer.Answered:
		a := in.Answer
		return inputLine{Input: inAnswered, Service: in.Service, Incident: in.Incident, Request: in.Request,
			Answer: &answerForm{a.Opinion, a.Code, a.Invalid, a.Prompt, a.Raw, a.Reasoning}}, nil
	case healer.AppendFailed:
		return inputLine{Input: inFailed, Service: in.Service, Incident: in.ID, Seq: in.Seq}, nil
	case healer.Published:
		return inputLine{Input: inPublished, Service: in.Service, OK: in.OK}, nil
	case healer.Reconfigured:
		services, err := encodeConfig(in.Services)
		return inputLine{Input: inConfigured, Services: services, Discovering: in.Discovering}, err
	}
	return inputLine{}, fmt.Errorf("input %T has no form in a recording", in)
}

// decodeInput is the inverse of encodeInput.
func decodeInput(l inputLine) (healer.Input, error) {
	switch l.Input {
	case inHealth:
		log, err := event.DecodeHealthLog(l.Record)
		return healer.ReadHealth{Log: log, Signed: l.Signed}, err
	case inDocker:
		e, err := event.DecodeDocker(l.Record)
		return healer.ReadDocker{Event: e}, err
	case inService:
		s, err := event.DecodeService(l.Record)
		return healer.ReadService{Service: s}, err
	case inCommand:
		c, err := event.DecodeCommand(l.Record)
		return healer.ReadCommand{Command: c}, err
	case inIncident:
		e, err := event.DecodeIncident(l.Record)
		return healer.ReadIncident{Event: e}, err
	case inCaughtUp:
		return healer.Replayed{Nonce: l.Nonce, Discovering: l.Discovering}, nil
	case inEngine:
		return healer.EngineSeen{ID: l.Engine}, nil
	case inInspected:
		return healer.Inspected{Service: l.Service, Request: l.Request, State: decodeContainer(l.State), Err: l.Error.decode(), Logs: l.Logs,
			Truncated: l.Truncated, LogsMissing: l.LogsMissing, FirstSeen: l.FirstSeen, Signs: l.Signs}, nil
	case inCollected:
		if l.Found == nil {
			return nil, errors.New("what was collected is missing")
		}
		return healer.Collected{Service: l.Service, Request: l.Request, Found: *l.Found}, nil
	case inExecuted:
		return healer.Executed{Service: l.Service, Incident: l.Incident, Attempt: l.Attempt, NotExecuted: l.NotExecuted,
			Unseen: l.Unseen, Done: action.Done{ContainerID: l.ContainerID, KeptID: l.KeptID, Output: l.Output},
			Err: l.Error.decode(), After: decodeContainer(l.State), Took: l.Took}, nil
	case inLogs:
		if l.Compared == nil {
			return nil, errors.New("what was compared is missing")
		}
		return healer.LogsCompared{Service: l.Service, ContainerID: l.ContainerID, Logs: *l.Compared}, nil
	case inSpecs:
		return healer.SpecsKept{Keys: l.Hashes}, nil
	case inModel:
		return healer.ModelState{Ready: l.OK, Why: l.Why, Code: l.Code}, nil
	case inAnswered:
		if l.Answer == nil {
			return nil, errors.New("the model's answer is missing")
		}
		a := *l.Answer
		return healer.Answered{Service: l.Service, Incident: l.Incident, Request: l.Request,
			Answer: llm.Answer{Opinion: a.Opinion, Code: a.Code, Invalid: a.Invalid, Prompt: a.Prompt, Raw: a.Raw, Reasoning: a.Reasoning}}, nil
	case inFailed:
		return healer.AppendFailed{Service: l.Service, ID: l.Incident, Seq: l.Seq}, nil
	case inPublished:
		return healer.Published{Service: l.Service, OK: l.OK}, nil
	case inConfigured:
		services, err := decodeServices(l.Services)
		return healer.Reconfigured{Services: services, Discovering: l.Discovering}, err
	}
	return nil, fmt.Errorf("input %q is unknown", l.Input)
}
