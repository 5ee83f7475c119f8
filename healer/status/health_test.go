package status

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// alone is a container without a url.
func alone() service.Definition {
	def := watched()
	def.URL = ""
	return def
}

// observed is one observation at seconds, and what the service is held to be after it.
type observed struct {
	at    float64
	check string // http (our own), container (the level), health, ci (a foreign source), or tick
	saw   event.Status
	want  event.Status
}

func (o observed) take(s *Status) {
	if o.check == "tick" {
		s.Tick(clock(o.at))
		return
	}
	h := event.HealthLog{Timestamp: event.Seconds(clock(o.at)), Service: "pay", Status: o.saw, Check: o.check, Origin: event.Origin{Instance: "me"}}
	s.Observe(h, map[string]Kind{"http": Own, "container": OwnersLevel, "health": OwnersHealth, "ci": Foreign}[o.check], clock(o.at))
}

// TestHealthcheck: one bad word of a HEALTHCHECK is enough, and it makes nothing
// DOWN while a check of our own decides.
func TestHealthcheck(t *testing.T) {
	healthy := []observed{{0, "container", up, pending}, {1, "http", up, pending}, {2, "http", up, up}, {3, "health", up, up}}
	running := []observed{{0, "container", up, up}, {1, "health", up, up}}
	for name, test := range map[string]struct {
		def      service.Definition
		observed []observed
		disputed bool
	}{
		"it fails while the url answers": {watched(), append(healthy[:4:4], observed{4, "health", down, up}, observed{5, "http", up, up}), true},
		"it fails while the url is slow": {watched(), append(healthy[:4:4], observed{4, "health", down, up}, observed{5, "http", slow, up}, observed{6, "http", slow, up}, observed{7, "http", slow, slow}), true},
		"it recovers":                    {watched(), append(healthy[:4:4], observed{4, "health", down, up}, observed{5, "health", up, up}), false},
		"both fail":                      {watched(), append(healthy[:4:4], observed{4, "health", down, up}, observed{5, "http", down, up}, observed{6, "http", down, up}, observed{7, "http", down, down}), false},
		"the url's check has not decided": {watched(), []observed{{0, "container", up, pending}, {1, "health", down, pending}, {2, "http", up, pending},
			{3, "http", up, up}}, true},
		"the url's check is stale": {watched(), append(healthy[:4:4], observed{20, "health", down, up}, observed{50, "tick", "", down}), false},
		"it is stale":              {watched(), append(healthy[:4:4], observed{4, "health", down, up}, observed{30, "http", up, up}, observed{50, "http", up, up}, observed{80, "http", up, up}, observed{95, "http", up, up}), false},

		"alone: the level is enough":            {alone(), []observed{{0, "container", up, up}, {30, "container", up, up}, {60, "tick", "", up}, {125, "tick", "", unknown}}, false},
		"alone: the level is DOWN":              {alone(), append(running[:2:2], observed{2, "container", down, down}), false},
		"alone: one failure is DOWN":            {alone(), append(running[:2:2], observed{2, "health", down, down}, observed{3, "container", up, down}), false},
		"alone: one success is UP":              {alone(), append(running[:2:2], observed{2, "health", down, down}, observed{3, "health", up, up}), false},
		"alone: after a start it is waited for": {alone(), append(running[:2:2], observed{2, "container", down, down}, observed{3, "container", up, down}, observed{60, "container", up, down}, observed{61, "health", up, up}), false},
		"alone: but not for ever":               {alone(), append(running[:2:2], observed{2, "container", down, down}, observed{3, "container", up, down}, observed{80, "container", up, down}, observed{94, "tick", "", up}), false},
		"alone: and not where there was none":   {alone(), []observed{{0, "container", up, up}, {2, "container", down, down}, {3, "container", up, up}}, false},
		"alone: a foreign source":               {alone(), append(running[:2:2], observed{2, "ci", down, up}, observed{3, "ci", down, up}, observed{4, "ci", down, down}), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(test.def, nil, dawn)
			for _, o := range test.observed {
				if o.take(s); s.Value != o.want {
					t.Errorf("after %+v it is %s", o, s.Value)
				}
			}
			if s.Disputed() != test.disputed {
				t.Errorf("disputed: %v", s.Disputed())
			}
		})
	}
}

func TestWhatStandsForOurOwnCheck(t *testing.T) {
	s := New(alone(), nil, dawn)
	observed{0, "container", up, up}.take(s)
	if !s.IsOwn(OwnersLevel, dawn) || s.WasUp() || s.OwnDown() {
		t.Error("without a HEALTHCHECK the level stands for it, and says nothing of a check")
	}
	observed{1, "health", down, down}.take(s)
	if s.IsOwn(OwnersLevel, dawn) || !s.IsOwn(OwnersHealth, dawn) || !s.OwnDown() || s.OwnBadSince(dawn) != 1 || s.WasUp() {
		t.Error("with a HEALTHCHECK the level stands for it still, or what it says does not count")
	}
	observed{2, "health", up, up}.take(s)
	if last, known := s.OwnLast(); !s.WasUp() || s.OwnDown() || !known || last.Check != "health" {
		t.Errorf("it was UP: %v, last %+v", s.WasUp(), last)
	}
	url := New(watched(), nil, dawn)
	observed{1, "health", down, pending}.take(url)
	if url.IsOwn(OwnersHealth, dawn) || url.OwnDown() || url.OwnBadSince(dawn) != 0 {
		t.Error("beside a url it is our own check")
	}
	if s.endHealth(dawn); s.hasHealth() {
		t.Error("it outlives a claim")
	}
	if s.Looping() {
		t.Error("it loops")
	}
	s.Observe(event.HealthLog{Timestamp: event.Seconds(clock(3)), Status: down, Check: "container", Failure: event.FailureCrashLoop}, OwnersLevel, clock(3))
	if !s.Looping() {
		t.Error("a level that says so is no loop")
	}
	noted := New(alone(), nil, dawn)
	observed{0, "container", up, up}.take(noted)
	if noted.NoteHealthcheck(true, dawn); noted.IsOwn(OwnersLevel, dawn) {
		t.Error("the level stands for a HEALTHCHECK that the container has")
	}
	if noted.NoteHealthcheck(false, dawn); !noted.IsOwn(OwnersLevel, dawn) {
		t.Error("a HEALTHCHECK that the container has no more is waited for")
	}
	none := watched()
	none.Container = ""
	if New(none, nil, dawn).Observe(event.HealthLog{Timestamp: event.Seconds(dawn), Status: down, Check: "health"}, OwnersHealth, dawn.Add(time.Second)) {
		t.Error("a service without a container has a HEALTHCHECK")
	}
}
