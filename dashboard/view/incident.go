package view

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// The phases of an incident, in their order. What holds it is apart from its
// phase: Incident.Held.
const (
	PhaseDetected     = "detected"
	PhaseEvidence     = "evidence"
	PhaseDiagnosis    = "diagnosis" // until an action begins; also after one that failed
	PhaseApproval     = "approval"  // an operator's approval is needed
	PhaseAction       = "action"
	PhaseVerification = "verification"
	PhaseEnded        = "ended" // resolved, or escalated and not taken up again
)

// Incident is an incident as the API and the page show it.
type Incident struct {
	ID        string     `json:"id"`
	Service   string     `json:"service"`
	Host      string     `json:"host"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"`
	Phase     string     `json:"phase"`
	Progress  *Progress  `json:"progress"` // null outside verification
	Next      *Next      `json:"next"`     // null where nothing happens by itself at a known time
	Opened    time.Time  `json:"opened"`
	Resolved  *time.Time `json:"resolved"`
	FirstBad  time.Time  `json:"first_bad"`
	Error     string     `json:"error"` // why it was opened
	CauseID   string     `json:"cause_id"`
	Cause     string     `json:"cause"`      // in the present
	CausePast string     `json:"cause_past"` // the same once it is over
	Action    string     `json:"action"`
	Target    string     `json:"target"`
	DecidedBy string     `json:"decided_by"`
	Outcome   string     `json:"outcome"` // what became of the newest decision; empty before there is one
	// Attempts are those that the incident's budget counts: neither one that was
	// not executed nor one that an external change interrupted.
	Attempts   int        `json:"attempts"`
	Held       string     `json:"held"` // the gate that holds it, or empty
	HeldReason string     `json:"held_reason,omitempty"`
	HeldUntil  *time.Time `json:"held_until,omitempty"`
	// Root is the service that it waits or waited for, as the cause of its own
	// failure, and RootIncident that one's incident.
	Root         string `json:"root,omitempty"`
	RootIncident string `json:"root_incident,omitempty"`
	How          string `json:"how,omitempty"` // how it ended
	// Acted is when the newest attempt was begun; null: nothing was tried. Charts
	// mark a repair there.
	Acted *time.Time `json:"acted"`
	// Called is when a person was called last, also where that is over.
	Called *time.Time `json:"called,omitempty"`
	// Escalated is when it was handed to a person, where it still is.
	Escalated       *time.Time `json:"escalated,omitempty"`
	EscalatedReason string     `json:"escalated_reason,omitempty"`
	// Approval is the request that waits for an operator; null where none does.
	Approval     *Approval           `json:"approval"`
	Undo         *Undo               `json:"undo"`            // what can be undone by hand; null: nothing
	Acknowledged *state.Acknowledged `json:"acknowledged"`    // by whom, and since when; null: by no one
	Notes        []Note              `json:"notes,omitempty"` // of operators, oldest first
	// Durations in milliseconds, null until it is resolved.
	TTDMS  *float64 `json:"ttd_ms"`
	TTRMS  *float64 `json:"ttr_ms"`
	DownMS *float64 `json:"down_ms"`
}

// Approval is a request that waits for an operator's answer.
type Approval struct {
	Request   int       `json:"request"` // its seq: an answer names it
	Action    string    `json:"action"`
	Target    string    `json:"target"`
	Command   string    `json:"command"` // what a person would type for it
	Undo      string    `json:"undo"`    // the same to undo it; empty: LogStream cannot undo it
	Cost      string    `json:"cost"`
	Reason    string    `json:"reason"` // why it is requested
	Requested time.Time `json:"requested"`
	Expires   time.Time `json:"expires"`
}

// Undo is an attempt that can be undone, as far as the log says.
type Undo struct {
	Attempt int    `json:"attempt"`
	Action  string `json:"action"`
	Command string `json:"command"`
}

// Progress is how many good scheduled checks in a row a verification has, and
// how many it needs.
type Progress struct {
	Good   int `json:"good"`
	Needed int `json:"needed"`
}

// Next is what happens by itself: when the gate that holds an incident opens,
// and the action that is then considered again; empty where none is chosen yet.
type Next struct {
	Action string    `json:"action"`
	At     time.Time `json:"at"`
	Gate   string    `json:"gate"`
}

// IncidentDetail is an incident with its whole life.
type IncidentDetail struct {
	Incident
	Dependents []Dependent      `json:"dependents"` // the incidents of which this one is the root
	Similar    []Similar        `json:"similar"`    // earlier incidents of the same cause: of the same service first, newest first
	Events     []event.Incident `json:"events"`
}

// Dependent is an incident that folds into its root's.
type Dependent struct {
	ID      string `json:"id"`
	Service string `json:"service"`
	State   string `json:"state"`
}

// IncidentEvent is an event of an incident as the WebSocket sends it: with the
// state that the incident has from it on, and the incident as GET /incidents
// shows it from then on.
type IncidentEvent struct {
	event.Incident
	State   string   `json:"state"`
	Summary Incident `json:"incident"`
}

// phase is where an incident stands.
func phase(in *state.Incident) string {
	switch {
	case in.State != state.Open:
		return PhaseEnded
	case in.Held == state.HeldForApproval:
		return PhaseApproval
	}
	last, _ := in.Last(event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeApproved, event.TypeDenied,
		event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
	switch data := last.Data.(type) {
	case event.Evidence:
		return PhaseEvidence
	case event.ActionStarted:
		return PhaseAction
	case event.ActionFinished:
		return verificationIf(data.OK)
	case event.Verified:
		return verificationIf(data.OK) // until it says resolved
	case event.Diagnosed, event.Approved, event.Denied:
		return PhaseDiagnosis
	}
	return PhaseDetected
}

func verificationIf(ok bool) string {
	if ok {
		return PhaseVerification
	}
	return PhaseDiagnosis
}

// approval is the request for which an incident waits, or nil.
func approval(in *state.Incident) *Approval {
	asked, is := in.Last(event.TypeApprovalRequested)
	if !is || in.State != state.Open || in.Held != state.HeldForApproval {
		return nil
	}
	data := asked.Data.(event.ApprovalRequested)
	return &Approval{Request: asked.Seq, Action: data.Action, Target: data.Target, Command: data.Command, Undo: data.Undo, Cost: data.Cost, Reason: data.Reason,
		Requested: asked.Time, Expires: data.Expires}
}

// next is what happens to an incident by itself. Nothing does at the end of a
// request for approval.
func next(in *state.Incident) *Next {
	if in.State != state.Open || in.HeldUntil == nil || in.Held == state.HeldForApproval {
		return nil
	}
	return &Next{Action: in.Action, At: *in.HeldUntil, Gate: in.Held}
}

// Recent are the incidents that are not resolved, and the newest of all;
// newest first.
func (f *Fleet) Recent(now time.Time) []Incident {
	all := f.Incidents.All()
	shown := []Incident{}
	for i := len(all) - 1; i >= 0; i-- {
		if len(shown) < shownIncidents || all[i].State != state.Resolved {
			shown = append(shown, f.incident(all[i], now))
		}
	}
	return shown
}

// Incident is the incident with that id, with its events. Those are shared and
// must not be changed.
func (f *Fleet) Incident(id string, now time.Time) (IncidentDetail, bool) {
	in := f.Incidents.Get(id)
	if in == nil {
		return IncidentDetail{}, false
	}
	return IncidentDetail{f.incident(in, now), dependents(f.Incidents.All(), in), similar(f.Incidents.All(), in), in.Events[:len(in.Events):len(in.Events)]}, true
}

// dependents are the incidents of which root is the root, newest first. A service
// that failed before its root's incident was opened names the service alone.
func dependents(all []*state.Incident, root *state.Incident) []Dependent {
	list := []Dependent{}
	for i := len(all) - 1; i >= 0 && len(list) < shownIncidents; i-- {
		in := all[i]
		if in.RootIncident == root.ID || in.RootIncident == "" && in.Root == root.Service && overlap(in, root) {
			list = append(list, Dependent{ID: in.ID, Service: in.Service, State: in.State})
		}
	}
	return list
}

// overlap says whether two incidents were open at the same time.
func overlap(a, b *state.Incident) bool {
	return (a.Resolved == nil || !a.Resolved.Before(b.Opened)) && (b.Resolved == nil || !b.Resolved.Before(a.Opened))
}

// incident is in as it is shown at now.
func (f *Fleet) incident(in *state.Incident, now time.Time) Incident {
	v := Incident{
		ID: in.ID, Service: in.Service, Host: in.Host, Kind: in.Kind, State: in.State, Phase: phase(in), Progress: f.progress(in, now), Next: next(in),
		Opened: in.Opened, Resolved: in.Resolved, FirstBad: in.FirstBad, Error: in.Error,
		CauseID: in.CauseID, Cause: in.Cause, CausePast: in.CausePast, Action: in.Action, Target: in.Target, DecidedBy: in.DecidedBy, Outcome: outcome(in),
		Attempts: in.Counted, Held: in.Held, HeldReason: in.HeldReason, HeldUntil: in.HeldUntil, Root: in.Root, RootIncident: in.RootIncident, How: in.How,
	}
	v.Approval, v.Acknowledged, v.Notes = approval(in), in.Acknowledged, f.Commands.notes.of[in.ID]
	if begun, is := in.Last(event.TypeActionStarted); is {
		v.Acted = &begun.Time
	}
	if undoable, why := f.Incidents.Undoable(in, 0); why == "" {
		v.Undo = &Undo{Attempt: undoable.Started.Attempt, Action: undoable.Started.Action, Command: undoable.Started.UndoCommand}
	}
	called, is := in.Last(event.TypeEscalated)
	if is {
		v.Called = &called.Time
	}
	switch in.State {
	case state.Resolved:
		ttd, ttr, down := in.TTDMS, in.TTRMS, in.DownMS
		v.TTDMS, v.TTRMS, v.DownMS = &ttd, &ttr, &down
	case state.Escalated:
		if is {
			v.Escalated, v.EscalatedReason = v.Called, called.Data.(event.Escalated).Reason
		}
	}
	return v
}

// progress is that of the verification in which an incident is, or nil. It
// counts as the healer does: good scheduled checks of our own in a row that
// began after the action's result, and after the claim of the instance that verifies.
func (f *Fleet) progress(in *state.Incident, now time.Time) *Progress {
	if phase(in) != PhaseVerification {
		return nil
	}
	begun, is := in.Last(event.TypeActionStarted)
	if !is {
		return nil // retention took it
	}
	needed := begun.Data.(event.ActionStarted).Verify
	last, _ := in.Last(event.TypeActionFinished, event.TypeVerified)
	if last.Type == event.TypeVerified {
		return &Progress{Good: needed, Needed: needed}
	}
	from := last.Time
	if claimed := f.claimed[in.Host]; claimed.After(from) {
		from = claimed
	}
	key := Key{in.Host, in.Service}
	return &Progress{Good: min(needed, f.history.Run(key, from, f.fresh(key), now)), Needed: needed}
}

// verifying is an incident whose verification runs, and the progress that clients
// have.
type verifying struct {
	in   *state.Incident
	sent Progress
}

// track remembers whether an incident is being verified, as it is shown at now.
func (f *Fleet) track(in *state.Incident, shown Incident) {
	key := Key{in.Host, in.Service}
	switch was, is := f.verifying[key]; {
	case shown.Progress != nil:
		f.verifying[key] = verifying{in, *shown.Progress}
	case is && was.in.ID == in.ID:
		delete(f.verifying, key)
	}
}

// progressChange is the incident of a service whose verification got on or fell
// back.
func (f *Fleet) progressChange(key Key, now time.Time) []Change {
	v, is := f.verifying[key]
	if !is {
		return nil
	}
	if progress := f.progress(v.in, now); progress == nil || *progress == v.sent {
		return nil
	}
	shown := f.incident(v.in, now)
	f.track(v.in, shown)
	return []Change{{KindSummary, shown}}
}

// Undoable says why an attempt of an incident cannot be undone, as far as the
// log says; empty where it can. Attempt 0 is the newest that can be.
func (f *Fleet) Undoable(id string, attempt int) event.RefusalCode {
	in := f.Incidents.Get(id)
	if in == nil {
		return event.RefusedUnknown
	}
	_, why := f.Incidents.Undoable(in, attempt)
	return why
}
