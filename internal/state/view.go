package state

import (
	"time"

	"logstream/internal/event"
)

// ServiceView is a service as the API and the page show it.
type ServiceView struct {
	Name          string                  `json:"name"`
	Group         string                  `json:"group"`
	Host          string                  `json:"host"`
	Status        event.Status            `json:"status"`
	Since         time.Time               `json:"since"`
	FirstBad      *time.Time              `json:"first_bad,omitempty"`
	Code          int                     `json:"code"`
	LatencyMS     float64                 `json:"latency_ms"`
	Error         string                  `json:"error"`
	Uptime        Uptime                  `json:"uptime"`
	WatchedS      float64                 `json:"watched_s"` // how much of the last hour is known: what uptime's 1h stands for
	Container     *event.ServiceContainer `json:"container"`
	Managed       bool                    `json:"managed"` // it has a container, so that it can be healed
	Healing       bool                    `json:"healing"`
	Held          string                  `json:"held,omitempty"` // the gate that holds its repair
	HeldReason    string                  `json:"held_reason,omitempty"`
	SilencedUntil *time.Time              `json:"silenced_until"`
	OpenIncident  *string                 `json:"open_incident"`
	Owner         string                  `json:"owner"` // the instance that is active for its host
	Sources       []event.Source          `json:"sources"`

	Configured bool    `json:"configured"` // false: somebody publishes about a name that nobody configured
	URL        string  `json:"url"`        // masked
	Note       string  `json:"note"`
	IntervalS  float64 `json:"interval_s"`
	Chaos      bool    `json:"chaos"`
	// Order is its place in the configuration of the host that is looked from,
	// from 1; 0 where it stands in another one, or in none.
	Order int `json:"order"`
}

// Uptime is the share of the known time, 0 to 1, over windows that end now;
// nil where nothing is known.
type Uptime struct {
	Hour  *float64 `json:"1h"`
	Day   *float64 `json:"24h"`
	Week  *float64 `json:"7d"`
	Month *float64 `json:"30d"`
}

// IncidentView is an incident as the API and the page show it.
type IncidentView struct {
	ID         string     `json:"id"`
	Service    string     `json:"service"`
	Host       string     `json:"host"`
	Kind       string     `json:"kind"`
	State      string     `json:"state"`
	Opened     time.Time  `json:"opened"`
	Resolved   *time.Time `json:"resolved"`
	FirstBad   time.Time  `json:"first_bad"`
	Error      string     `json:"error"` // why it was opened
	Cause      string     `json:"cause"`
	Action     string     `json:"action"`
	Target     string     `json:"target"`
	DecidedBy  string     `json:"decided_by"`
	Attempts   int        `json:"attempts"`
	Held       string     `json:"held"` // the gate that holds it, or empty
	HeldReason string     `json:"held_reason,omitempty"`
	HeldUntil  *time.Time `json:"held_until,omitempty"`
	How        string     `json:"how,omitempty"` // how it ended
	// Durations in milliseconds, null until it is resolved.
	TTDMS  *float64 `json:"ttd_ms"`
	TTRMS  *float64 `json:"ttr_ms"`
	DownMS *float64 `json:"down_ms"`
}

// IncidentDetail is an incident with its whole life.
type IncidentDetail struct {
	IncidentView
	Events []event.Incident `json:"events"`
}

// IncidentEvent is an event of an incident as the WebSocket tells it: with the
// state that the incident has from it on.
type IncidentEvent struct {
	event.Incident
	State string `json:"state"`
}

// View is in as it is shown.
func (in *Incident) View() IncidentView {
	v := IncidentView{
		ID: in.ID, Service: in.Service, Host: in.Host, Kind: in.Kind, State: in.State,
		Opened: in.Opened, Resolved: in.Resolved, FirstBad: in.FirstBad, Error: in.Error,
		Cause: in.Cause, Action: in.Action, Target: in.Target, DecidedBy: in.DecidedBy, Attempts: in.Attempts,
		Held: in.Held, HeldReason: in.HeldReason, HeldUntil: in.HeldUntil, How: in.How,
	}
	if in.State == Resolved {
		ttd, ttr, down := in.TTDMS, in.TTRMS, in.DownMS
		v.TTDMS, v.TTRMS, v.DownMS = &ttd, &ttr, &down
	}
	return v
}

// Detail is in as it is shown, with its events. The events are shared and
// must not be changed.
func (in *Incident) Detail() IncidentDetail {
	return IncidentDetail{in.View(), in.Events[:len(in.Events):len(in.Events)]}
}
