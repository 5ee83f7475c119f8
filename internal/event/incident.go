package event

import (
	"fmt"
	"time"
)

// Type names an incident event.
type Type string

// The life of an incident.
const (
	TypeOpened            Type = "opened"
	TypeEvidence          Type = "evidence"
	TypeDiagnosed         Type = "diagnosed"
	TypeApprovalRequested Type = "approval_requested"
	TypeApproved          Type = "approved"
	TypeDenied            Type = "denied"
	TypeAcknowledged      Type = "acknowledged"
	TypeActionStarted     Type = "action_started"
	TypeActionFinished    Type = "action_finished"
	TypeVerified          Type = "verified"
	TypeResolved          Type = "resolved"
	TypeEscalated         Type = "escalated"
	TypeSuppressed        Type = "suppressed"
	TypeReported          Type = "reported"
	TypeNoted             Type = "noted"
	TypeClaim             Type = "claim"
)

// Who decides. A model is named behind ByModel.
const (
	ByModel     = "llm:"
	ByRunbook   = "runbook"
	ByGuard     = "guard"
	ByLogstream = "logstream"
	ByOperator  = "operator:" // and the operator's name
	ByProposer  = "mcp:"      // and the program's name: it proposed what an operator then approved
)

// MaxOutput is the most that is kept of what an operator's command printed, in
// bytes.
const MaxOutput = 64 << 10

// MaxIncident is the most that one incident event may weigh, in bytes.
const MaxIncident = 256 << 10

// Incident is one event in an incident's life: a record of TopicIncidents.
// Its meaning is (ID, Seq): the first with both counts.
type Incident struct {
	ID      string    `json:"id"`
	Seq     int       `json:"seq"` // 1, 2, 3 … within the incident
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Type    Type      `json:"type"`
	By      string    `json:"by"`
	Data    Data      `json:"data"`
	Origin
}

// Data is what an incident event says; its concrete type follows Type. A type
// that this version does not know is kept as Other.
type Data interface{ eventType() Type }

// Opened: a service that is DOWN has no incident yet.
type Opened struct {
	Error    string    `json:"error"`
	Check    string    `json:"check"` // with Instance: the source that decided
	Instance string    `json:"instance"`
	FirstBad time.Time `json:"first_bad"`
	Kind     string    `json:"kind"`             // service or fleet
	Action   string    `json:"action,omitempty"` // that an operator asked for, or a program proposed, where one did
	// Proposed is what a program proposed, where the incident was opened for that.
	Proposed *Opinion `json:"proposed,omitempty"`
	// UndoesIncident and Undoes are the incident and its attempt that an operator
	// asked to be undone: that, and nothing else, is done in this incident.
	UndoesIncident string `json:"undoes_incident,omitempty"`
	Undoes         int    `json:"undoes,omitempty"`
}

// Fact is one observation about a failure.
type Fact struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Decisive bool   `json:"decisive"`
	Why      string `json:"why,omitempty"`
}

// Evidence is the facts and log lines that were collected.
type Evidence struct {
	Facts     []Fact   `json:"facts"`
	Logs      []string `json:"logs"`      // at most 12 lines
	Truncated bool     `json:"truncated"` // lines were left out
	// FirstSeen are the lines of Logs whose message the container did not write
	// before, as far as is known.
	FirstSeen []FirstSeen `json:"first_seen,omitempty"`
}

// FirstSeen is a log line whose message was not seen before.
type FirstSeen struct {
	Line int `json:"line"` // in Logs, from 0
	Days int `json:"days"` // whole days back to the oldest line that is known
}

// String says it to a person.
func (f FirstSeen) String() string {
	switch f.Days {
	case 0:
		return "new: not seen before in this log"
	case 1:
		return "new: not seen in the last day"
	}
	return fmt.Sprintf("new: not seen in the last %d days", f.Days)
}

// NewLines says of lines of Logs, by their place, that their message is new.
func (e Evidence) NewLines() map[int]string {
	said := map[int]string{}
	for _, f := range e.FirstSeen {
		said[f.Line] = f.String()
	}
	return said
}

// Choice is an action that may be chosen.
type Choice struct {
	Letter string `json:"letter"`
	Action string `json:"action"`
	Why    string `json:"why"`
}

// Refusal is an action that may not be chosen here and now.
type Refusal struct {
	Action string `json:"action"`
	Why    string `json:"why"`
}

// Opinion is what the runbook, or the model, holds to be the case.
type Opinion struct {
	Cause      string  `json:"cause"`
	Action     string  `json:"action"`
	Confidence float64 `json:"confidence"`
	Why        string  `json:"why"`
}

// Diagnosed: a cause was found, and an action chosen.
type Diagnosed struct {
	CauseID    string    `json:"cause_id,omitempty"` // stable, such as stopped or http_5xx
	Cause      string    `json:"cause"`              // one sentence in the present
	CausePast  string    `json:"cause_past,omitempty"`
	Action     string    `json:"action"`
	Target     string    `json:"target"`
	Confidence float64   `json:"confidence"` // 0 to 1
	Command    string    `json:"command"`    // what a person would type: shown, never executed
	Legal      []Choice  `json:"legal"`
	NotOffered []Refusal `json:"not_offered"`
	Runbook    *Opinion  `json:"runbook,omitempty"`
	Model      *Opinion  `json:"model,omitempty"`
	Proposed   *Opinion  `json:"proposed,omitempty"` // what a program proposed, where that is what stands: it waits for approval
	Asked      string    `json:"asked,omitempty"`    // the model that was queried, whichever view was used
	Reasoning  string    `json:"reasoning,omitempty"`
	Prompt     string    `json:"prompt,omitempty"`
	Raw        string    `json:"raw,omitempty"`
	Invalid    string    `json:"invalid,omitempty"`
	// InvalidCode is why the model's view was not used, for programs; Invalid is
	// the same for people.
	InvalidCode InvalidCode `json:"invalid_code,omitempty"`
}

// ApprovalRequested: an action waits for a person's approval.
type ApprovalRequested struct {
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Command string    `json:"command"`
	Undo    string    `json:"undo"`
	Cost    string    `json:"cost"`
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires"`
	// Pins are what the target was when the approval was requested: approved is
	// the action on that, and on nothing else.
	Pins   Pins    `json:"pins"`
	Params *Params `json:"params,omitempty"`
}

// Approved: a person approved the action.
type Approved struct {
	Reason string `json:"reason"`
}

// Denied: a person denied the action.
type Denied struct {
	Reason string `json:"reason"`
}

// Acknowledged: a person, Incident.By, knows of the incident. It changes nothing
// but that its repeated notifications stop.
type Acknowledged struct {
	Reason string `json:"reason,omitempty"`
}

// Pins are what the target was at the decision; the call is made only while
// they hold.
type Pins struct {
	ContainerID string    `json:"container_id"`
	ImageID     string    `json:"image_id"`
	SpecHash    string    `json:"spec_hash"`
	StartedAt   time.Time `json:"started_at"`
	State       string    `json:"state"`
	// LastEvent is the engine's time of the newest event that was known of the
	// container: what came after it is either the action's doing or from outside.
	LastEvent time.Time `json:"last_event"`
}

// ActionStarted is the intent: written and read back before the call.
type ActionStarted struct {
	Attempt int       `json:"attempt"`
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Command string    `json:"command"`
	Pins    Pins      `json:"pins"`
	Expires time.Time `json:"expires"`
	Verify  int       `json:"verify"` // good checks needed
	Params  *Params   `json:"params,omitempty"`
	Undo    *Params   `json:"undo,omitempty"` // what it would take to undo it; nil: it cannot be undone
	// UndoCommand is what a person would type to undo it: shown, never executed.
	UndoCommand string `json:"undo_command,omitempty"`
	Undoes      int    `json:"undoes,omitempty"` // the attempt of this incident that it undoes
	// FirstBad is when the outage began during which it was decided; zero: the service
	// was good.
	FirstBad time.Time `json:"first_bad,omitzero"`
}

// NotCarriedOut begins the error of an action whose call was never made.
const NotCarriedOut = notCarriedOut

// Interrupted begins the error of a verification that something outside ended.
const Interrupted = interrupted

// ActionFinished is the result of an action.
type ActionFinished struct {
	Attempt    int     `json:"attempt"`
	Action     string  `json:"action"`
	Target     string  `json:"target"`
	Command    string  `json:"command"`
	OK         bool    `json:"ok"`
	Outcome    Outcome `json:"outcome,omitempty"`
	Error      string  `json:"error,omitempty"`
	DurationMS float64 `json:"duration_ms"`
	// StartedAt is the container's after the call: as the action left it.
	StartedAt time.Time `json:"started_at,omitzero"`
	// ContainerID is the container that the action left in the service's place,
	// where that is another than the pinned one; KeptID the one that it kept.
	ContainerID string `json:"container_id,omitempty"`
	KeptID      string `json:"kept_id,omitempty"`
	// Output is what the operator's own command printed, bounded and redacted.
	Output string `json:"output,omitempty"`
}

// Verified says how the verification of a repair ended.
type Verified struct {
	OK           bool      `json:"ok"`
	Outcome      Outcome   `json:"outcome,omitempty"`
	Observations int       `json:"observations"`
	Since        time.Time `json:"since"` // when the first of the checks that count began
	Error        string    `json:"error,omitempty"`
}

// How an incident ended.
const (
	HowHealed    = "healed"
	HowRecovered = "recovered"
	HowOperator  = "operator"
)

// Resolved is the end of an incident.
type Resolved struct {
	How      string  `json:"how"`
	Attempts int     `json:"attempts"`
	TTDMS    float64 `json:"ttd_ms"` // first bad observation to opened
	TTRMS    float64 `json:"ttr_ms"` // first bad observation to resolved
	// DownMS is the time the service was not good: from the first bad observation
	// (or from the first action, if the service answered when the incident was
	// opened) to the first good observation of the verified run.
	DownMS float64 `json:"down_ms"`
}

// Escalated: a person is needed.
type Escalated struct {
	Reason string `json:"reason"`
	Code   string `json:"code,omitempty"` // why, where a later decision needs it: recurrence, return
}

// Suppressed: a gate holds the incident, which stays open.
type Suppressed struct {
	Gate   string     `json:"gate"`
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until,omitempty"`
	// Root is the service that this one waits for, and RootIncident that one's
	// incident; empty where it waits for none, or that has no incident yet.
	Root         string `json:"root,omitempty"`
	RootIncident string `json:"root_incident,omitempty"`
	// StateSince is when the container entered the state in which an operator's decision
	// left it, by the engine's clock; absent where another gate holds, or it is not known.
	StateSince *time.Time `json:"state_since,omitempty"`
}

// Reported carries the post-mortem.
type Reported struct {
	Text string `json:"text"` // Markdown
}

// Noted is a note of a person, Incident.By, about an incident, open or ended. Like a
// claim it belongs to no incident's own sequence: Incident.ID is that of the command, Seq
// is 1, and the same ID twice is the same note. It has no nonce, so that a reader that does
// not know this type does not take it for the first event of an incident.
type Noted struct {
	Incident string `json:"incident"`
	Text     string `json:"text"` // at most MaxNote bytes
}

// Claim says which instance is active for a host from here on.
type Claim struct {
	Host     string `json:"host"`
	Instance string `json:"instance"`
	Epoch    int64  `json:"epoch"`
	Nonce    string `json:"nonce"`
	// Engine is the ID of the container engine that the instance acts on; empty
	// where it has none, or has not answered yet. It distinguishes two engines under one
	// host's name.
	Engine string `json:"engine,omitempty"`
}
