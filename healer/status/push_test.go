package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// pushed is a service that reports each minute, and may be 20 s late.
func pushed() service.Definition {
	def := watched()
	def.URL, def.Interval, def.Push.Grace = "push://", time.Minute, 20*time.Second
	return def
}

func TestPush(t *testing.T) {
	nightly := pushed()
	nightly.Push = service.Push{Grace: 30 * time.Minute, Schedule: "0 7 * * *", TimeZone: "UTC"} // an hour after dawn
	const due, late = 3600, 3600 + 1800
	for name, test := range map[string]struct {
		def   service.Definition
		steps []sighting
	}{
		"its first report":            {pushed(), []sighting{{at: 5, who: "job", saw: up, want: up}}},
		"it is as it says":            {pushed(), []sighting{{at: 5, who: "job", saw: up, want: up}, {at: 6, who: "job", saw: down, want: down}, {at: 7, who: "job", saw: slow, want: slow}}},
		"silence":                     {pushed(), []sighting{{at: 5, who: "job", saw: up, want: up}, {at: 85, who: "tick", want: up}, {at: 85.1, who: "tick", want: down}, {at: 9000, who: "tick", want: down}}},
		"a report in the grace":       {pushed(), []sighting{{at: 5, who: "job", saw: up, want: up}, {at: 85, who: "job", saw: up, want: up}, {at: 160, who: "tick", want: up}}},
		"it never reports":            {pushed(), []sighting{{at: 80, who: "tick", want: pending}, {at: 80.1, who: "tick", want: down}}},
		"it reports again":            {pushed(), []sighting{{at: 90, who: "tick", want: down}, {at: 100, who: "job", saw: up, want: up}, {at: 180.1, who: "tick", want: down}}},
		"one of two is stale":         {pushed(), []sighting{{at: 5, who: "a", saw: up, want: up}, {at: 60, who: "b", saw: up, want: up}, {at: 100, who: "tick", want: up}, {at: 140.1, who: "tick", want: down}}},
		"one of two fails":            {pushed(), []sighting{{at: 5, who: "a", saw: down, want: down}, {at: 6, who: "b", saw: up, want: down}, {at: 85.1, who: "tick", want: up}}},
		"its container ends":          {pushed(), []sighting{{at: 5, who: "job", saw: up, want: up}, {at: 6, who: "level", saw: down, want: down}, {at: 7, who: "level", saw: up, want: up}}},
		"and nothing was reported":    {pushed(), []sighting{{at: 6, who: "level", saw: down, want: down}, {at: 7, who: "level", saw: up, want: pending}}},
		"a late report of before":     {pushed(), []sighting{{at: 6, who: "level", saw: down, want: down}, {at: 9, who: "level", saw: up, want: pending}, {at: 10, ago: 5, who: "job", saw: up, want: up}}},
		"by schedule":                 {nightly, []sighting{{at: late - 1, who: "tick", want: pending}, {at: late + 1, who: "tick", want: down}}},
		"by schedule, in time":        {nightly, []sighting{{at: due + 600, who: "job", saw: up, want: up}, {at: late + 1, who: "tick", want: up}, {at: 86400 + due, who: "tick", want: up}, {at: 86400 + late + 1, who: "tick", want: down}}},
		"by schedule, and a failure":  {nightly, []sighting{{at: due + 600, who: "job", saw: down, want: down}, {at: 86000, who: "tick", want: down}, {at: 86400 + due + 1, who: "job", saw: up, want: up}}},
		"what our own check would be": {pushed(), []sighting{{at: 5, who: "own", saw: up, want: pending, lost: true}}},
	} {
		s := New(test.def, nil, dawn)
		for i, step := range test.steps {
			if counted := step.apply(s); counted == step.lost || s.Value != step.want {
				t.Errorf("%s: after step %d (%+v) it is %s, want %s; counted %t", name, i+1, step, s.Value, step.want, counted)
				break
			}
		}
	}
}

func TestSilenceIsAFailureOfTheService(t *testing.T) {
	s := observe(New(pushed(), nil, dawn), sighting{at: 5, who: "job", saw: up}, sighting{at: 300, who: "tick"})
	last, known := s.OwnLast()
	if !known || last.Failure != event.FailureSilence || last.Status != down || !strings.Contains(s.Error, "06:01:05 UTC") {
		t.Errorf("the last is %+v; %q", last, s.Error)
	}
	if !s.OwnDown() || s.ForeignDown() || s.Decided.Check != event.CheckPush || !s.WasUp() {
		t.Errorf("own DOWN %t, foreign DOWN %t, decided by %+v, was UP %t", s.OwnDown(), s.ForeignDown(), s.Decided, s.WasUp())
	}
	if !s.FirstBad.Equal(clock(65)) || !s.Since.Truncate(time.Second).Equal(clock(85)) {
		t.Errorf("first bad %v, want when it was due; DOWN since %v, want the end of the grace", s.FirstBad, s.Since)
	}
	if s.OwnNeeded() != 1 || s.OwnBadSince(clock(100)) == 0 || s.OwnBadSince(clock(299)) != 0 {
		t.Errorf("reports are missed: %d since 100 s, %d since now, %d needed", s.OwnBadSince(clock(100)), s.OwnBadSince(clock(299)), s.OwnNeeded())
	}
}

// TestSilenceOverARestart: while no process ran nothing was read, so nothing is
// held against the service; and what it last reported stands.
func TestSilenceOverARestart(t *testing.T) {
	life := func(steps ...sighting) event.Service {
		s := observe(New(pushed(), nil, dawn), steps...)
		return event.Service{Status: s.Value, Since: s.Since, Time: steps[len(steps)-1].time(), Sources: s.Sources(), Error: s.Error, Definition: pushed().Masked()}
	}
	reported := life(sighting{at: 5, who: "job", saw: up})
	s := New(pushed(), &reported, clock(1000))
	s.Watch(clock(1000))
	s.Keep(reported)
	for at, want := range map[float64]event.Status{1001: up, 1080: up} {
		if observe(s, sighting{at: at, who: "tick"}); s.Value != want {
			t.Errorf("UP before, at %v it is %s, want %s", at, s.Value, want)
		}
	}
	if observe(s, sighting{at: 1080.1, who: "tick"}); s.Value != down {
		t.Errorf("and nothing since the start: it is %s", s.Value)
	}
	s = observe(New(pushed(), &reported, clock(1000)), sighting{at: 900, who: "job", saw: up})
	s.Watch(clock(1000))
	for _, step := range []sighting{{at: 1080, who: "tick", want: up}, {at: 1080.1, who: "tick", want: down}} {
		if step.apply(s); s.Value != step.want {
			t.Errorf("with a report that was replayed, at %v it is %s, want %s", step.at, s.Value, step.want)
		}
	}
	quiet := life(sighting{at: 90, who: "tick"})
	s = New(pushed(), &quiet, clock(1000))
	s.Watch(clock(1000))
	if observe(s, sighting{at: 1001, who: "tick"}); s.Value != down || s.OwnBadSince(dawn) == 0 {
		t.Errorf("overdue before: it is %s", s.Value)
	}
	if last, _ := s.OwnLast(); last.Failure != event.FailureSilence || last.Error == "" {
		t.Errorf("the reason for DOWN is lost: %+v", last)
	}
	if observe(s, sighting{at: 1002, who: "job", saw: up}); s.Value != up {
		t.Errorf("and reports again: it is %s", s.Value)
	}
}

// TestSilenceOutlivesTheReplayOfTheReportBeforeIt: the topic still has the last
// report, which the silence came after.
func TestSilenceOutlivesTheReplayOfTheReportBeforeIt(t *testing.T) {
	report := sighting{at: 5, who: "job", saw: up}
	missing := observe(New(pushed(), nil, dawn), report, sighting{at: 90, who: "tick"})
	published := event.Service{Status: missing.Value, Since: missing.Since, Time: clock(90), Sources: missing.Sources(), Error: missing.Error, Definition: pushed().Masked()}
	s := observe(New(pushed(), &published, clock(1000)), report)
	s.Watch(clock(1000))
	s.Keep(published)
	if observe(s, sighting{at: 1001, who: "tick"}); s.Value != down || s.Error != published.Error {
		t.Errorf("it is %s (%s), want DOWN (%s)", s.Value, s.Error, published.Error)
	}
	if observe(s, sighting{at: 1002, who: "job", saw: up}); s.Value != up {
		t.Errorf("and reports again: it is %s", s.Value)
	}

	s = observe(New(pushed(), &published, clock(1000)), report, sighting{at: 500, who: "job", saw: up})
	s.Watch(clock(1000))
	s.Keep(published)
	if observe(s, sighting{at: 1001, who: "tick"}); s.Value != up {
		t.Errorf("with a report after the silence it is %s", s.Value)
	}
}

func (s sighting) time() time.Time { return clock(s.at) }

// TestForeignRecordsCannotUseTheSilenceSource: a record with its name changes nothing.
func TestForeignRecordsCannotUseTheSilenceSource(t *testing.T) {
	s := observe(New(pushed(), nil, dawn), sighting{at: 5, who: "job", saw: up})
	h := event.HealthLog{Timestamp: event.Seconds(clock(6)), Service: "pay", Status: down, Check: event.CheckPush, Origin: event.Origin{Instance: event.ByLogstream}}
	if s.Observe(h, Foreign, clock(6)) || s.Value != up {
		t.Errorf("it is %s", s.Value)
	}
	observe(s, sighting{at: 300, who: "tick"})
	h.Status, h.Timestamp = up, event.Seconds(clock(301))
	if s.Observe(h, Foreign, clock(301)) || s.Value != down {
		t.Errorf("without reports it is %s", s.Value)
	}
}

func TestReportersAreBounded(t *testing.T) {
	s := New(pushed(), nil, dawn)
	for i := range 1000 {
		observe(s, sighting{at: 1, who: fmt.Sprint("job", i), saw: up})
	}
	if len(s.Sources()) != maxSources {
		t.Errorf("%d are kept", len(s.Sources()))
	}
}

// TestALongSleepIsPassedAtOnce: a machine that slept for a year missed millions of reports.
func TestALongSleepIsPassedAtOnce(t *testing.T) {
	def := pushed()
	def.Interval = 100 * time.Millisecond
	s := observe(New(def, nil, dawn), sighting{at: 0.05, who: "job", saw: up})
	began := time.Now()
	if observe(s, sighting{at: 365 * 86400, who: "tick"}); s.Value != down || time.Since(began) > 5*time.Second {
		t.Errorf("it is %s after %v", s.Value, time.Since(began))
	}
	if observe(s, sighting{at: 365*86400 + 1, who: "job", saw: up}); s.Value != up {
		t.Errorf("and reports again: it is %s", s.Value)
	}
}

func TestAnotherUrlIsAnotherSource(t *testing.T) {
	s := observe(New(pushed(), nil, dawn), sighting{at: 1, who: "job", saw: down})
	s.Redefine(watched(), clock(2))
	if s.OwnDown() || len(s.Sources()) != 0 {
		t.Errorf("what was reported stands for a check: %v", s.Sources())
	}
	observe(s, sighting{at: 3, who: "f", saw: up})
	if s.Redefine(pushed(), clock(4)); len(s.Sources()) != 0 || s.Value != pending {
		t.Errorf("what another program saw stands for a report: %v, it is %s", s.Sources(), s.Value)
	}
	missing := observe(New(pushed(), nil, dawn), sighting{at: 100, who: "tick"})
	longer := pushed()
	longer.Interval = time.Hour
	if missing.Redefine(longer, clock(101)); missing.Value != down {
		t.Errorf("a longer interval alone makes it %s", missing.Value)
	}
}
