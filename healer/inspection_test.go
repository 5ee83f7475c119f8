package healer

import (
	"errors"
	"testing"
	"time"

	"logstream/internal/container"
)

// TestInspectionIsDue has an inspection that was begun, and ended, so long ago.
func TestInspectionIsDue(t *testing.T) {
	refused := errors.New("the engine refused")
	done := func(ago time.Duration, err error) inspection {
		return inspection{request: 1, asked: simStart.Add(-ago), at: simStart.Add(-ago), err: err}
	}
	changed := func(i inspection, change func(*inspection)) inspection {
		change(&i)
		return i
	}
	begun := func(ago time.Duration) inspection {
		return changed(done(time.Hour, nil), func(i *inspection) { i.open, i.asked = true, simStart.Add(-ago) })
	}
	for _, tt := range []struct {
		name       string
		inspection inspection
		due        freshness // to decide about an incident
		since      freshness // to see the effect of a call of two seconds ago
		idle       bool      // to know the container before anything breaks
	}{
		{"never made", inspection{}, overdue, overdue, true},
		{"begun", begun(time.Second), underway, underway, false},
		{"begun, and its outcome never came", begun(16 * time.Second), overdue, overdue, false},
		{"made just now", done(time.Second/2, nil), fresh, fresh, false},
		{"made a while ago", done(4*time.Second, nil), fresh, overdue, false},
		{"made long ago", done(6*time.Second, nil), overdue, overdue, false},
		{"something happened since", changed(done(4*time.Second, nil), func(i *inspection) { i.stale = true }), overdue, overdue, true},
		{"something happened at once", changed(done(time.Second/2, nil), func(i *inspection) { i.stale = true }), overdue, overdue, false},
		{"there is none", done(4*time.Second, container.ErrNotFound), fresh, overdue, false},
		{"there is none, for long", done(11*time.Second, container.ErrNotFound), overdue, overdue, true},
		{"refused just now", done(time.Second/2, refused), fresh, fresh, false},
		{"refused a while ago", done(4*time.Second, refused), overdue, overdue, false},
		{"refused long ago", done(11*time.Second, refused), overdue, overdue, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := tt.inspection
			if due := i.due(simStart); due != tt.due {
				t.Errorf("due: %d, want %d", due, tt.due)
			}
			if since := i.dueSince(simStart.Add(-2*time.Second), simStart); since != tt.since {
				t.Errorf("due since: %d, want %d", since, tt.since)
			}
			if idle := i.idleDue(simStart); idle != tt.idle {
				t.Errorf("idle due: %v, want %v", idle, tt.idle)
			}
		})
	}
	if recent := done(time.Second/2, nil); recent.dueSince(simStart.Add(-time.Second/5), simStart) != overdue {
		t.Error("an inspection of before a call shows its effect")
	}
	i := inspection{}
	first := i.begin(true, simStart)
	second := i.begin(true, simStart)
	if i.take(Inspected{Request: first}, simStart) || !i.take(Inspected{Request: second}, simStart) || i.take(Inspected{Request: second}, simStart) {
		t.Error("not the newest inspection's outcome alone is taken, once")
	}
}
