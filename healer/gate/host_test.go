package gate

import (
	"strings"
	"testing"
	"time"

	"logstream/healer/budget"
	"logstream/internal/service"
)

// TestGatesOfTheHost has rows for what holds a restart for a reason that is not
// the container's: one thing that differs from a situation in which it is allowed.
func TestGatesOfTheHost(t *testing.T) {
	start := func(s *Situation) { s.Action, s.Ran = service.ActionStart, true }
	for _, tt := range []struct {
		name   string
		stage  Stage
		change func(*Situation)
		gate   string
		until  time.Duration // from now; 0: none
		says   string
	}{
		{"nothing", Repair, func(*Situation) {}, "", 0, ""},
		{"silenced", Repair, func(s *Situation) { s.Silence = &Silence{Reason: "a migration", Until: now.Add(time.Hour)} }, "silence", time.Hour, "a migration"},
		{"silenced, a start", Repair, func(s *Situation) { start(s); s.Silence = &Silence{Until: now.Add(time.Hour)} }, "silence", time.Hour, "silenced"},
		{"silenced, asked", Repair, func(s *Situation) { s.Silence, s.Asked = &Silence{Until: now.Add(time.Hour)}, true }, "", 0, ""},
		{"silenced, right before the call", Wish, func(s *Situation) { s.Silence = &Silence{Until: now.Add(time.Hour)} }, "silence", time.Hour, ""},
		{"maintenance", Repair, func(s *Situation) { s.MaintenanceUntil = now.Add(time.Hour) }, "maintenance", time.Hour, "config.yaml"},
		{"maintenance, a start", Repair, func(s *Situation) { start(s); s.MaintenanceUntil = now.Add(time.Hour) }, "maintenance", time.Hour, ""},
		{"maintenance, asked", Repair, func(s *Situation) { s.MaintenanceUntil, s.Asked = now.Add(time.Hour), true }, "", 0, ""},
		{"maintenance, right before the call", Wish, func(s *Situation) { s.MaintenanceUntil = now.Add(time.Hour) }, "maintenance", time.Hour, ""},

		{"blind", Witness, func(s *Situation) { s.Blind.Now = "the observer is blind: 28 of 30" }, "blind", 0, "28 of 30"},
		{"blind, and its container ended", Witness, func(s *Situation) { s.Blind.Now, s.LevelDown = "the observer is blind", true }, "", 0, ""},
		{"blind, asked", Witness, func(s *Situation) { s.Blind.Now, s.Asked = "the observer is blind", true }, "", 0, ""},
		{"blind, right before the call", Wish, func(s *Situation) { s.Blind.Now = "the observer is blind" }, "blind", 0, ""},
		{"blind in a moment", Witness, func(s *Situation) { s.Blind.Opening = true }, "wait", 0, ""},
		{"perhaps blind", Witness, func(s *Situation) { s.Blind.Suspect = true }, "blind", 0, "cut off"},
		{"blind for all that is known", Witness, func(s *Situation) { s.Blind.Proof = now.Add(time.Minute) }, "blind", time.Minute, "HEALTHCHECKs"},
		{"blind until a moment ago", Witness, func(s *Situation) { s.Blind = Blind{Since: now, Failed: 1, Needed: 2} }, "blind", 0, "next checks"},
		{"blind until then, and DOWN since", Witness, func(s *Situation) { s.Blind = Blind{Since: now, Failed: 2, Needed: 2} }, "", 0, ""},
		{"blind, a foreign source alone says so", Witness, func(s *Situation) { s.Blind.Now, s.Unconfirmed = "the observer is blind", true }, "blind", 0, ""},

		{"too few healthy", Repair, func(s *Situation) { s.Breaker = Breaker{Tripped: true, Healthy: 3, Known: 8, Least: 51} }, "budget", 0, "3 of 8 services"},
		{"too few healthy until a moment ago", Repair, func(s *Situation) {
			s.Breaker = Breaker{Tripped: true, Healthy: 3, Known: 8, Least: 51, Window: 10 * time.Second, Stable: now.Add(-4 * time.Second)}
		}, "budget", 6 * time.Second, "healthy for 10s"},
		{"too few healthy, a start", Repair, func(s *Situation) { start(s); s.Breaker = Breaker{Tripped: true} }, "", 0, ""},
		{"too few healthy, asked", Repair, func(s *Situation) { s.Breaker, s.Asked = Breaker{Tripped: true}, true }, "", 0, ""},

		{"the fourth time", Repair, func(s *Situation) { s.Recurrence = Recurrence{Times: 4, Most: 5} }, "", 0, ""},
		{"the fifth time", Repair, func(s *Situation) {
			s.Recurrence = Recurrence{Cause: "http_5xx", Times: 5, Most: 5, Within: 168 * time.Hour}
		}, "escalate", 0, "This is not healed: http_5xx for the 5th time in 7 days."},
		{"the fifth time, a start", Repair, func(s *Situation) { start(s); s.Recurrence = Recurrence{Times: 5, Most: 5} }, "", 0, ""},
		{"the fifth time, asked", Repair, func(s *Situation) { s.Recurrence, s.Asked = Recurrence{Times: 5, Most: 5}, true }, "", 0, ""},
		{"the sixth time", Repair, func(s *Situation) { s.Recurrence = Recurrence{Cause: "hang", Times: 6, Most: 5, Called: "in5"} }, "budget", 0, "called in incident in5; acknowledge this"},
		{"back soon", Repair, func(s *Situation) {
			s.Recurrence = Recurrence{Cause: "http_5xx", Times: 1, Return: Return{Action: "restart", After: 4*time.Second + 1}}
		}, "escalate", 0, "This is not healed: http_5xx was back 4 s after restart was verified. Another restart would not last: the container's log may show why it fails."},
		{"back after a repair that did not help", Repair, func(s *Situation) {
			s.Recurrence = Recurrence{Cause: "hang", Return: Return{Action: "restart", Failed: true, After: 130 * time.Second}}
		}, "escalate", 0, "This is not healed: hang is back, and restart did not help against it 2 min ago. The container's log may show why it fails."},
		{"back soon, a start", Repair, func(s *Situation) { start(s); s.Recurrence.Return = Return{Action: "restart"} }, "", 0, ""},
		{"back soon, asked", Repair, func(s *Situation) { s.Recurrence.Return, s.Asked = Return{Action: "restart"}, true }, "", 0, ""},
		{"back again", Repair, func(s *Situation) {
			s.Recurrence = Recurrence{Cause: "hang", Return: Return{Action: "restart", Called: "in2"}}
		}, "budget", 0, "called in incident in2; acknowledge this"},
		{"any time, off", Repair, func(s *Situation) { s.Recurrence = Recurrence{Times: 50} }, "", 0, ""},

		{"one repair by another healer", Change, func(s *Situation) { s.Outside = Outside{Repairs: 1, Last: now} }, "", 0, ""},
		{"two repairs by another healer", Change, func(s *Situation) { s.Outside = Outside{Repairs: 2, Last: now.Add(-time.Minute)} }, "rival", 9 * time.Minute, "another healer works on this engine"},
		{"two repairs by another healer, asked", Change, func(s *Situation) { s.Outside, s.Asked = Outside{Repairs: 2, Last: now}, true }, "", 0, ""},
		{"two repairs, ten minutes ago", Change, func(s *Situation) { s.Outside = Outside{Repairs: 2, Last: now.Add(-10 * time.Minute)} }, "", 0, ""},
		{"restarted from outside a moment ago", Repair, func(s *Situation) { s.Outside.Started = now.Add(-20 * time.Second) }, "rival", 40 * time.Second, "same failure"},
		{"restarted from outside a minute ago", Repair, func(s *Situation) { s.Outside.Started = now.Add(-time.Minute) }, "", 0, ""},
		{"started from outside, a start", Repair, func(s *Situation) { start(s); s.Outside.Started = now }, "", 0, ""},

		{"inside start_period", Repair, func(s *Situation) { s.StartsUntil = now.Add(time.Minute) }, "starting", time.Minute, "start_period"},
		{"inside start_period, asked", Repair, func(s *Situation) { s.StartsUntil, s.Asked = now.Add(time.Minute), true }, "", 0, ""},
		{"start_period is over", Repair, func(s *Situation) { s.StartsUntil = now }, "", 0, ""},
		{"inside start_period, a start", Repair, func(s *Situation) { start(s); s.StartsUntil = now.Add(time.Minute) }, "", 0, ""},
		{"a full disk", Repair, func(s *Situation) { s.Full = "write /data: no space left on device" }, "escalate", 0, "no space left on device"},
		{"a full disk, a start", Repair, func(s *Situation) { start(s); s.Full = "no space left" }, "", 0, ""},
		{"a full disk, asked", Repair, func(s *Situation) { s.Full, s.Asked = "no space left", true }, "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Situation{Now: now, Action: service.ActionRestart, Def: service.Default(), Mode: service.Auto, Service: &budget.Service{}, Host: &budget.Host{},
				Limits: Limits{ManualGrace: 5 * time.Second, Attempts: 3, PerHour: 5, HostPerMinute: 6, Cooldown: 30 * time.Second}}
			tt.change(&s)
			v := Check(tt.stage, s)
			if said(v) != tt.gate || v.Gate != "" && v.Reason == "" || !strings.Contains(v.Reason+v.Escalate, tt.says) {
				t.Errorf("the verdict is %+v, want %q that says %q", v, tt.gate, tt.says)
			}
			if until := now.Add(tt.until); tt.until == 0 && v.Until != nil || tt.until != 0 && (v.Until == nil || !v.Until.Equal(until)) {
				t.Errorf("until %v, want %v", v.Until, until)
			}
		})
	}
}

func TestOrdinals(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 102: "102nd", 113: "113th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}
