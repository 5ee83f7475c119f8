package status

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// run has our own check see these, a second apart from the first on: u UP, s
// DEGRADED, d DOWN; and says after each what the service is held to be, in the
// same characters, and ? where it is not decided.
func run(s *Status, from float64, saw string) string {
	held := ""
	for i, c := range saw {
		step := sighting{at: from + float64(i), who: "own", saw: map[rune]event.Status{'u': up, 's': slow, 'd': down}[c]}
		step.apply(s)
		held += map[event.Status]string{up: "u", slow: "s", down: "d", pending: "?", unknown: "!"}[s.Value]
	}
	return held
}

func TestWindow(t *testing.T) {
	threeOfFive := func(d *service.Definition) { d.FailureThreshold, d.Window = 10, service.Window{Failures: 3, Of: 5} }
	for name, test := range map[string]struct {
		change    func(*service.Definition)
		saw, held string
	}{
		"three of five":                    {threeOfFive, "uududud", "?uuuuud"},
		"three of six are not":             {threeOfFive, "uuduudud", "?uuuuuuu"},
		"DEGRADED is no failure":           {threeOfFive, "uudsdsud", "?uuuuuuu"},
		"UP again once two are left":       {threeOfFive, "uuddduuuu", "?uuuddduu"},
		"success_threshold alone":          {func(d *service.Definition) { threeOfFive(d); d.SuccessThreshold = 4 }, "uuuudddduuuu", "???uuudddddu"},
		"the window begins anew with UP":   {threeOfFive, "uuddduuuddd", "?uuuddduuud"},
		"one more failure is no new one":   {threeOfFive, "uuddduuuduud", "?uuuddduuuuu"},
		"failure_threshold counts as well": {func(d *service.Definition) { d.FailureThreshold, d.Window = 2, service.Window{Failures: 4, Of: 6} }, "uududd", "?uuuud"},
		"one of three":                     {func(d *service.Definition) { d.Window = service.Window{Failures: 1, Of: 3} }, "uuduuudu", "?udddudd"},
		"not decided yet":                  {threeOfFive, "dudud", "????d"},
	} {
		def := watched()
		test.change(&def)
		s := New(def, nil, dawn)
		if got := run(s, 1, test.saw); got != test.held {
			t.Errorf("%s: %s is held to be %s, want %s", name, test.saw, got, test.held)
		}
	}
}

// TestWindowIsWhatARepairCounts: what made it DOWN is what is counted since a
// start, and when the outage began.
func TestWindowIsWhatARepairCounts(t *testing.T) {
	def := watched()
	def.FailureThreshold, def.Window = 10, service.Window{Failures: 3, Of: 5}
	s := New(def, nil, dawn)
	run(s, 1, "uududud")
	if s.Value != down || !s.FirstBad.Equal(clock(3)) || s.OwnNeeded() != 3 || s.OwnBadSince(dawn) != 3 || s.OwnBadSince(clock(4)) != 2 {
		t.Errorf("it is %s, first bad %v, %d needed, %d bad, %d since 4 s", s.Value, s.FirstBad, s.OwnNeeded(), s.OwnBadSince(dawn), s.OwnBadSince(clock(4)))
	}
}

// TestWindowCannotFlap goes through every pattern of twelve observations: between
// two turns to DOWN are as many failures as the window asks for.
func TestWindowCannotFlap(t *testing.T) {
	for _, w := range []service.Window{{Failures: 1, Of: 3}, {Failures: 2, Of: 3}, {Failures: 2, Of: 5}, {Failures: 3, Of: 5}} {
		for pattern := range 1 << 12 {
			def := watched()
			def.FailureThreshold, def.SuccessThreshold, def.Window = 4, 1, w
			src := &source{Source: event.Source{Status: up}}
			failures, good := 0, 0
			for i := range 12 {
				before := src.Status
				saw := up
				if good++; pattern>>i&1 == 1 {
					saw, good = down, 0
					failures++
				}
				src.count(saw, clock(float64(i)), def)
				switch {
				case before == src.Status:
				case src.Status == down && failures < w.Failures, src.Status == up && good < 1:
					t.Fatalf("%v: the pattern %012b turns it %s at %d with %d failures since it was UP", w, pattern, src.Status, i, failures)
				case src.Status == up:
					failures = 0
				}
			}
		}
	}
}

func TestStartPeriod(t *testing.T) {
	starting := func(started float64) *Status {
		def := watched()
		def.FailureThreshold, def.StartPeriod = 2, 20*time.Second
		s := New(def, &event.Service{Status: up, Since: clock(-100), Definition: def.Masked()}, dawn)
		s.Started(clock(started))
		return s
	}
	for name, test := range map[string]struct {
		steps []sighting
		want  event.Status
	}{
		"failures within it":              {[]sighting{{at: 11, who: "own", saw: down}, {at: 20, who: "own", saw: down}, {at: 29.9, who: "own", saw: down}}, up},
		"and after it":                    {[]sighting{{at: 29, who: "own", saw: down}, {at: 30, who: "own", saw: down}}, up},
		"enough after it":                 {[]sighting{{at: 29, who: "own", saw: down}, {at: 30, who: "own", saw: down}, {at: 31, who: "own", saw: down}}, down},
		"after the first success":         {[]sighting{{at: 11, who: "own", saw: down}, {at: 12, who: "own", saw: slow}, {at: 13, who: "own", saw: down}, {at: 14, who: "own", saw: down}}, down},
		"before the start, and within it": {[]sighting{{at: 8, who: "own", saw: down}, {at: 11, who: "own", saw: down}, {at: 30, who: "own", saw: down}}, up},
		"before the start, and after it":  {[]sighting{{at: 9, who: "own", saw: down}, {at: 31, who: "own", saw: down}}, up},
		"begun before the start":          {[]sighting{{at: 9, who: "own", saw: down}, {at: 11, ago: 2, who: "own", saw: down}}, down},
		"others are as patient":           {[]sighting{{at: 11, who: "f", saw: down}, {at: 12, who: "f", saw: down}}, up},
		"and end it for no source":        {[]sighting{{at: 11, who: "f", saw: up}, {at: 12, who: "own", saw: down}, {at: 13, who: "own", saw: down}}, up},
		"the container's end is no start": {[]sighting{{at: 11, who: "level", saw: down}}, down},
	} {
		if s := observe(starting(10), test.steps...); s.Value != test.want {
			t.Errorf("%s: it is %s, want %s", name, s.Value, test.want)
		}
	}

	s := starting(10)
	observe(s, sighting{at: 11, who: "own", saw: down})
	if s.CountsAfter(clock(10)) != clock(30) {
		t.Errorf("before it answered, failures count from %v on", s.CountsAfter(clock(10)))
	}
	observe(s, sighting{at: 12, who: "own", saw: up})
	if s.CountsAfter(clock(10)) != clock(10) {
		t.Errorf("once it answered, failures count from %v on", s.CountsAfter(clock(10)))
	}
}

// TestAStartThatIsReadLate: the engine's event may be read after the first check
// of the new run, and in a replay long before it.
func TestAStartThatIsReadLate(t *testing.T) {
	def := watched()
	def.FailureThreshold, def.StartPeriod = 2, 20*time.Second
	s := New(def, &event.Service{Status: up, Since: clock(-100), Definition: def.Masked()}, dawn)
	observe(s, sighting{at: 11, who: "own", saw: down})
	s.Started(clock(10))
	if observe(s, sighting{at: 31, who: "own", saw: down}); s.Value != up {
		t.Errorf("a check of the start period counts: it is %s", s.Value)
	}
	s = New(def, &event.Service{Status: up, Since: clock(-100), Definition: def.Masked()}, dawn)
	s.Started(clock(10))
	s.Started(clock(100))
	if observe(s, sighting{at: 11, who: "own", saw: down}, sighting{at: 12, who: "own", saw: down}); s.Value != up {
		t.Errorf("a later start hides the one before: it is %s", s.Value)
	}
}

// TestANewServiceStartsWithItsFirstCheck is so for what has no container, too.
func TestANewServiceStartsWithItsFirstCheck(t *testing.T) {
	def := watched()
	def.Container, def.FailureThreshold, def.StartPeriod = "", 1, 20*time.Second
	s := observe(New(def, nil, dawn), sighting{at: 100, who: "own", saw: down}, sighting{at: 119, who: "own", saw: down})
	if s.Value != pending {
		t.Errorf("while it starts it is %s", s.Value)
	}
	over := New(def, &event.Service{Status: pending, Since: clock(100), Definition: def.Masked()}, clock(110))
	if observe(over, sighting{at: 112, who: "own", saw: down}); over.Value != pending {
		t.Errorf("after a restart while it starts it is %s", over.Value)
	}
	if observe(s, sighting{at: 120, who: "own", saw: down}); s.Value != down {
		t.Errorf("afterwards it is %s", s.Value)
	}
	known := New(def, &event.Service{Status: up, Since: dawn, Definition: def.Masked()}, clock(110))
	if observe(known, sighting{at: 112, who: "own", saw: down}); known.Value != down {
		t.Errorf("a service that was known before the restart is %s", known.Value)
	}
}

func TestFlapping(t *testing.T) {
	def := watched()
	def.FailureThreshold, def.SuccessThreshold = 1, 1
	s := New(def, nil, dawn)
	run(s, 1, "udududududud")
	if !s.Flapping() {
		t.Fatal("a status that changes with each of twelve checks is not flapping")
	}
	at := 100.0
	s.Tick(clock(at))
	calm := 0
	for ; s.Flapping() && calm < 100; calm++ {
		at++
		run(s, at, "u")
	}
	if calm < 10 || calm > 20 {
		t.Errorf("it ceases after %d good checks", calm)
	}
	for pattern, want := range map[string]bool{
		"uuuuuuuuuuduuuuuuuuu": false, // one outage
		"uuddduuuuuuuuddduuuu": false, // two
		"uduuuduuuduuuduuuduu": true,  // every fourth check fails
	} {
		s := New(def, nil, dawn)
		if run(s, 1, pattern); s.Flapping() != want {
			t.Errorf("%s: flapping is %t", pattern, s.Flapping())
		}
	}
	steady := watched()
	steady.FailureThreshold = 2
	s = New(steady, nil, dawn)
	if run(s, 1, "udududududududududud"); s.Flapping() {
		t.Error("what the thresholds hold back is flapping")
	}
}

// TestFlappingOverARestart: a new life reads too little to say that it has settled.
func TestFlappingOverARestart(t *testing.T) {
	s := New(watched(), &event.Service{Status: down, Since: clock(-5), Flapping: true, Definition: watched().Masked()}, dawn)
	if run(s, 1, "uuu"); s.Value != up || !s.Flapping() {
		t.Errorf("after three checks it is %s, flapping %t", s.Value, s.Flapping())
	}
	if run(s, 4, "uuuuuuuuuuuuuuuuuuuu"); s.Flapping() {
		t.Error("after twenty more it is flapping still")
	}
}

// TestServiceWithoutObservationsIsUnknown: a new life finds records that are long stale, and
// does not take them for news.
func TestServiceWithoutObservationsIsUnknown(t *testing.T) {
	first := clock(-300)
	published := event.Service{Status: unknown, Since: clock(60), Time: clock(60), FirstBad: &first, Definition: watched().Masked()}
	s := observe(New(watched(), &published, clock(100)), sighting{at: 10, who: "own", saw: up}, sighting{at: 20, who: "own", saw: up})
	s.Watch(clock(100))
	if s.Keep(published); s.Value != unknown || !s.Since.Equal(clock(60)) || !s.FirstBad.Equal(first) {
		t.Errorf("it is %s since %v, first bad %v", s.Value, s.Since, s.FirstBad)
	}
	if observe(s, sighting{at: 101, who: "tick"}); s.Value != unknown {
		t.Errorf("a moment later it is %s", s.Value)
	}
	run(s, 102, "ddd")
	if s.Value != down || !s.FirstBad.Equal(first) {
		t.Errorf("the outage goes on: it is %s, first bad %v, want %v", s.Value, s.FirstBad, first)
	}
	if run(s, 105, "uu"); s.Value != up || !s.FirstBad.IsZero() {
		t.Errorf("and ends: it is %s, first bad %v", s.Value, s.FirstBad)
	}
	newer := observe(New(watched(), &published, clock(100)), sighting{at: 70, who: "own", saw: up}, sighting{at: 80, who: "own", saw: up})
	newer.Watch(clock(100))
	if newer.Keep(published); newer.Value != up {
		t.Errorf("what was read after it was published is passed over: it is %s", newer.Value)
	}
}
