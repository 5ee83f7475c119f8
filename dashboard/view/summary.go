package view

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// repairsCounted is how far back Summary counts repairs.
const repairsCounted = 24 * time.Hour

// Summary is how everything stands, on all hosts, in a few numbers: small and
// stable, for other programs' start pages. Services that no configuration
// defines are not in it: anybody may report of as many names as they like.
type Summary struct {
	Services Counts `json:"services"` // how many services have each status
	// OpenIncidents are those that LogStream works on or that a gate holds.
	OpenIncidents int `json:"open_incidents"`
	// NeedsPerson are the incidents that wait for a person: those that were
	// escalated, and those whose repair waits for approval.
	NeedsPerson int `json:"needs_person"`
	// Repaired24h are the repairs of the last 24 hours that were verified.
	Repaired24h int `json:"repaired_24h"`
	// Worst is the service with the worst status; of several, the one that has it
	// for the longest time.
	Worst Worst `json:"worst"`
}

// Counts are numbers of services by status.
type Counts struct {
	Up       int `json:"up"`       // UP
	Degraded int `json:"degraded"` // DEGRADED
	Down     int `json:"down"`     // DOWN
	Unknown  int `json:"unknown"`  // UNKNOWN, and PENDING: not decided yet
}

// Worst is a service by its status. DOWN is the worst, then UNKNOWN, DEGRADED and
// PENDING. It is never null, so that a program may read a field of it unseen.
type Worst struct {
	Name   string       `json:"name"`   // empty where every service is UP
	Status event.Status `json:"status"` // UP where every service is
	Since  *time.Time   `json:"since"`  // null where every service is UP
}

// severity orders the statuses of Worst; UP has 0.
var severity = map[event.Status]int{event.Pending: 1, event.Degraded: 2, event.Unknown: 3, event.Down: 4}

// Summary is that of now.
func (f *Fleet) Summary(now time.Time) Summary {
	s := Summary{Worst: Worst{Status: event.Up}}
	for _, v := range f.Services(now) {
		if !v.Managed {
			continue
		}
		s.Services.count(v.Status)
		worse := severity[v.Status] - severity[s.Worst.Status]
		if worse > 0 || worse == 0 && s.Worst.Since != nil && v.Since.Before(*s.Worst.Since) {
			s.Worst = Worst{v.Name, v.Status, &v.Since}
		}
	}
	for _, in := range f.Incidents.All() {
		switch in.State {
		case state.Escalated:
			s.NeedsPerson++
		case state.Open:
			s.OpenIncidents++
			if in.Held == state.HeldForApproval {
				s.NeedsPerson++
			}
		case state.Resolved:
			if in.How == event.HowHealed && in.Resolved != nil && now.Sub(*in.Resolved) < repairsCounted {
				s.Repaired24h++
			}
		}
	}
	return s
}

func (c *Counts) count(status event.Status) {
	switch status {
	case event.Up:
		c.Up++
	case event.Degraded:
		c.Degraded++
	case event.Down:
		c.Down++
	default:
		c.Unknown++
	}
}
