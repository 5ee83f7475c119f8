package view

import (
	"slices"
	"time"

	"logstream/internal/state"
)

// maxSimilar is how many earlier incidents of the same cause are shown beside one.
const maxSimilar = 6

// Similar is an earlier incident of the same cause: what was done, and how it ended.
type Similar struct {
	ID        string    `json:"id"`
	Service   string    `json:"service"`
	State     string    `json:"state"`
	How       string    `json:"how,omitempty"` // how it ended
	Opened    time.Time `json:"opened"`
	Action    string    `json:"action"` // the last that was chosen
	DecidedBy string    `json:"decided_by"`
	Attempts  int       `json:"attempts"`
	DownMS    *float64  `json:"down_ms"` // null until it is resolved
}

// similar are the incidents before `of` that have its cause: those of its service first,
// then others, newest first. An incident without a known cause has none.
func similar(all []*state.Incident, of *state.Incident) []Similar {
	own, others := []Similar{}, []Similar{}
	before := slices.Index(all, of)
	if of.CauseID == "" || before < 0 {
		return own
	}
	for _, in := range slices.Backward(all[:before]) {
		switch {
		case len(own) == maxSimilar:
			return own
		case in.CauseID != of.CauseID:
		case in.Service == of.Service && in.Host == of.Host:
			own = append(own, summaryOf(in))
		case len(others) < maxSimilar:
			others = append(others, summaryOf(in))
		}
	}
	return append(own, others[:min(len(others), maxSimilar-len(own))]...)
}

func summaryOf(in *state.Incident) Similar {
	s := Similar{ID: in.ID, Service: in.Service, State: in.State, How: in.How, Opened: in.Opened, Action: in.Action, DecidedBy: in.DecidedBy, Attempts: in.Counted}
	if in.State == state.Resolved {
		down := in.DownMS
		s.DownMS = &down
	}
	return s
}
