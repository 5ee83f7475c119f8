package healer

import (
	"testing"
	"time"

	"logstream/healer/history"
	"logstream/internal/service"
)

// TestGuard has a row for each gate: one thing that differs from a situation
// in which a start is allowed, and what the guard says to it.
func TestGuard(t *testing.T) {
	now := simStart
	stopped := history.Ending{End: history.EndStopped, At: now.Add(-2 * time.Second), ReadAt: now.Add(-2 * time.Second)}
	byHand := func(s *situation) { s.ended, s.ending = true, stopped }
	for _, tt := range []struct {
		name   string
		change func(*situation)
		gate   string // "" yes, "escalate" a person
		until  bool
	}{
		{"nothing", func(*situation) {}, "", false},
		{"ourselves", func(s *situation) { s.container.Self = true }, "self", false},
		{"our broker", func(s *situation) { s.protected = true }, "self", false},
		{"our broker, allowed", func(s *situation) { s.protected, s.def.Heal.Self = true, true }, "", false},
		{"a hold", func(s *situation) { s.hold = &hold{reason: "x"} }, "hold", false},
		{"a hold for a time", func(s *situation) { s.hold = &hold{until: now.Add(time.Hour)} }, "hold", true},
		{"a hold, asked", func(s *situation) { s.hold, s.asked = &hold{}, true }, "hold", false},
		{"observe", func(s *situation) { s.mode = service.Observe }, "observe", false},
		{"observe, asked", func(s *situation) { s.mode, s.asked = service.Observe, true }, "", false},
		{"four unmade", func(s *situation) { s.never = 4 }, "", false},
		{"five unmade", func(s *situation) { s.never = 5 }, "escalate", false},
		{"two attempts", func(s *situation) { s.counted = 2 }, "", false},
		{"three attempts", func(s *situation) { s.counted = 3 }, "escalate", false},
		{"four in an hour", func(s *situation) { s.hour = 4 }, "", false},
		{"five in an hour", func(s *situation) { s.hour = 5 }, "escalate", false},
		{"five in an hour, asked", func(s *situation) { s.hour, s.asked = 5, true }, "", false},
		{"five a minute on this host", func(s *situation) { s.minute = 5 }, "", false},
		{"six a minute on this host", func(s *situation) { s.minute, s.minuteEnd = 6, now.Add(time.Second) }, "budget", true},
		{"being replaced", func(s *situation) { s.replacing = true }, "deploy", false},
		{"just deployed", func(s *situation) { s.deployUntil = now.Add(time.Second) }, "deploy", true},
		{"deployed a while ago", func(s *situation) { s.deployUntil = now }, "", false},
		{"stopped just now", func(s *situation) { s.stoppedAt = now.Add(-900 * time.Millisecond) }, "deploy", true},
		{"stopped a second ago", func(s *situation) { s.stoppedAt = now.Add(-time.Second) }, "", false},
		{"told to stop", func(s *situation) { s.stopping = true }, "rival", false},
		{"died under a policy", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now.Add(-9 * time.Second)}, "always"
		}, "policy", true},
		{"died under a policy that does nothing", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now.Add(-10 * time.Second)}, "always"
		}, "", false},
		{"killed under a policy", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndKilled, ReadAt: now}, "always"
		}, "", false},
		{"ended well under on-failure", func(s *situation) {
			s.ended, s.ending, s.container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now}, "on-failure"
		}, "", false},
		{"never ran", func(s *situation) { s.ran = false }, "operator", false},
		{"never ran, always", func(s *situation) { s.ran, s.def.Heal.ManualStop = false, service.StopAlways }, "", false},
		{"stopped within the grace", byHand, "operator", true},
		{"stopped, asked", func(s *situation) { byHand(s); s.asked = true }, "", false},
		{"stopped by the engine", func(s *situation) { byHand(s); s.byEngine = true }, "", false},
		{"stopped by chaos", func(s *situation) { byHand(s); s.byChaos = true }, "", false},
		{"stopped by ourselves", func(s *situation) { byHand(s); s.ending.Ours = true }, "", false},
		{"stopped, and the grace is over", func(s *situation) { byHand(s); s.ending.ReadAt = now.Add(-time.Minute) }, "", false},
		{"stopped again", func(s *situation) { byHand(s); s.again, s.ending.ReadAt = true, now.Add(-time.Minute) }, "operator", false},
		{"stopped with its project", func(s *situation) { byHand(s); s.together, s.ending.ReadAt = true, now.Add(-time.Minute) }, "operator", false},
		{"stopped again, always", func(s *situation) {
			byHand(s)
			s.again, s.def.Heal.ManualStop, s.ending.ReadAt = true, service.StopAlways, now.Add(-time.Minute)
		}, "", false},
		{"stopped, ignore", func(s *situation) {
			byHand(s)
			s.def.Heal.ManualStop, s.ending.ReadAt = service.StopIgnore, now.Add(-time.Minute)
		}, "operator", false},
		{"paused again", func(s *situation) {
			s.action, s.ended, s.again, s.ending = service.ActionUnpause, true, true, history.Ending{ReadAt: now.Add(-time.Minute)}
		}, "operator", false},
		{"cooling down", func(s *situation) { s.coolUntil = now.Add(time.Second) }, "cooldown", true},
		{"cooling down, asked", func(s *situation) { s.coolUntil, s.asked = now.Add(time.Second), true }, "", false},
		{"cooled down", func(s *situation) { s.coolUntil = now }, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := situation{now: now, action: service.ActionStart, def: service.Default(), cfg: Default(), mode: service.Auto, ran: true}
			tt.change(&s)
			v := guard(s)
			got := v.gate
			if v.escalate != "" {
				got = "escalate"
			}
			if got != tt.gate || (v.until != nil) != tt.until || v.gate != "" && v.reason == "" {
				t.Errorf("the guard says %+v, want %q", v, tt.gate)
			}
		})
	}
}
