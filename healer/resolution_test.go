package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// TestTimeDownBeginsWithTheOutage of a service that was good while its incident was
// opened, and not with the incident.
func TestTimeDownBeginsWithTheOutage(t *testing.T) {
	opened, failed, acted := simStart, simStart.Add(5*time.Minute), simStart.Add(time.Hour)
	for name, test := range map[string]struct {
		check    string
		firstBad time.Time // of the incident
		action   *event.ActionStarted
		want     time.Time
	}{
		"its own check failed":                         {"http", opened.Add(-time.Minute), &event.ActionStarted{FirstBad: opened.Add(-time.Minute)}, opened.Add(-time.Minute)},
		"requested of a service that was DOWN":         {event.CheckOperator, opened.Add(-time.Minute), &event.ActionStarted{FirstBad: opened.Add(-time.Minute)}, opened.Add(-time.Minute)},
		"requested, and good until the action":         {event.CheckOperator, opened, &event.ActionStarted{}, acted},
		"proposed, and DOWN while it waited":           {event.CheckProposal, opened, &event.ActionStarted{FirstBad: failed}, failed},
		"about an update, and good until the rollback": {event.CheckUpdate, opened.Add(-time.Minute), &event.ActionStarted{}, acted},
		"about an update, without an action":           {event.CheckUpdate, opened.Add(-time.Minute), nil, opened.Add(-time.Minute)},
	} {
		in := &state.Incident{Opened: opened, FirstBad: test.firstBad, Events: []event.Incident{{Type: event.TypeOpened, Time: opened, Data: event.Opened{Check: test.check}}}}
		if test.action != nil {
			in.Events = append(in.Events, event.Incident{Type: event.TypeActionStarted, Time: acted, Data: *test.action})
		}
		if got := downSince(in); !got.Equal(test.want) {
			t.Errorf("%s: since %s, want %s", name, got, test.want)
		}
	}
}
