package gate

import (
	"regexp"
	"testing"
	"time"

	"logstream/healer/budget"
	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func folded(events ...event.Incident) (*budget.Service, *budget.Host) {
	s, h := &budget.Service{}, &budget.Host{}
	for _, e := range events {
		s.Apply(e)
		h.Apply(e)
	}
	return s, h
}

func intents(at time.Time, n int) []event.Incident {
	list := make([]event.Incident, n)
	for i := range list {
		list[i] = event.Incident{Time: at, Data: event.ActionStarted{Attempt: i + 1}}
	}
	return list
}

func repaired(at time.Time, n int) *budget.Service { s, _ := folded(intents(at, n)...); return s }

func busy(at time.Time, n int) *budget.Host { _, h := folded(intents(at, n)...); return h }

func failed(at time.Time) *budget.Service {
	s, _ := folded(event.Incident{Time: at, Data: event.Verified{Outcome: event.OutcomeFailed}})
	return s
}

func closed(at time.Time) *budget.Service {
	s, _ := folded(event.Incident{Time: at, Data: event.ActionFinished{Outcome: event.OutcomeNotExecuted}})
	return s
}

// said is a verdict in one word: the gate, "escalate", "wait", or nothing.
func said(v Verdict) string {
	switch {
	case v.Escalate != "":
		return "escalate"
	case v.Wait:
		return "wait"
	}
	return v.Gate
}

// TestRepairGates has a row for each gate right before an intent: one thing that
// differs from a situation in which a start is allowed.
func TestAHoldWithoutAReasonEndsItsSentence(t *testing.T) {
	for reason, want := range map[string]string{"": "repairs on this host are on hold", "a migration": "repairs on this host are on hold: a migration"} {
		if v := onHold(Situation{Hold: &Hold{Reason: reason}}); v.Reason != want {
			t.Errorf("it is %q, want %q", v.Reason, want)
		}
	}
}

func TestRepairGates(t *testing.T) {
	stopped := history.Ending{End: history.EndStopped, At: now.Add(-2 * time.Second), ReadAt: now.Add(-2 * time.Second)}
	byHand := func(s *Situation) { s.Ended, s.Ending = true, stopped }
	for _, tt := range []struct {
		name   string
		change func(*Situation)
		gate   string
		until  bool
	}{
		{"nothing", func(*Situation) {}, "", false},
		{"ourselves", func(s *Situation) { s.Container.Self = true }, "self", false},
		{"our broker", func(s *Situation) { s.Protected = true }, "self", false},
		{"our broker, allowed", func(s *Situation) { s.Protected, s.Def.Heal.Self = true, true }, "", false},
		{"a hold", func(s *Situation) { s.Hold = &Hold{Reason: "x"} }, "hold", false},
		{"a hold for a time", func(s *Situation) { s.Hold = &Hold{Until: now.Add(time.Hour)} }, "hold", true},
		{"a hold, asked", func(s *Situation) { s.Hold, s.Asked = &Hold{}, true }, "hold", false},
		{"observe", func(s *Situation) { s.Mode = service.Observe }, "observe", false},
		{"observe, discovered", func(s *Situation) { s.Mode, s.Def.Discovered = service.Observe, true }, "observe", false},
		{"observe, never ran", func(s *Situation) { s.Mode, s.Ran = service.Observe, false }, "operator", false},
		{"observe, asked", func(s *Situation) { s.Mode, s.Asked = service.Observe, true }, "", false},
		{"four intents not executed", func(s *Situation) { s.NotExecuted = 4 }, "", false},
		{"five intents not executed", func(s *Situation) { s.NotExecuted = 5 }, "escalate", false},
		{"two attempts", func(s *Situation) { s.Counted = 2 }, "", false},
		{"three attempts", func(s *Situation) { s.Counted = 3 }, "escalate", false},
		{"four in an hour", func(s *Situation) { s.Service = repaired(now, 4) }, "", false},
		{"five in an hour", func(s *Situation) { s.Service = repaired(now, 5) }, "escalate", false},
		{"five in an hour, asked", func(s *Situation) { s.Service, s.Asked = repaired(now, 5), true }, "", false},
		{"five a minute on this host", func(s *Situation) { s.Host = busy(now, 5) }, "", false},
		{"six a minute on this host", func(s *Situation) { s.Host = busy(now, 6) }, "budget", true},
		{"being replaced", func(s *Situation) { s.Replacing = true }, "deploy", false},
		{"just deployed", func(s *Situation) { s.DeployUntil = now.Add(time.Second) }, "deploy", true},
		{"deployed a while ago", func(s *Situation) { s.DeployUntil = now }, "", false},
		{"stopped just now", func(s *Situation) { s.StoppedAt = now.Add(-900 * time.Millisecond) }, "deploy", true},
		{"stopped a second ago", func(s *Situation) { s.StoppedAt = now.Add(-time.Second) }, "", false},
		{"a stop in progress", func(s *Situation) { s.Stopping = true }, "rival", false},
		{"exited under a policy", func(s *Situation) {
			s.Ended, s.Ending, s.Container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now.Add(-9 * time.Second)}, "always"
		}, "policy", true},
		{"exited under a policy that does nothing", func(s *Situation) {
			s.Ended, s.Ending, s.Container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now.Add(-10 * time.Second)}, "always"
		}, "", false},
		{"out of memory under a policy", func(s *Situation) {
			s.Ended, s.Ending, s.Container.RestartPolicy = true, history.Ending{End: history.EndOOM, ReadAt: now}, "always"
		}, "policy", true},
		{"killed under a policy", func(s *Situation) {
			s.Ended, s.Ending, s.Container.RestartPolicy = true, history.Ending{End: history.EndKilled, ReadAt: now}, "always"
		}, "", false},
		{"ended well under on-failure", func(s *Situation) {
			s.Ended, s.Ending, s.Container.RestartPolicy = true, history.Ending{End: history.EndByItself, ReadAt: now}, "on-failure"
		}, "", false},
		{"never ran", func(s *Situation) { s.Ran = false }, "operator", false},
		{"never ran, restart", func(s *Situation) { s.Ran, s.Action = false, service.ActionRestart }, "", false},
		{"never ran, always", func(s *Situation) { s.Ran, s.Def.Heal.ManualStop = false, service.StopAlways }, "", false},
		{"stopped within the grace", byHand, "operator", true},
		{"stopped, asked", func(s *Situation) { byHand(s); s.Asked = true }, "", false},
		{"stopped by the engine", func(s *Situation) { byHand(s); s.ByEngine = true }, "", false},
		{"stopped by chaos", func(s *Situation) { byHand(s); s.ByChaos = true }, "", false},
		{"stopped by ourselves", func(s *Situation) { byHand(s); s.Ending.Ours = true }, "", false},
		{"stopped, and the grace is over", func(s *Situation) { byHand(s); s.Ending.ReadAt = now.Add(-time.Minute) }, "", false},
		{"stopped again", func(s *Situation) { byHand(s); s.Again, s.Ending.ReadAt = true, now.Add(-time.Minute) }, "operator", false},
		{"stopped with its project", func(s *Situation) { byHand(s); s.Together, s.Ending.ReadAt = true, now.Add(-time.Minute) }, "operator", false},
		{"removed with its project", func(s *Situation) { s.Action, s.Missing, s.Together = service.ActionRecreate, true, true }, "operator", false},
		{"removed alone", func(s *Situation) { s.Action, s.Missing = service.ActionRecreate, true }, "", false},
		{"removed with its project, asked", func(s *Situation) {
			s.Action, s.Missing, s.Together, s.Asked = service.ActionRecreate, true, true, true
		}, "", false},
		{"removed, ignore", func(s *Situation) {
			s.Action, s.Missing, s.Def.Heal.ManualStop = service.ActionRecreate, true, service.StopIgnore
		}, "operator", false},
		{"stopped again, always", func(s *Situation) {
			byHand(s)
			s.Again, s.Def.Heal.ManualStop, s.Ending.ReadAt = true, service.StopAlways, now.Add(-time.Minute)
		}, "", false},
		{"stopped with its project, always", func(s *Situation) {
			byHand(s)
			s.Together, s.Def.Heal.ManualStop, s.Ending.ReadAt = true, service.StopAlways, now.Add(-time.Minute)
		}, "", false},
		{"stopped, ignore", func(s *Situation) {
			byHand(s)
			s.Def.Heal.ManualStop, s.Ending.ReadAt = service.StopIgnore, now.Add(-time.Minute)
		}, "operator", false},
		{"paused again", func(s *Situation) {
			s.Action, s.Ended, s.Again, s.Ending = service.ActionUnpause, true, true, history.Ending{ReadAt: now.Add(-time.Minute)}
		}, "operator", false},
		{"cooling down", func(s *Situation) { s.Service = failed(now.Add(-29 * time.Second)) }, "cooldown", true},
		{"cooling down, requested", func(s *Situation) { s.Service, s.Asked = failed(now.Add(-29*time.Second)), true }, "", false},
		{"cooled down", func(s *Situation) { s.Service = failed(now.Add(-30 * time.Second)) }, "", false},
		{"a new claim, the level not read yet", func(s *Situation) { s.LevelPending = true }, "wait", false},
		{"a new claim, requested", func(s *Situation) { s.LevelPending, s.Asked = true, true }, "", false},
		{"another repair runs", func(s *Situation) { s.Busy, s.BusySince = "web", now.Add(-time.Second) }, "wait", false},
		{"another repair runs for long", func(s *Situation) { s.Busy, s.BusySince = "web", now.Add(-16*time.Second) }, "budget", false},
		{"an intent was just closed", func(s *Situation) { s.Service = closed(now.Add(-time.Second / 2)) }, "wait", false},
		{"an intent was closed a second ago", func(s *Situation) { s.Service = closed(now.Add(-time.Second)) }, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Situation{Now: now, Action: service.ActionStart, Def: service.Default(), Mode: service.Auto, Ran: true, Service: &budget.Service{}, Host: &budget.Host{},
				Limits: Limits{ManualGrace: 5 * time.Second, Attempts: 3, PerHour: 5, HostPerMinute: 6, Cooldown: 30 * time.Second}}
			tt.change(&s)
			v := Check(Repair, s)
			if said(v) != tt.gate || (v.Until != nil) != tt.until || v.Gate != "" && v.Reason == "" {
				t.Errorf("the verdict is %+v, want %q", v, tt.gate)
			}
		})
	}
}

// TestWhatIsOnlyObservedSaysHowItIsRepaired by the command, and by the line or label
// that the mode is set by.
func TestWhatIsOnlyObservedSaysHowItIsRepaired(t *testing.T) {
	for _, tt := range []struct {
		def  service.Definition
		want string
	}{
		{service.Definition{Name: "web"}, "logstream heal web --action restart executes it once; in config.yaml, heal.mode: auto of this service allows repairs, or healer.mode: auto for all"},
		{service.Definition{Name: "my web", Heal: service.Heal{Mode: service.Observe}}, "logstream heal 'my web' --action restart executes it once; heal.mode: auto of this service in config.yaml allows repairs"},
		{service.Definition{Name: "web", Discovered: true, Heal: service.Heal{Mode: service.Observe}}, "logstream heal web --action restart executes it once; to allow repairs, create its container again with the label logstream.heal: auto"},
	} {
		s := Situation{Now: now, Action: service.ActionRestart, Def: tt.def, Mode: service.Observe}
		if v := Check(Repair, s); v.Reason != "the mode is observe, so the action restart is not executed; "+tt.want {
			t.Errorf("it is %q, want %q", v.Reason, tt.want)
		}
	}
}

// TestRepairGatesAreCheckedInTheirOrder begins with a situation in which all hold,
// and lifts one after the other.
func TestRepairGatesAreCheckedInTheirOrder(t *testing.T) {
	s := Situation{Now: now, Action: service.ActionStart, Def: service.Default(), Mode: service.Observe, Protected: true, Hold: &Hold{},
		Counted: 3, Replacing: true, Stopping: true, Ended: true, Ending: history.Ending{End: history.EndByItself, ReadAt: now},
		Container: container.State{RestartPolicy: "always"}, Service: failed(now), Host: &budget.Host{}, Busy: "web", BusySince: now.Add(-time.Minute),
		Limits: Limits{ManualGrace: 5 * time.Second, Attempts: 3, PerHour: 5, HostPerMinute: 6, Cooldown: 30 * time.Second}}
	for _, next := range []struct {
		gate string
		lift func()
	}{
		{"self", func() { s.Protected = false }},
		{"hold", func() { s.Hold = nil }},
		{"operator", func() { s.Ran = true }}, // in mode observe before it
		{"observe", func() { s.Mode, s.Ran = service.Auto, false }},
		{"escalate", func() { s.Counted = 0 }},
		{"deploy", func() { s.Replacing = false }},
		{"rival", func() { s.Stopping = false }},
		{"policy", func() { s.Container.RestartPolicy = "no" }},
		{"operator", func() { s.Ran = true }},
		{"cooldown", func() { s.Service = &budget.Service{} }},
		{"budget", func() { s.Busy = "" }},
		{"", func() {}},
	} {
		if v := Check(Repair, s); said(v) != next.gate {
			t.Errorf("the verdict is %+v, want %q", v, next.gate)
		}
		next.lift()
	}
}

// TestEarlierGates has rows for the gates before an action is chosen.
func TestEarlierGates(t *testing.T) {
	start := &history.Event{Docker: event.Docker{Action: "start"}, ReadAt: now.Add(-3 * time.Second)}
	for _, tt := range []struct {
		name  string
		stage Stage
		s     Situation
		gate  string
		until bool
	}{
		{"Kafka was unreachable", Journal, Situation{Unwritable: 3 * time.Second, Open: true}, "log", false},
		{"Kafka was unreachable, a person is called", Journal, Situation{Unwritable: 3 * time.Second}, "", false},
		{"Kafka was unreachable for a moment", Journal, Situation{Unwritable: time.Second, Open: true}, "", false},
		{"nothing changed", Change, Situation{}, "", false},
		{"started from outside", Change, Situation{Change: start, ChangeLasts: time.Minute}, "rival", false},
		{"started by its policy", Change, Situation{Change: start, ChangeLasts: time.Minute, ByPolicy: true}, "policy", true},
		{"started from outside, and down again", Change, Situation{Change: start, ChangeLasts: time.Minute, LevelDown: true}, "", false},
		{"started from outside, its level follows", Change, Situation{Change: &history.Event{ReadAt: now}, ChangeLasts: time.Minute, LevelDown: true}, "wait", false},
		{"started from outside long ago", Change, Situation{Change: start, ChangeLasts: 2 * time.Second}, "", false},
		{"only a foreign source says so", Witness, Situation{Unconfirmed: true}, "unconfirmed", false},
		{"only a foreign source, and an operator asked", Witness, Situation{Unconfirmed: true, Asked: true}, "unconfirmed", false},
		{"Docker is unreachable", Engine, Situation{EngineLost: true}, "engine", false},
		{"Docker became reachable a moment ago", Engine, Situation{EngineSettled: now.Add(time.Second)}, "engine", true},
		{"Docker came back a while ago", Engine, Situation{EngineSettled: now}, "", false},
		{"the inspection failed", Target, Situation{InspectFailed: true}, "engine", false},
		{"it is missing in a deployment", Target, Situation{Missing: true, DeployUntil: now.Add(time.Second)}, "deploy", true},
		{"it is being removed", Target, Situation{Container: container.State{Status: container.Removing}}, "deploy", false},
		{"it is missing", Target, Situation{Missing: true}, "", false},
		{"the checks have not decided", Finding, Situation{Undecided: "x", UndecidedFor: 3 * time.Second}, "starting", false},
		{"the checks have just begun", Finding, Situation{Undecided: "x", UndecidedFor: time.Second}, "wait", false},
		{"its policy restarts it", Finding, Situation{Opened: now, Container: container.State{Status: container.Restarting}}, "policy", true},
		{"its policy restarts it for long", Finding, Situation{Opened: now.Add(-time.Minute), Container: container.State{Status: container.Restarting}}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.s.Now = now
			v := Check(tt.stage, tt.s)
			if said(v) != tt.gate || (v.Until != nil) != tt.until {
				t.Errorf("the verdict is %+v, want %q", v, tt.gate)
			}
		})
	}
}

func TestGatesHaveContractNames(t *testing.T) {
	last := Journal
	for _, g := range All {
		if !regexp.MustCompile(`^[a-z]+$`).MatchString(g.Name) || g.Check == nil || g.Stage < last {
			t.Errorf("gate %q at stage %d", g.Name, g.Stage)
		}
		last = g.Stage
	}
}

// TestSpentAttemptsNameTheRefusal: it is what they have to fix.
func TestSpentAttemptsNameTheRefusal(t *testing.T) {
	s := Situation{Counted: 3, Limits: Limits{Attempts: 3, PerHour: 9}, Service: &budget.Service{}, Host: &budget.Host{}, Refused: "start container abc: the engine refused: bind source path does not exist: /srv/data"}
	if got, want := budgetSpent(s).Escalate, "3 of 3 attempts failed. The last one was refused: start container abc: the engine refused: bind source path does not exist: /srv/data."; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	s.Refused = ""
	if got := budgetSpent(s).Escalate; got != "3 of 3 attempts failed." {
		t.Errorf("it says %q", got)
	}
}
