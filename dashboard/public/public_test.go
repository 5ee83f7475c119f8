package public

import (
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

func share(v float64) *float64 { return &v }

func TestPercentIsNeverRoundedUp(t *testing.T) {
	for v, want := range map[float64]string{1: "100%", 0.99999: "99.99%", 0.9995: "99.95%", 0.5: "50%", 0: "0%", 0.999: "99.9%"} {
		if got := Percent(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{30 * time.Minute: "30 minutes", time.Hour: "1 hour", 90 * time.Minute: "1 hour 30 minutes",
		25 * time.Hour: "1 day 1 hour", 45 * time.Second: "45 seconds", time.Minute + 10*time.Second: "1 minute"} {
		if got := Spell(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestVerdictIsOfTheWorst(t *testing.T) {
	for _, tt := range []struct {
		have       []event.Status
		tone, want string
	}{
		{nil, "", "No service is published here."},
		{[]event.Status{event.Up, event.Up}, "up", "All services are up."},
		{[]event.Status{event.Up, event.Degraded}, "warn", "1 service is degraded."},
		{[]event.Status{event.Down, event.Down, event.Degraded}, "down", "2 services are down."},
		{[]event.Status{event.Up, event.Unknown}, "", "1 service is without data."},
	} {
		var g Group
		for _, status := range tt.have {
			g.Services = append(g.Services, Service{Status: status})
		}
		s := Status{Groups: []Group{g}}
		if s.Decide(); s.Tone != tt.tone || s.Verdict != tt.want {
			t.Errorf("%v: %q, %q", tt.have, s.Tone, s.Verdict)
		}
	}
}

func TestAnOpenIncidentIsOneSentence(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	base := view.Incident{Service: "web", State: state.Open, Opened: now.Add(-time.Minute), FirstBad: now.Add(-2 * time.Minute), Error: "secret", Cause: "secret", Action: "secret", Target: "secret"}
	for want, change := range map[string]func(*view.Incident){
		"web failed at 11:58 UTC: the cause is being diagnosed.":                      func(*view.Incident) {},
		"web failed at 11:58 UTC: it is being repaired.":                              func(in *view.Incident) { in.Phase = view.PhaseAction },
		"web failed at 11:58 UTC: it was repaired, and the repair is being verified.": func(in *view.Incident) { in.Phase = view.PhaseVerification },
		"web failed at 11:58 UTC: the repair waits for an operator.":                  func(in *view.Incident) { in.Approval, in.Held = &view.Approval{}, "approval" },
		"web failed at 11:58 UTC: the repair is on hold.":                             func(in *view.Incident) { in.Held = "budget" },
		"web failed at 11:58 UTC: a person was called.":                               func(in *view.Incident) { in.State = state.Escalated },
		"web failed at 28 Feb 11:58 UTC: the cause is being diagnosed.":               func(in *view.Incident) { in.FirstBad = in.FirstBad.Add(-24 * time.Hour) },
	} {
		in := base
		change(&in)
		if got, shown := Published(in, now); got.Text != want || !shown {
			t.Errorf("%q, want %q", got.Text, want)
		}
	}
	ended := now.Add(-EndedShown - time.Second)
	base.State, base.Resolved, base.Notes = state.Resolved, &ended, []view.Note{{Text: "n"}}
	if _, shown := Published(base, now); shown {
		t.Error("an incident of the day before yesterday is shown")
	}
}

func TestStripSaysWhatItDraws(t *testing.T) {
	s := Service{Days: []view.Day{{}, {Uptime: share(1)}, {Uptime: share(0.97), DownS: 10}, {Uptime: share(0.2), DownS: 10}}}
	if got := s.Strip(); got != "4 days: failures on 2 days, no data on 1 day" {
		t.Error(got)
	}
	page := string(Status{Groups: []Group{{Services: []Service{s}}}}.Page())
	for _, want := range []string{`class=""><title>`, `height="4" class="up"`, `height="7" class="past"`, `height="11" class="past"`, "1 Jan: up 20%", "no data"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing in %s", want, page)
		}
	}
	if strings.Contains(page, `class="down"`) {
		t.Error("what was down before is red")
	}
	s.Status = event.Down
	if page := string(Status{Groups: []Group{{Services: []Service{s}}}}.Page()); !strings.Contains(page, `height="14" class="down"`) {
		t.Errorf("what is down now is not red in %s", page)
	}
}

func TestColoursOfUptimeBadges(t *testing.T) {
	for v, want := range map[float64]string{1: green, 0.99: green, 0.989: amber, 0.95: amber, 0.94: red, 0: red} {
		if got := string(UptimeBadge("web", "7d", &v)); !strings.Contains(got, want) {
			t.Errorf("%v: %s", v, got)
		}
	}
}
