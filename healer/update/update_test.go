package update

import (
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const watch = 10 * time.Minute

func logs(fresh, known int) *event.UpdateLogs { return &event.UpdateLogs{New: fresh, Known: known} }

func TestWorse(t *testing.T) {
	type figures = event.UpdateFigures
	well := figures{Checks: 300, P50MS: 5, P95MS: 20}
	for name, tt := range map[string]struct {
		before, after figures
		latency       time.Duration
		wasBad        bool
		logs          *event.UpdateLogs
		due           bool
		want          []event.UpdateReason
	}{
		"the same":                                      {before: well, after: well},
		"a fifth fails":                                 {before: well, after: figures{Checks: 10, Bad: 2}, want: []event.UpdateReason{event.UpdateErrors}},
		"too few checks":                                {before: well, after: figures{Checks: 9, Bad: 9}},
		"less than a fifth fails":                       {before: well, after: figures{Checks: 11, Bad: 2}},
		"nothing is known of before":                    {after: figures{Checks: 10, Bad: 5}, want: []event.UpdateReason{event.UpdateErrors}},
		"it failed as much before":                      {before: figures{Checks: 100, Bad: 30}, after: figures{Checks: 100, Bad: 60}},
		"it failed a little before":                     {before: figures{Checks: 100, Bad: 6}, after: figures{Checks: 100, Bad: 30}, want: []event.UpdateReason{event.UpdateErrors}},
		"slower than three times":                       {before: well, after: figures{Checks: 20, P95MS: 60}, latency: 50 * time.Millisecond, want: []event.UpdateReason{event.UpdateLatency}},
		"slower, and fast enough":                       {before: well, after: figures{Checks: 20, P95MS: 60}, latency: 60 * time.Millisecond},
		"slower, and nothing is expected":               {before: well, after: figures{Checks: 20, P95MS: 6000}},
		"a little slower than expected":                 {before: well, after: figures{Checks: 20, P95MS: 59}, latency: 50 * time.Millisecond},
		"slow, and nothing known of before":             {after: figures{Checks: 20, P95MS: 600}, latency: 50 * time.Millisecond},
		"too few of them are good":                      {before: well, after: figures{Checks: 20, Bad: 1, P95MS: 600}, latency: 50 * time.Millisecond},
		"it ends twice":                                 {before: well, after: figures{Checks: 10, Exits: 2}, want: []event.UpdateReason{event.UpdateExits}},
		"it ends once":                                  {before: well, after: figures{Checks: 10, Exits: 1}},
		"it ended as often before":                      {before: figures{Checks: 300, Exits: 2}, after: figures{Checks: 10, Exits: 2}},
		"bad so far, and a tenth still fails":           {before: well, after: figures{Checks: 20, Bad: 2}, wasBad: true, want: []event.UpdateReason{event.UpdateErrors}},
		"a tenth fails, and its log has new errors":     {before: well, after: figures{Checks: 20, Bad: 2}, logs: logs(3, 20), want: []event.UpdateReason{event.UpdateErrors, event.UpdateLog}},
		"a tenth fails, and its log has two new errors": {before: well, after: figures{Checks: 20, Bad: 2}, logs: logs(2, 0)},
		"it ends once, and its log has new errors":      {before: well, after: figures{Checks: 10, Exits: 1}, logs: logs(3, 20), want: []event.UpdateReason{event.UpdateExits, event.UpdateLog}},
		"its log has many new errors":                   {before: well, after: figures{Checks: 100}, logs: logs(10, 2), due: true, want: []event.UpdateReason{event.UpdateLog}},
		"its log has many, and the watch goes on":       {before: well, after: figures{Checks: 100}, logs: logs(10, 2)},
		"its log has many, and is bad so far":           {before: well, after: figures{Checks: 100}, logs: logs(10, 2), wasBad: true, want: []event.UpdateReason{event.UpdateLog}},
		"its log has some new errors":                   {before: well, after: figures{Checks: 100}, logs: logs(9, 0), due: true},
		"it words its errors anew":                      {before: well, after: figures{Checks: 100}, logs: logs(12, 10), due: true},
		"bad so far, and little still fails":            {before: well, after: figures{Checks: 21, Bad: 2}, wasBad: true},
	} {
		if got := Worse(Compared{tt.before, tt.after, tt.latency, tt.wasBad, tt.logs, tt.due}); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestFigures(t *testing.T) {
	var s Samples
	for i := range 20 {
		s = s.add(Sample{At: began.Add(time.Duration(i) * time.Second), MS: float64(i + 1), Bad: i == 19}, watch)
	}
	if got := s.figures(began, began.Add(time.Minute)); got != (event.UpdateFigures{Checks: 20, Bad: 1, P50MS: 10, P95MS: 19}) {
		t.Errorf("figures are %+v", got)
	}
	if got := s.figures(began.Add(5*time.Second), began.Add(10*time.Second)); got.Checks != 5 || got.P50MS != 8 {
		t.Errorf("of five seconds they are %+v", got)
	}
	if s = s.add(Sample{At: began.Add(watch + 5*time.Second)}, watch); len(s) != 16 {
		t.Errorf("%d samples are kept, want those of one watch", len(s))
	}
	for i := range 2 * mostSamples {
		s = s.add(Sample{At: began.Add(watch + time.Duration(i)*time.Millisecond)}, watch)
	}
	if len(s) != mostSamples {
		t.Errorf("%d samples are kept", len(s))
	}
}

// run lets so many checks of one second pass, of which every nth fails, and
// judges after each.
func run(w *Watch, at time.Time, checks, nth int, seen Seen) time.Time {
	for i := range checks {
		w.Count(Sample{At: at, MS: 5, Bad: nth > 0 && i%nth == 0}, watch)
		w.Judge(seen, watch, at)
		at = at.Add(time.Second)
	}
	return at
}

func newWatch(failing bool) (*Watch, time.Time) {
	var w Watch
	at := run(&w, began, 60, 0, Seen{ImageID: "a"})
	w.Begin(Change{Image: "web:2", ImageID: "b", PreviousImage: "web:1", PreviousImageID: "a", Failing: failing, Replaced: at}, watch, at)
	return &w, at
}

func TestTheVerdictOfAWatch(t *testing.T) {
	b := Seen{ImageID: "b"}
	for name, tt := range map[string]struct {
		failing bool
		goes    func(w *Watch, at time.Time)
		want    event.UpdateVerdict
		reasons []event.UpdateReason
		undone  bool // by us, and so its image is accused of nothing
	}{
		"not over yet":         {goes: func(w *Watch, at time.Time) { run(w, at, 60, 0, b) }, want: event.UpdateWatching},
		"nothing is worse":     {goes: func(w *Watch, at time.Time) { run(w, at, 601, 0, b) }, want: event.UpdateGood},
		"half of them fail":    {goes: func(w *Watch, at time.Time) { run(w, at, 10, 2, b) }, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateErrors}},
		"good once it is over": {goes: func(w *Watch, at time.Time) { run(w, run(w, at, 10, 2, b), 610, 0, b) }, want: event.UpdateGood},
		"it ends twice": {goes: func(w *Watch, at time.Time) { w.Judge(Seen{ImageID: "b", Exits: 2}, watch, at) }, want: event.UpdateBad,
			reasons: []event.UpdateReason{event.UpdateExits}},
		"DOWN in the end": {goes: func(w *Watch, at time.Time) { w.Judge(Seen{ImageID: "b", Down: true}, watch, at.Add(watch)) }, want: event.UpdateBad,
			reasons: []event.UpdateReason{event.UpdateDown}},
		"another image": {goes: func(w *Watch, at time.Time) { run(w, at, 601, 1, Seen{ImageID: "c"}) }, want: event.UpdateWatching},
		"rolled back": {goes: func(w *Watch, at time.Time) { run(w, at, 601, 0, Seen{ImageID: "a", RolledBack: true}) }, want: event.UpdateBad,
			reasons: []event.UpdateReason{event.UpdateRolledBack}, undone: true},
		"good, and rolled back after all": {goes: func(w *Watch, at time.Time) {
			run(w, run(w, at, 601, 0, b), 9, 0, Seen{ImageID: "a", RolledBack: true})
		}, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateRolledBack}, undone: true},
		"rolled back, and that undone": {goes: func(w *Watch, at time.Time) {
			run(w, run(w, at, 9, 0, Seen{ImageID: "a", RolledBack: true}), 601, 0, b)
		}, want: event.UpdateGood},
		"rolled back, that undone, and bad": {goes: func(w *Watch, at time.Time) {
			run(w, run(w, at, 9, 0, Seen{ImageID: "a", RolledBack: true}), 11, 2, b)
		}, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateErrors}},
		"it failed before":               {failing: true, goes: func(w *Watch, at time.Time) { run(w, at, 60, 1, b) }, want: event.UpdateWatching},
		"it failed before, and still is": {failing: true, goes: func(w *Watch, at time.Time) { run(w, at, 601, 1, Seen{ImageID: "b", Down: true}) }, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateDown}},
	} {
		w, at := newWatch(tt.failing)
		tt.goes(w, at)
		if w.Update.Verdict != tt.want || !slices.Equal(w.Update.Reasons, tt.reasons) {
			t.Errorf("%s: %s %v, want %s %v (%+v)", name, w.Update.Verdict, w.Update.Reasons, tt.want, tt.reasons, w.Update)
		}
		if accused := Accused(w.Update, "b"); accused != (tt.want == event.UpdateBad && !tt.failing && !tt.undone) || Accused(w.Update, "a") {
			t.Errorf("%s: accused is %v", name, accused)
		}
		if w.Update.Before.Checks != 60 || w.Update.Before.Bad != 0 {
			t.Errorf("%s: before are %+v", name, w.Update.Before)
		}
	}
}

// TestTheImageBeforeIsKnownAlsoWhereItsContainerTookLongToStop.
func TestTheImageBeforeIsKnownAlsoWhereItsContainerTookLongToStop(t *testing.T) {
	var w Watch
	replaced := run(&w, began, 600, 0, Seen{ImageID: "a"})
	at := run(&w, replaced, 590, 1, Seen{ImageID: "a"})
	w.Begin(Change{ImageID: "b", PreviousImageID: "a", Replaced: replaced}, watch, at)
	if u := w.Update; u.Before.Checks != 600 || u.Before.Bad != 0 {
		t.Errorf("before are %+v", u.Before)
	}
}

// TestALaterLifeGoesOn from what was published: a few bad checks in each life are
// enough in both.
func TestALaterLifeGoesOn(t *testing.T) {
	w, at := newWatch(false)
	at = run(w, at, 8, 2, Seen{ImageID: "b"})
	published := *w.Update
	later := Published(&published, at)
	if later.Update.Verdict != event.UpdateWatching {
		t.Fatalf("it is %s", later.Update.Verdict)
	}
	run(&later, at.Add(time.Minute), 2, 2, Seen{ImageID: "b"})
	if u := later.Update; u.Verdict != event.UpdateBad || u.After.Checks != 10 || u.After.Bad != 5 || u.Before != published.Before {
		t.Errorf("it is %+v", u)
	}
	if published.Verdict != event.UpdateWatching {
		t.Error("what was published was changed")
	}
}
