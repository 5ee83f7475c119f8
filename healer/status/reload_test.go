package status

import (
	"testing"

	"logstream/internal/event"
	"logstream/internal/service"
)

// What a restart and an edit of the configuration leave of a status.

func TestAfterARestart(t *testing.T) {
	began := clock(-100)
	published := func(status event.Status) *event.Service {
		return &event.Service{Service: "pay", Status: status, Since: clock(-50), FirstBad: &began, Code: 500, LatencyMS: 3, Error: "HTTP 500"}
	}
	s := New(watched(), published(down), dawn)
	if s.Value != down || !s.Since.Equal(clock(-50)) || !s.FirstBad.Equal(began) || s.Error != "HTTP 500" || s.Last.Code != 500 || s.Last.LatencyMS != 3 {
		t.Errorf("it is taken up as %+v", s)
	}
	if s.OwnDown() || s.ForeignDown() || s.Level() != "" || len(s.Sources()) != 0 {
		t.Error("what was published is no source")
	}
	observe(s, sighting{at: 1, who: "own", saw: up})
	if s.Value != down {
		t.Errorf("after one good check it is %s, want DOWN still", s.Value)
	}
	observe(s, sighting{at: 2, who: "own", saw: down}, sighting{at: 3, who: "own", saw: down}, sighting{at: 4, who: "own", saw: down})
	if !s.FirstBad.Equal(began) || !s.Since.Equal(clock(-50)) {
		t.Errorf("the same outage began at %v, DOWN since %v: want what was published", s.FirstBad, s.Since)
	}
	tests := map[string]struct {
		published *event.Service
		steps     []sighting
		want      event.Status
	}{
		"UP":                          {published(up), nil, up},
		"UP, one bad":                 {published(up), []sighting{{at: 1, who: "own", saw: down}}, up},
		"UP, stale":                   {published(up), []sighting{{at: 30.1, who: "tick"}}, unknown},
		"DOWN, the level is written":  {published(down), []sighting{{at: 1, who: "level", saw: up}}, down},
		"UP, the level is written UP": {published(up), []sighting{{at: 1, who: "own", saw: up}, {at: 2, who: "level", saw: up}, {at: 3, who: "own", saw: up}}, up},
		"DOWN, healthy":               {published(down), []sighting{{at: 1, who: "own", saw: up}, {at: 2, who: "own", saw: up}}, up},
		"UNKNOWN, one good":           {published(unknown), []sighting{{at: 1, who: "own", saw: up}}, pending},
		"nothing":                     {nil, nil, pending},
		"nothing but a definition":    {&event.Service{Service: "pay"}, nil, pending},
	}
	for name, test := range tests {
		if s := observe(New(watched(), test.published, dawn), test.steps...); s.Value != test.want {
			t.Errorf("%s: it is %s, want %s", name, s.Value, test.want)
		}
	}
}

// TestOtherThresholdsCountFromTheirReloadOn: what was observed before does not
// make it DOWN or UP by them, and nothing that was decided is undone by a reload.
func TestOtherThresholdsCountFromTheirReloadOn(t *testing.T) {
	healthy := []sighting{{at: 1, who: "own", saw: up}, {at: 2, who: "own", saw: up}}
	lower := func(d *service.Definition) { d.FailureThreshold = 2 }
	faster := func(d *service.Definition) { d.SuccessThreshold = 1 }
	windowed := func(d *service.Definition) { d.Window = service.Window{Failures: 2, Of: 10} }
	for name, test := range map[string]struct {
		before   []sighting
		change   func(*service.Definition)
		after    []sighting
		firstBad float64 // 0: none
	}{
		"one bad before, one after":         {[]sighting{{at: 3, who: "own", saw: down}}, lower, []sighting{{at: 6, who: "own", saw: down, want: up}, {at: 7, who: "own", saw: down, want: down}}, 3},
		"enough bad before":                 {[]sighting{{at: 3, who: "own", saw: down}, {at: 4, who: "own", saw: down}}, lower, []sighting{{at: 6, who: "tick", want: up}, {at: 7, who: "own", saw: up, want: up}}, 0},
		"a window sees nothing of before":   {[]sighting{{at: 3, who: "own", saw: down}, {at: 4, who: "own", saw: up}}, windowed, []sighting{{at: 6, who: "own", saw: down, want: up}, {at: 7, who: "own", saw: up, want: up}, {at: 8, who: "own", saw: down, want: down}}, 6},
		"one good before is not enough":     {[]sighting{{at: 3, who: "level", saw: down}, {at: 3.5, who: "level", saw: up}, {at: 4, who: "own", saw: up}}, faster, []sighting{{at: 6, who: "tick", want: down}, {at: 7, who: "own", saw: up, want: up}}, 0},
		"another interval changes no count": {[]sighting{{at: 3, who: "own", saw: down}, {at: 4, who: "own", saw: down}}, func(d *service.Definition) { d.Interval *= 2 }, []sighting{{at: 6, who: "own", saw: down, want: down}}, 3},
		"a note changes nothing":            {[]sighting{{at: 3, who: "own", saw: down}, {at: 4, who: "own", saw: down}}, func(d *service.Definition) { d.Note = "x" }, []sighting{{at: 6, who: "own", saw: down, want: down}}, 3},
	} {
		s := observe(New(watched(), nil, dawn), append(healthy[:2:2], test.before...)...)
		held := s.Value
		def := watched()
		test.change(&def)
		if s.Redefine(def, clock(5)); s.Value != held {
			t.Errorf("%s: the reload makes it %s, and it was %s", name, s.Value, held)
		}
		for _, step := range test.after {
			if step.apply(s); s.Value != step.want {
				t.Errorf("%s: after %+v it is %s, want %s", name, step, s.Value, step.want)
			}
		}
		if want := clock(test.firstBad); test.firstBad != 0 && !s.FirstBad.Equal(want) || test.firstBad == 0 && !s.FirstBad.IsZero() {
			t.Errorf("%s: first bad %v, want %v", name, s.FirstBad, test.firstBad)
		}
	}
}

// TestAReloadCountsOverARestart: a new life reads observations from before the
// reload, and judges them no more than the old one did.
func TestAReloadCountsOverARestart(t *testing.T) {
	bad := []sighting{{at: 3, who: "own", saw: down}, {at: 4, who: "own", saw: down}}
	def := watched()
	def.FailureThreshold = 2
	published := &event.Service{Status: up, Since: clock(2), Definition: def.Masked(), Time: clock(5)}
	since := clock(5)
	published.ThresholdsSince = &since
	s := observe(New(def, published, clock(100)), bad...)
	if s.Value != up || !s.ThresholdsSince().Equal(since) {
		t.Errorf("by what was read before the reload it is %s; thresholds count since %v", s.Value, s.ThresholdsSince())
	}
	if observe(s, sighting{at: 6, who: "own", saw: down}); s.Value != up {
		t.Errorf("after one bad one since it is %s", s.Value)
	}
	if observe(s, sighting{at: 7, who: "own", saw: down}); s.Value != down {
		t.Errorf("after two since it is %s", s.Value)
	}
	published.Definition = watched().Masked() // and it was edited while no process ran
	s = observe(New(def, published, clock(100)), append(bad, sighting{at: 6, who: "own", saw: down})...)
	if s.Value != up || !s.ThresholdsSince().Equal(clock(100)) {
		t.Errorf("edited meanwhile: it is %s, thresholds count since %v", s.Value, s.ThresholdsSince())
	}
	published.Definition, published.ThresholdsSince = def.Masked(), nil
	if s = observe(New(def, published, clock(100)), bad...); s.Value != down {
		t.Errorf("never edited: it is %s", s.Value)
	}
}

// TestLevelEndsWithItsContainer is about a live edit of the configuration: what
// was said of a container that the service no longer names says nothing of it.
func TestLevelEndsWithItsContainer(t *testing.T) {
	for ref, want := range map[string]event.Status{"": up, "another": up, "pay": down} {
		s := New(watched(), nil, clock(0))
		for _, step := range []sighting{
			{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up},
			{at: 3, who: "level", saw: down, want: down}, {at: 4, who: "own", saw: up, want: down},
		} {
			if step.apply(s); s.Value != step.want {
				t.Fatalf("at %v it is %s, want %s", step.at, s.Value, step.want)
			}
		}
		def := watched()
		def.Container = ref
		s.Redefine(def, clock(5))
		if s.Value != want || (s.Error == "") != (want == up) {
			t.Errorf("its container is %q from now on: it is %s (%q), want %s at once", ref, s.Value, s.Error, want)
		}
		late := sighting{at: 6, who: "level", saw: down}
		if counted := late.apply(s); counted != (ref != "") {
			t.Errorf("its container is %q: a level that was still on its way is counted: %t", ref, counted)
		}
	}
}
