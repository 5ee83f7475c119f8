package state

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// The states of an incident.
const (
	Open      = "open"
	Resolved  = "resolved"
	Escalated = "escalated"
)

// HeldForApproval is what holds an incident that waits for an operator's approval.
const HeldForApproval = "approval"

// HeldToObserve is what holds an incident that LogStream may only observe.
const HeldToObserve = "observe"

// Incident is one incident, folded from its events.
type Incident struct {
	ID         string
	Service    string
	Host       string
	Kind       string
	State      string // Open, Resolved or Escalated
	Opened     time.Time
	Resolved   *time.Time
	FirstBad   time.Time
	Error      string // why it was opened
	CauseID    string
	Cause      string // in the present
	CausePast  string // the same once it is over
	Action     string // the last that was chosen
	Target     string
	DecidedBy  string
	Attempts   int    // intents so far
	Counted    int    // those of them that the incident's budget counts
	Held       string // the gate that holds it, or empty
	HeldReason string
	HeldUntil  *time.Time
	// Root is the service that it waits or waited for, as the cause of its own
	// failure, and RootIncident that one's incident; empty where it had a repair of
	// its own since, or none is known.
	Root         string
	RootIncident string
	// Acknowledged is the newest acknowledgement by a person; nil: there is none.
	Acknowledged *Acknowledged
	How          string // how it ended
	TTDMS        float64
	TTRMS        float64
	DownMS       float64
	Events       []event.Incident // in order; seq has no gap
}

// Acknowledged is who knows of an incident, and since when.
type Acknowledged struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Seq is that of the newest event.
func (in *Incident) Seq() int { return in.Events[len(in.Events)-1].Seq }

// Last is the newest event of one of the types, and whether there is one.
func (in *Incident) Last(types ...event.Type) (event.Incident, bool) {
	for i := len(in.Events) - 1; i >= 0; i-- {
		if slices.Contains(types, in.Events[i].Type) {
			return in.Events[i], true
		}
	}
	return event.Incident{}, false
}

// Incidents folds TopicIncidents: the claims, and the life of every incident.
// An event counts if it was written under the newest claim of its host before
// it, and if its seq is the next one: the same id and seq twice, the first
// counts. The zero value is not ready; use NewIncidents.
type Incidents struct {
	Claims
	byID  map[string]*Incident
	order []*Incident
	bySvc map[[2]string][]*Incident // by service and host
	// early holds, by host, what stands before the first claim that is still
	// on the log: it counts if that claim turns out to be a repeat of its own.
	early map[string][]event.Incident
	// gone holds, by host, what was forgotten of the newest claim's incidents:
	// an event of one that is published again must not open it again.
	gone map[string]map[string]bool
}

// NewIncidents is the fold of an empty log.
func NewIncidents() *Incidents {
	return &Incidents{byID: map[string]*Incident{}, bySvc: map[[2]string][]*Incident{}, early: map[string][]event.Incident{},
		gone: map[string]map[string]bool{}}
}

// Apply folds one event. It returns the incident that changed, or nil for a
// claim, and whether the event counted.
func (f *Incidents) Apply(e event.Incident) (*Incident, bool) {
	switch data := e.Data.(type) {
	case event.Claim:
		return nil, f.applyClaim(data)
	case event.Noted:
		return nil, false // not part of an incident's own sequence
	}
	if _, known := f.Newest(e.Host); !known {
		f.early[e.Host] = append(f.early[e.Host], e)
		return nil, false
	}
	if !f.Owns(e.Origin) {
		return nil, false
	}
	return f.count(e)
}

func (f *Incidents) applyClaim(claim event.Claim) bool {
	verdict := f.Claims.Apply(claim)
	if verdict == Taken {
		delete(f.gone, claim.Host) // its nonce is ignored from here on
	}
	if early := f.early[claim.Host]; verdict == Taken && early != nil {
		delete(f.early, claim.Host)
		for _, e := range early {
			if e.Nonce == claim.Nonce {
				f.count(e)
			}
		}
	}
	return verdict != Ignored
}

func (f *Incidents) count(e event.Incident) (*Incident, bool) {
	in := f.byID[e.ID]
	if f.gone[e.Host][e.ID] {
		return nil, false
	}
	if in == nil {
		in = beginning(e)
		f.byID[e.ID] = in
		f.order = append(f.order, in)
		key := [2]string{in.Service, in.Host}
		f.bySvc[key] = append(f.bySvc[key], in)
	} else if e.Seq != in.Seq()+1 || in.State == Resolved && e.Type != event.TypeReported {
		return nil, false
	}
	in.apply(e)
	return in, true
}

// Get is the incident with that id, or nil.
func (f *Incidents) Get(id string) *Incident { return f.byID[id] }

// All are the incidents, in the order in which they were opened.
func (f *Incidents) All() []*Incident { return f.order }

// Of are the incidents of one service on one host, in the order in which they
// were opened.
func (f *Incidents) Of(service, host string) []*Incident { return f.bySvc[[2]string{service, host}] }

// Forget drops the oldest resolved incidents beyond the newest keep.
func (f *Incidents) Forget(keep int) {
	excess := len(f.order) - keep
	f.order = slices.DeleteFunc(f.order, func(in *Incident) bool {
		if excess <= 0 || in.State != Resolved {
			return false
		}
		excess--
		delete(f.byID, in.ID)
		if f.Owns(in.Events[len(in.Events)-1].Origin) {
			if f.gone[in.Host] == nil {
				f.gone[in.Host] = map[string]bool{}
			}
			f.gone[in.Host][in.ID] = true
		}
		key := [2]string{in.Service, in.Host}
		f.bySvc[key] = slices.DeleteFunc(f.bySvc[key], func(of *Incident) bool { return of == in })
		return true
	})
}

func beginning(e event.Incident) *Incident {
	return &Incident{ID: e.ID, Service: e.Service, Host: e.Host, State: Open, Opened: e.Time, FirstBad: e.Time}
}

// With is the incident as it is once e counts, which is its next event; of nil, the one
// that e begins. The incident itself stays as it is.
func (in *Incident) With(e event.Incident) *Incident {
	if in == nil {
		in = beginning(e)
	}
	next := *in
	next.Events = slices.Clip(next.Events)
	next.apply(e)
	return &next
}

func (in *Incident) apply(e event.Incident) {
	in.Events = append(in.Events, e)
	switch data := e.Data.(type) {
	case event.Opened:
		in.Opened, in.FirstBad, in.Kind, in.Error = e.Time, data.FirstBad, data.Kind, data.Error
	case event.Evidence:
		in.reopen()
	case event.Diagnosed:
		in.reopen()
		in.CauseID, in.Cause, in.CausePast = data.CauseID, data.Cause, data.CausePast
		in.Action, in.Target, in.DecidedBy = data.Action, data.Target, e.By
	case event.ApprovalRequested:
		in.reopen()
		in.hold(HeldForApproval, data.Reason, &data.Expires)
	case event.Approved, event.Denied:
		in.release()
	case event.Acknowledged:
		in.Acknowledged = &Acknowledged{By: e.By, At: e.Time, Reason: data.Reason}
	case event.Suppressed:
		in.reopen()
		in.hold(data.Gate, data.Reason, data.Until)
		if data.Root != "" {
			in.Root, in.RootIncident = data.Root, data.RootIncident
		}
	case event.ActionStarted:
		in.reopen()
		in.release()
		in.Root, in.RootIncident = "", ""
		in.Attempts = data.Attempt
		in.Counted++
		in.Action, in.Target = data.Action, data.Target
	case event.ActionFinished:
		in.release()
		in.uncount(data.Outcome == event.OutcomeNotExecuted)
	case event.Verified:
		in.release()
		in.uncount(data.Outcome == event.OutcomeInterrupted)
	case event.Escalated:
		in.release()
		in.State = Escalated
	case event.Resolved:
		in.release()
		at := e.Time
		in.State, in.Resolved, in.How = Resolved, &at, data.How
		in.TTDMS, in.TTRMS, in.DownMS = data.TTDMS, data.TTRMS, data.DownMS
	}
}

// uncount takes the newest attempt out of what the budget counts: one that was
// not executed, or that an external change ended.
func (in *Incident) uncount(yes bool) {
	if yes && in.Counted > 0 {
		in.Counted--
	}
}

// reopen is what deliberating about an escalated incident means: it is open again.
func (in *Incident) reopen() { in.State = Open }

func (in *Incident) hold(gate, reason string, until *time.Time) {
	in.Held, in.HeldReason, in.HeldUntil = gate, reason, until
}

func (in *Incident) release() { in.hold("", "", nil) }
