package healer

import (
	"errors"
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
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

// TestAPauseEventStandsForAnInspection where what was inspected before still held
// until then; any other event, or one that may be an echo or late, calls for one.
func TestAPauseEventStandsForAnInspection(t *testing.T) {
	at := func(ago time.Duration) time.Time { return simStart.Add(-ago) }
	running := container.State{ID: "c", ImageID: "sha", SpecHash: "spec", Status: container.Running, StartedAt: at(time.Hour)}
	for name, tt := range map[string]struct {
		event  event.Docker
		before []event.Docker
		change func(*inspection)
		stands bool
	}{
		"a pause":                          {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, nil, true},
		"long after an unpause":            {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, []event.Docker{{ID: "c", Action: "unpause", Time: at(2 * time.Second)}}, nil, true},
		"right after an unpause":           {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, []event.Docker{{ID: "c", Action: "unpause", Time: at(time.Second / 2)}}, nil, false},
		"read after the unpause":           {event.Docker{ID: "c", Action: "pause", Time: at(2 * time.Millisecond)}, []event.Docker{{ID: "c", Action: "unpause", Time: at(time.Millisecond)}}, nil, false},
		"read late":                        {event.Docker{ID: "c", Action: "pause", Time: at(2 * time.Second)}, nil, nil, false},
		"the engine's clock is ahead":      {event.Docker{ID: "c", Action: "pause", Time: at(-time.Minute)}, nil, nil, false},
		"of before the inspection":         {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, func(i *inspection) { i.at = simStart }, false},
		"of another container":             {event.Docker{ID: "d", Action: "pause", Time: at(time.Millisecond)}, nil, nil, false},
		"a stop":                           {event.Docker{ID: "c", Action: "stop", Time: at(time.Millisecond)}, nil, nil, false},
		"of what did not run":              {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, func(i *inspection) { i.state.Status = container.Exited }, false},
		"something happened before":        {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, func(i *inspection) { i.stale = true }, false},
		"while an inspection is under way": {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, func(i *inspection) { i.open = true }, false},
		"never inspected":                  {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, func(i *inspection) { *i = inspection{} }, false},
		"the last inspection failed":       {event.Docker{ID: "c", Action: "pause", Time: at(time.Millisecond)}, nil, func(i *inspection) { i.err = errors.New("refused") }, false},
	} {
		i := inspection{request: 3, asked: at(time.Minute), at: at(time.Minute), state: running}
		if tt.change != nil {
			tt.change(&i)
		}
		var h history.History
		for _, e := range append(tt.before, tt.event) {
			h = h.Add(history.Event{Docker: e, ReadAt: simStart})
		}
		i.observe(tt.event, h, simStart)
		if stands := i.due(simStart) == fresh && i.full && i.state.Status == container.Paused; stands != tt.stands || stands == i.stale {
			t.Errorf("%s: %+v", name, i)
		}
		if i.shows(event.Down) != tt.stands || i.shows(event.Up) {
			t.Errorf("%s: it shows the level: %v", name, i.shows(event.Down))
		}
		if tt.stands && i.state.StartedAt != running.StartedAt {
			t.Errorf("%s: it was started at %s", name, i.state.StartedAt)
		}
		if i.begin(false, simStart); i.shows(event.Down) {
			t.Errorf("%s: it stands for the next inspection as well", name)
		}
	}
}

// TestAPausedContainerIsComparedWithItsPinsBeforeTheCall, although a pause event
// stood for the inspection that the decision is based on.
func TestAPausedContainerIsComparedWithItsPinsBeforeTheCall(t *testing.T) {
	m, b := quiet(t, configured(func(c *Config) { c.ManualGrace = 0 }))
	asked := m.core.services[b.def.Name].inspection.request
	b.state.Status = container.Paused
	m.emit(b, "pause", nil)
	m.until(t, "an intent", func() bool { return len(dataOf[event.ActionStarted](m)) > 0 })
	i, intent := m.core.services[b.def.Name].inspection, dataOf[event.ActionStarted](m)[0]
	if !i.byEvent || i.request != asked+1 || intent.Pins.State != string(container.Paused) || intent.Pins.ContainerID != b.state.ID {
		t.Errorf("decided from %+v, pins %+v", i, intent.Pins)
	}
	b.state.Status = container.Running // and no event of it yet
	m.until(t, "a result", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
	if result := dataOf[event.ActionFinished](m)[0]; result.Outcome != event.OutcomeNotExecuted {
		t.Errorf("the result is %+v", result)
	}
}
