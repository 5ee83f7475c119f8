package status

import (
	"fmt"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	up, slow, down   = event.Up, event.Degraded, event.Down
	pending, unknown = event.Pending, event.Unknown
)

var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// watched is checked every 10 s: stale means 30 s, DOWN needs 3, UP needs 2.
func watched() service.Definition {
	def := service.Default()
	def.Name, def.URL, def.Container = "pay", "http://pay", "pay"
	return def
}

// sighting is one thing that happens to a status, at seconds of a virtual
// clock, and what the service is held to be afterwards.
type sighting struct {
	at   float64
	who  string // own, level, level of the predecessor, tick, claim, or a foreign source
	saw  event.Status
	want event.Status
	ago  float64 // how long before at the check began, in seconds
	lost bool    // the observation is not to be counted
}

func clock(seconds float64) time.Time { return dawn.Add(time.Duration(seconds * float64(time.Second))) }

func (s sighting) health() (event.HealthLog, Kind) {
	h := event.HealthLog{Timestamp: event.Seconds(clock(s.at - s.ago)), Service: "pay", Status: s.saw, Check: "http", Origin: event.Origin{Instance: s.who, Host: "h"}}
	if s.saw != up {
		h.Error = fmt.Sprintf("%s says %s", s.who, s.saw)
	}
	switch s.who {
	case "own":
		return h, Own
	case "level", "predecessor":
		h.Check = event.CheckContainer
		return h, OwnersLevel
	}
	return h, Foreign
}

func (s sighting) apply(status *Status) bool {
	switch s.who {
	case "tick":
		status.Tick(clock(s.at))
	case "claim":
		status.NewClaim(clock(s.at))
	default:
		h, kind := s.health()
		return status.Observe(h, kind, clock(s.at))
	}
	return true
}

func TestStatus(t *testing.T) {
	tests := map[string][]sighting{
		// A clock that is set back.
		"set back after a lift":   {{at: 3600, who: "own", saw: up, want: pending}, {at: 3601, who: "own", saw: up, want: up}, {at: 3602, who: "level", saw: down, want: down}, {at: 3603, who: "level", saw: up, want: down}, {at: 5, who: "own", saw: up, want: down}, {at: 15, who: "own", saw: up, want: up}},
		"set back before a level": {{at: 3600, who: "level", saw: up, want: unknown}, {at: 5, who: "level", saw: down, want: down}, {at: 6, who: "level", saw: up, want: down, ago: 2, lost: true}},

		// Thresholds, each source with its own.
		"pending at the start":           {{at: 0, who: "tick", want: pending}},
		"UP needs two":                   {{at: 1, who: "own", saw: up, want: pending}, {at: 11, who: "own", saw: up, want: up}},
		"DOWN needs three":               {{at: 1, who: "own", saw: down, want: pending}, {at: 11, who: "own", saw: down, want: pending}, {at: 21, who: "own", saw: down, want: down}},
		"a good one between them":        {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: up, want: pending}, {at: 4, who: "own", saw: down, want: pending}, {at: 5, who: "own", saw: down, want: pending}, {at: 6, who: "own", saw: down, want: down}},
		"a bad one between the good":     {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: up, want: pending}, {at: 4, who: "own", saw: up, want: up}},
		"there and back":                 {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "own", saw: down, want: up}, {at: 4, who: "own", saw: down, want: up}, {at: 5, who: "own", saw: down, want: down}, {at: 6, who: "own", saw: up, want: down}, {at: 7, who: "own", saw: down, want: down}, {at: 8, who: "own", saw: up, want: down}, {at: 9, who: "own", saw: up, want: up}},
		"thresholds are not added up":    {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "f", saw: down, want: up}, {at: 4, who: "own", saw: down, want: up}, {at: 5, who: "f", saw: down, want: up}, {at: 6, who: "own", saw: down, want: up}, {at: 7, who: "g", saw: down, want: up}, {at: 8, who: "f", saw: down, want: down}},
		"DEGRADED is good for UP's two":  {{at: 1, who: "own", saw: slow, want: pending}, {at: 2, who: "own", saw: up, want: up}},
		"DEGRADED at the start":          {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: slow, want: slow}, {at: 3, who: "own", saw: up, want: slow}, {at: 4, who: "own", saw: up, want: up}},
		"DEGRADED by the same threshold": {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "own", saw: slow, want: up}, {at: 4, who: "own", saw: slow, want: up}, {at: 5, who: "own", saw: slow, want: slow}},
		"DEGRADED breaks a bad run":      {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "own", saw: down, want: up}, {at: 4, who: "own", saw: down, want: up}, {at: 5, who: "own", saw: slow, want: up}, {at: 6, who: "own", saw: down, want: up}, {at: 7, who: "own", saw: down, want: up}},
		"DEGRADED ends DOWN":             {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: down, want: down}, {at: 4, who: "own", saw: slow, want: down}, {at: 5, who: "own", saw: slow, want: slow}},

		// The worst fresh source.
		"foreign DOWN, own UP":      {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "f", saw: down, want: up}, {at: 4, who: "f", saw: down, want: up}, {at: 5, who: "f", saw: down, want: down}, {at: 6, who: "own", saw: up, want: down}, {at: 7, who: "f", saw: up, want: down}, {at: 8, who: "f", saw: up, want: up}},
		"foreign DEGRADED":          {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "f", saw: slow, want: up}, {at: 4, who: "f", saw: slow, want: slow}},
		"foreign UP, own DOWN":      {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: down, want: down}, {at: 4, who: "f", saw: up, want: down}, {at: 5, who: "f", saw: up, want: down}},
		"foreign before our own":    {{at: 1, who: "f", saw: up, want: pending}, {at: 2, who: "f", saw: up, want: pending}, {at: 3, who: "own", saw: up, want: pending}, {at: 4, who: "own", saw: up, want: up}},
		"foreign DOWN is at once":   {{at: 1, who: "f", saw: down, want: pending}, {at: 2, who: "f", saw: down, want: pending}, {at: 3, who: "f", saw: down, want: down}},
		"foreign alone":             {{at: 1, who: "f", saw: up, want: pending}, {at: 20, who: "f", saw: up, want: pending}, {at: 31, who: "tick", want: up}},
		"a container's from others": {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "container of another", saw: down, want: up}},

		// Silence.
		"stale for three intervals":         {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 32, who: "tick", want: up}, {at: 32.1, who: "tick", want: unknown}},
		"never observed":                    {{at: 30, who: "tick", want: pending}, {at: 30.1, who: "tick", want: unknown}},
		"DOWN, then stale":                  {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: down, want: down}, {at: 33.1, who: "tick", want: unknown}},
		"observed again it starts over":     {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 40, who: "own", saw: down, want: pending}, {at: 41, who: "own", saw: down, want: pending}, {at: 42, who: "own", saw: down, want: down}},
		"unknown, observed again":           {{at: 31, who: "tick", want: unknown}, {at: 40, who: "own", saw: up, want: pending}, {at: 50, who: "own", saw: up, want: up}},
		"foreign is stale after 60 s":       {{at: 1, who: "f", saw: down, want: pending}, {at: 2, who: "f", saw: down, want: pending}, {at: 3, who: "f", saw: down, want: down}, {at: 50, who: "own", saw: up, want: down}, {at: 60, who: "own", saw: up, want: down}, {at: 63, who: "tick", want: down}, {at: 63.1, who: "tick", want: up}},
		"staleness is seen without a tick":  {{at: 1, who: "f", saw: down, want: pending}, {at: 2, who: "f", saw: down, want: pending}, {at: 3, who: "f", saw: down, want: down}, {at: 60, who: "own", saw: up, want: down}, {at: 70, who: "own", saw: up, want: up}},
		"foreign, stale and observed again": {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "f", saw: down, want: up}, {at: 4, who: "f", saw: down, want: up}, {at: 30, who: "own", saw: up, want: up}, {at: 55, who: "own", saw: up, want: up}, {at: 65, who: "f", saw: down, want: up}, {at: 66, who: "f", saw: down, want: up}, {at: 67, who: "f", saw: down, want: down}},
		"foreign UP for an own that's out":  {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: down, want: down}, {at: 10, who: "f", saw: up, want: down}, {at: 20, who: "f", saw: up, want: down}, {at: 33.1, who: "tick", want: up}},

		// The level.
		"the level is DOWN at once":           {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "level", saw: up, want: up}, {at: 4, who: "level", saw: down, want: down}},
		"its UP makes nothing UP":             {{at: 1, who: "level", saw: up, want: pending}, {at: 2, who: "level", saw: up, want: pending}, {at: 3, who: "own", saw: up, want: pending}, {at: 4, who: "own", saw: up, want: up}},
		"its UP makes nothing known":          {{at: 1, who: "level", saw: up, want: pending}, {at: 30.1, who: "tick", want: unknown}},
		"its UP lifts no other's DOWN":        {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, who: "own", saw: up, want: down}, {at: 6, who: "own", saw: up, want: up}},
		"lifted, two good ones of our own":    {{at: 3, who: "level", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, who: "own", saw: up, want: down}, {at: 6, who: "own", saw: up, want: up}},
		"lifted, and a foreign UP":            {{at: 3, who: "level", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, who: "f", saw: up, want: down}, {at: 6, who: "f", saw: up, want: down}, {at: 7, who: "own", saw: up, want: down}, {at: 8, who: "own", saw: up, want: up}},
		"lifted, and bad ones of our own":     {{at: 3, who: "level", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, who: "own", saw: down, want: down}, {at: 6, who: "own", saw: up, want: down}, {at: 7, who: "own", saw: up, want: up}},
		"lifting resets the others' UP":       {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "level", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, who: "own", saw: up, want: down}, {at: 6, who: "own", saw: up, want: up}},
		"lifting resets the others' DOWN":     {{at: 1, who: "f", saw: down, want: pending}, {at: 2, who: "f", saw: down, want: pending}, {at: 3, who: "f", saw: down, want: down}, {at: 4, who: "level", saw: down, want: down}, {at: 5, who: "level", saw: up, want: down}, {at: 6, who: "own", saw: up, want: down}, {at: 7, who: "own", saw: up, want: up}},
		"lifting resets a run":                {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "own", saw: down, want: up}, {at: 4, who: "own", saw: down, want: up}, {at: 5, who: "level", saw: down, want: down}, {at: 6, who: "level", saw: up, want: down}, {at: 7, who: "own", saw: down, want: down}, {at: 8, who: "own", saw: up, want: down}, {at: 9, who: "own", saw: up, want: up}},
		"what began before does not count":    {{at: 3, who: "level", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, ago: 1.1, who: "own", saw: up, want: down, lost: true}, {at: 6, ago: 2.5, who: "f", saw: down, want: down, lost: true}, {at: 7, ago: 3, who: "own", saw: up, want: down}, {at: 8, who: "own", saw: up, want: up}},
		"the level said again":                {{at: 1, who: "level", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: pending}, {at: 3, who: "level", saw: up, want: pending}, {at: 4, who: "own", saw: up, want: up}, {at: 5, who: "level", saw: up, want: up}},
		"the first level resets nothing":      {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "level", saw: up, want: pending}, {at: 3, who: "own", saw: up, want: up}},
		"DOWN said again":                     {{at: 1, who: "level", saw: down, want: down}, {at: 31, who: "level", saw: down, want: down}, {at: 61, who: "level", saw: down, want: down}, {at: 62, who: "own", saw: up, want: down}, {at: 63, who: "own", saw: up, want: down}},
		"an older level":                      {{at: 1, who: "level", saw: up, want: pending}, {at: 5, who: "level", saw: down, want: down}, {at: 6, ago: 2, who: "level", saw: up, want: down, lost: true}, {at: 7, ago: 2, who: "level", saw: up, want: down, lost: true}, {at: 8, who: "level", saw: up, want: down}},
		"an older DOWN":                       {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 5, who: "level", saw: up, want: up}, {at: 6, ago: 2, who: "level", saw: down, want: up, lost: true}},
		"the level is stale after 90 s":       {{at: 1, who: "level", saw: down, want: down}, {at: 80, who: "own", saw: up, want: down}, {at: 90, who: "own", saw: up, want: down}, {at: 91, who: "tick", want: down}, {at: 91.1, who: "tick", want: up}},
		"the level, stale and observed again": {{at: 1, who: "level", saw: down, want: down}, {at: 80, who: "own", saw: up, want: down}, {at: 90, who: "own", saw: up, want: down}, {at: 95, who: "level", saw: up, want: up}},
		"a late lift is no staleness":         {{at: 1, who: "level", saw: down, want: down}, {at: 60, who: "level", saw: down, want: down}, {at: 100, ago: 35, who: "level", saw: up, want: down}, {at: 129, who: "tick", want: down}, {at: 130.1, who: "tick", want: unknown}},
		"lifted, and our own stays stale":     {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "level", saw: down, want: down}, {at: 20, who: "level", saw: up, want: down}, {at: 50, who: "tick", want: down}, {at: 50.1, who: "tick", want: unknown}},
		"a new claim ends the level":          {{at: 1, who: "own", saw: up, want: pending}, {at: 2, who: "own", saw: up, want: up}, {at: 3, who: "predecessor", saw: down, want: down}, {at: 4, who: "claim", want: down}, {at: 4.4, who: "tick", want: down}, {at: 4.5, who: "tick", want: up}},
		"and its successor's lifts nothing":   {{at: 3, who: "predecessor", saw: down, want: down}, {at: 4, who: "own", saw: up, want: down}, {at: 4.5, who: "claim", want: down}, {at: 5, who: "level", saw: up, want: down}, {at: 6, who: "own", saw: up, want: up}},
		"a level without a claim, by others":  {{at: 3, who: "predecessor", saw: down, want: down}, {at: 4, who: "level", saw: up, want: down}, {at: 5, who: "own", saw: up, want: down}, {at: 6, who: "own", saw: up, want: up}},
		"own DOWN, then the level":            {{at: 1, who: "own", saw: down, want: pending}, {at: 2, who: "own", saw: down, want: pending}, {at: 3, who: "own", saw: down, want: down}, {at: 4, who: "level", saw: down, want: down}, {at: 5, who: "own", saw: up, want: down}, {at: 6, who: "own", saw: up, want: down}, {at: 7, who: "level", saw: up, want: down}, {at: 8, who: "own", saw: up, want: down}, {at: 9, who: "own", saw: up, want: up}},

		// Other times.
		"from five minutes ahead":     {{at: 1, ago: -300, who: "own", saw: up, want: pending}, {at: 2, ago: -300.1, who: "own", saw: up, want: pending, lost: true}, {at: 3, who: "own", saw: up, want: up}},
		"from ten minutes behind":     {{at: 1, ago: 600, who: "own", saw: up, want: pending}, {at: 2, ago: 600.1, who: "own", saw: up, want: pending, lost: true}, {at: 3, who: "own", saw: up, want: up}},
		"a level from another time":   {{at: 1, ago: 601, who: "level", saw: down, want: pending, lost: true}, {at: 2, ago: -301, who: "level", saw: down, want: pending, lost: true}},
		"foreign and late, and fresh": {{at: 1, ago: 500, who: "f", saw: down, want: pending}, {at: 2, ago: 400, who: "f", saw: down, want: pending}, {at: 3, ago: 300, who: "f", saw: down, want: down}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			status := New(watched(), nil, dawn)
			for i, step := range steps {
				counted := step.apply(status)
				if counted == step.lost {
					t.Fatalf("step %d (%+v) is counted: %v", i+1, step, counted)
				}
				if status.Value != step.want {
					t.Fatalf("after step %d (%+v) it is %s, want %s", i+1, step, status.Value, step.want)
				}
				if status.Good() != (status.Value == up || status.Value == slow) {
					t.Fatalf("%s is good: %v", status.Value, status.Good())
				}
			}
		})
	}
}

func observe(s *Status, steps ...sighting) *Status {
	for _, step := range steps {
		step.apply(s)
	}
	return s
}

func TestFirstBadAndSince(t *testing.T) {
	s := New(watched(), nil, dawn)
	check := func(name string, value event.Status, since, firstBad float64) {
		t.Helper()
		want := time.Time{}
		if firstBad >= 0 {
			want = clock(firstBad)
		}
		if s.Value != value || !s.Since.Truncate(time.Microsecond).Equal(clock(since)) || !s.FirstBad.Equal(want) {
			t.Errorf("%s: %s since %v, first bad %v; want %s since %v, first bad %v", name, s.Value, s.Since, s.FirstBad, value, clock(since), want)
		}
	}
	observe(s, sighting{at: 1, who: "own", saw: up}, sighting{at: 2, who: "own", saw: up})
	check("UP", up, 2, -1)
	observe(s, sighting{at: 10, ago: 3, who: "own", saw: down}, sighting{at: 11, who: "own", saw: down})
	check("not DOWN yet", up, 2, -1)
	observe(s, sighting{at: 12, who: "own", saw: down})
	check("DOWN", down, 12, 7)
	observe(s, sighting{at: 13, who: "own", saw: up}, sighting{at: 14, who: "own", saw: down}, sighting{at: 15, who: "level", saw: down})
	check("DOWN for another reason", down, 12, 7)
	observe(s, sighting{at: 16, who: "level", saw: up}, sighting{at: 17, who: "own", saw: down})
	check("lifted", down, 12, 7)
	observe(s, sighting{at: 48, who: "tick"})
	check("stale", unknown, 47, 7)
	observe(s, sighting{at: 49, who: "own", saw: down})
	check("undecided again, and the outage lasts", pending, 49, 7)
	observe(s, sighting{at: 50, who: "own", saw: up}, sighting{at: 51, who: "own", saw: up})
	check("UP again", up, 51, -1)
	observe(s, sighting{at: 60, who: "level", saw: up}, sighting{at: 61, ago: 0.5, who: "level", saw: down})
	check("the level", down, 61, 60.5)

	s = observe(New(watched(), nil, dawn), sighting{at: 1, who: "f", saw: down}, sighting{at: 2, who: "own", saw: down}, sighting{at: 3, who: "level", saw: down})
	check("the earliest of all sources", down, 3, 1)
}

func TestWhoDecides(t *testing.T) {
	s := observe(New(watched(), nil, dawn), sighting{at: 1, who: "own", saw: up}, sighting{at: 2, who: "own", saw: up})
	check := func(instance, text string, own, foreign bool, level event.Status) {
		t.Helper()
		if s.Decided.Instance != instance || s.Error != text || s.OwnDown() != own || s.ForeignDown() != foreign || s.Level() != level {
			t.Errorf("%s decides (%q), own DOWN %v, foreign DOWN %v, level %q; want %s (%q), %v, %v, %q",
				s.Decided.Instance, s.Error, s.OwnDown(), s.ForeignDown(), s.Level(), instance, text, own, foreign, level)
		}
	}
	check("own", "", false, false, "")
	observe(s, sighting{at: 3, who: "f", saw: down}, sighting{at: 4, who: "f", saw: down}, sighting{at: 5, who: "f", saw: down})
	check("f", "f says DOWN", false, true, "")
	observe(s, sighting{at: 6, who: "own", saw: down}, sighting{at: 7, who: "own", saw: down}, sighting{at: 8, who: "own", saw: down})
	check("own", "own says DOWN", true, true, "")
	observe(s, sighting{at: 9, who: "level", saw: down})
	check("level", "level says DOWN", true, true, down)
	if got := fmt.Sprint(s.Sources()); len(s.Sources()) != 3 || s.Sources()[0].Instance != "f" || s.Sources()[1].Instance != "level" || s.Sources()[2].Instance != "own" {
		t.Errorf("the sources are %s, want f, level and own, in order", got)
	}
	observe(s, sighting{at: 10, who: "level", saw: up})
	if s.OwnDown() || s.ForeignDown() || s.Level() != up || len(s.Sources()) != 1 {
		t.Errorf("after the level was lifted the sources are %v", s.Sources())
	}
}

func TestOwnBadSince(t *testing.T) {
	s := New(watched(), nil, dawn)
	for i := range 5 {
		observe(s, sighting{at: float64(10 + i), who: "own", saw: down}, sighting{at: float64(10 + i), who: "f", saw: down})
	}
	for after, want := range map[float64]int{0: 5, 10: 4, 11.5: 3, 14: 0, 20: 0} {
		if got := s.OwnBadSince(clock(after)); got != want {
			t.Errorf("%d of our own began after %v s, want %d", got, after, want)
		}
	}
	observe(s, sighting{at: 20, who: "own", saw: slow})
	if got := s.OwnBadSince(dawn); got != 0 {
		t.Errorf("after a DEGRADED one there are %d in a row", got)
	}
	last, observed := s.OwnLast()
	if !observed || last.Status != slow {
		t.Errorf("the last of our own is %+v", last)
	}
	if _, observed := New(watched(), nil, dawn).OwnLast(); observed {
		t.Error("something was observed of a service that is new")
	}
}

// TestOwnBadSinceReachesEveryThreshold: a run is bounded, and yet as many bad
// checks as the highest threshold can be counted after a start.
func TestOwnBadSinceReachesEveryThreshold(t *testing.T) {
	def := watched()
	def.FailureThreshold = 100
	s := New(def, nil, dawn)
	for i := range 5000 {
		observe(s, sighting{at: float64(i), who: "own", saw: down})
	}
	if got := s.OwnBadSince(clock(4000)); got != 100 || !s.FirstBad.Equal(dawn) {
		t.Errorf("%d are counted after a start, want 100; the outage began at %v, want %v", got, s.FirstBad, dawn)
	}
}

func TestFreshFollowsInterval(t *testing.T) {
	tests := []struct{ interval, timeout, want time.Duration }{
		{10 * time.Second, 5 * time.Second, 30 * time.Second},
		{time.Second, 5 * time.Second, 15 * time.Second},
	}
	for _, test := range tests {
		def := watched()
		def.Interval, def.Timeout = test.interval, test.timeout
		if got := New(def, nil, dawn).Fresh(); got != test.want {
			t.Errorf("every %v with %v for each: stale after %v, want %v", test.interval, test.timeout, got, test.want)
		}
	}
}

func TestForeignSourcesAreBounded(t *testing.T) {
	s := New(watched(), nil, dawn)
	counted := 0
	for i := range 500 {
		if (sighting{at: 1, who: fmt.Sprintf("f%d", i), saw: down}).apply(s) {
			counted++
		}
	}
	if counted != maxSources || len(s.Sources()) != maxSources {
		t.Errorf("%d foreign sources are counted and %d kept, want %d", counted, len(s.Sources()), maxSources)
	}
	observe(s, sighting{at: 2, who: "own", saw: up}, sighting{at: 3, who: "own", saw: up}, sighting{at: 4, who: "level", saw: down})
	if s.Value != down || s.Level() != down {
		t.Error("among many foreign sources our own and the level are not observed")
	}
	if !(sighting{at: 90, who: "new", saw: down}).apply(s) {
		t.Error("a new foreign source is not observed after the others fell stale")
	}
}

// TestLastIsTheNewestCountedObservation is the newest observation, as the page shows it.
func TestLastIsTheNewestCountedObservation(t *testing.T) {
	s := observe(New(watched(), nil, dawn), sighting{at: 5, who: "own", saw: up}, sighting{at: 6, ago: 4, who: "f", saw: down})
	if s.Last.Instance != "own" {
		t.Errorf("a late one of %s is shown", s.Last.Instance)
	}
	observe(s, sighting{at: 7, who: "f", saw: down}, sighting{at: 8, who: "level", saw: up})
	if s.Last.Instance != "f" {
		t.Errorf("the newest is of %s, want f; a level has no answer to show", s.Last.Instance)
	}
}

// TestRepeatedLevelKeepsItsStart is since its change, not since it was written last.
func TestRepeatedLevelKeepsItsStart(t *testing.T) {
	s := observe(New(watched(), nil, dawn), sighting{at: 3, who: "level", saw: down}, sighting{at: 33, who: "level", saw: down}, sighting{at: 63, who: "level", saw: down})
	if since := s.Sources()[0].Since; !since.Equal(clock(3)) {
		t.Errorf("DOWN at 3 s and said again it is since %v, want %v", since, clock(3))
	}
	observe(s, sighting{at: 64, who: "level", saw: up})
	if since := s.Sources()[0].Since; !since.Equal(clock(64)) {
		t.Errorf("changed at 64 s it is since %v", since)
	}
}

func TestWasUpIsOfThePresentCheck(t *testing.T) {
	s := New(watched(), nil, dawn)
	if observe(s, sighting{at: 1, who: "f", saw: up}, sighting{at: 2, who: "f", saw: up}, sighting{at: 3, who: "own", saw: down}); s.WasUp() {
		t.Error("a foreign UP counts for our own check")
	}
	if observe(s, sighting{at: 4, who: "own", saw: up}, sighting{at: 5, who: "own", saw: up}); !s.WasUp() {
		t.Error("our own UP does not count")
	}
	slower := watched()
	slower.Interval *= 2
	if s.Redefine(slower, clock(6)); !s.WasUp() {
		t.Error("another interval is another check")
	}
	kept := &event.Service{Service: "pay", Status: down, Definition: slower.Masked()}
	if !New(slower, kept, dawn).WasUp() {
		t.Error("it is lost over a restart")
	}
	moved := slower
	moved.URL = "http://pay:81"
	if New(moved, kept, dawn).WasUp() {
		t.Error("it is kept over a restart with another url")
	}
	kept.NeverUp = true
	if New(slower, kept, dawn).WasUp() {
		t.Error("it is made up over a restart")
	}
	if s.Redefine(moved, clock(7)); s.WasUp() {
		t.Error("it is kept with another url")
	}
}
