package healer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// quiet is a sim of one service that has been up for a while.
func quiet(t *testing.T) (*sim, *box) {
	t.Helper()
	m := newSim(1, 1)
	m.steady = true
	m.trace = []string{}
	m.run(10 * time.Second)
	if got := m.world.services["svc-0"].status.Value; got != event.Up {
		t.Fatalf("svc-0 is %s after ten quiet seconds", got)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(m.story())
		}
		if m.broken != "" {
			t.Errorf("an invariant did not hold: %s", m.broken)
		}
	})
	return m, m.boxes[0]
}

func do(name string, m *sim, b *box) {
	for _, act := range outside {
		if act.name == name {
			act.do(m, b)
			return
		}
	}
	panic(name)
}

// actions are those that were begun so far.
func actions(m *sim) []string {
	var out []string
	for _, w := range m.incidents {
		if data, is := w.event.Data.(event.ActionStarted); is {
			out = append(out, data.Action)
		}
	}
	return out
}

func gate(m *sim) string { return m.world.services["svc-0"].incident.Held }

func TestTheRightActionOnce(t *testing.T) {
	for _, tt := range []struct{ fault, action, cause string }{
		{"stop", "start", "stopped"},
		{"kill", "start", "killed"},
		{"exit", "start", "exited"},
		{"pause", "unpause", "paused"},
		{"error", "restart", "http_5xx"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			m, b := quiet(t)
			do(tt.fault, m, b)
			m.run(60 * time.Second)
			if got := actions(m); !slices.Equal(got, []string{tt.action}) {
				t.Errorf("actions are %v, want one %s", got, tt.action)
			}
			in := m.world.services["svc-0"].incident
			if in == nil || in.State != state.Resolved || in.How != event.HowHealed || in.CauseID != tt.cause || in.Cause == "" || in.CausePast == "" {
				t.Errorf("the incident is %+v", in)
			}
		})
	}
}

func TestAKillIsStartedAtOnce(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(2 * time.Second)
	if b.state.Status != container.Running {
		t.Errorf("two seconds after a kill it is %s", b.state.Status)
	}
}

func TestAPersistentErrorIsEscalatedAfterOneRestart(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(5 * time.Minute)
	if got := actions(m); !slices.Equal(got, []string{"restart"}) {
		t.Errorf("actions are %v, want one restart", got)
	}
	if in := m.world.services["svc-0"].incident; in.State != state.Escalated {
		t.Errorf("the incident is %s", in.State)
	}
	b.app = "ok" // a person mended it
	m.run(time.Minute)
	if in := m.world.services["svc-0"].incident; in.State != state.Resolved || in.How != event.HowRecovered {
		t.Errorf("after it was mended by hand the incident is %s (%s)", in.State, in.How)
	}
}

func TestASecondStopStands(t *testing.T) {
	m, b := quiet(t)
	do("stop", m, b)
	m.run(60 * time.Second)
	do("stop", m, b)
	m.run(3 * time.Minute)
	if got := actions(m); !slices.Equal(got, []string{"start"}) || gate(m) != "operator" {
		t.Errorf("actions are %v, held is %q: the second stop stands", got, gate(m))
	}
	if reason := m.world.services["svc-0"].incident.HeldReason; !strings.Contains(reason, "again within ten minutes") {
		t.Errorf("the reason is %q", reason)
	}
	do("start", m, b)
	m.run(time.Minute)
	if in := m.world.services["svc-0"].incident; in.How != event.HowRecovered {
		t.Errorf("after the operator's start the incident is %s (%s)", in.State, in.How)
	}
}

func TestManualStopAlways(t *testing.T) {
	m, b := quiet(t)
	m.world.services["svc-0"].def.Heal.ManualStop = service.StopAlways
	for range 3 {
		do("stop", m, b)
		m.run(60 * time.Second)
	}
	if got := len(actions(m)); got != 3 {
		t.Errorf("%d of 3 stops were undone", got)
	}
}

func TestManualStopIgnore(t *testing.T) {
	m, b := quiet(t)
	m.world.services["svc-0"].def.Heal.ManualStop = service.StopIgnore
	do("stop", m, b)
	m.run(60 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "operator" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
}

func TestChaosIsNobodysDecision(t *testing.T) {
	m, b := quiet(t)
	for range 3 {
		m.step(ReadCommand{event.Command{ID: "c", Time: m.now, Command: event.CommandInject, Service: "svc-0"}})
		do("stop", m, b)
		m.run(3 * time.Second)
		if b.state.Status != container.Running {
			t.Fatalf("three seconds after the button it is %s; held %q", b.state.Status, gate(m))
		}
	}
}

func TestARestartByHandIsLeftAlone(t *testing.T) {
	m, b := quiet(t)
	do("restart", m, b)
	m.run(time.Minute)
	if got := actions(m); len(got) != 0 {
		t.Errorf("actions are %v", got)
	}
}

func TestTheRestartPolicyGoesFirst(t *testing.T) {
	m, b := quiet(t)
	b.state.RestartPolicy = "unless-stopped"
	do("exit", m, b)
	m.run(3 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "policy" {
		t.Errorf("three seconds after the crash: actions %v, held %q", actions(m), gate(m))
	}
	m.run(30 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("Docker did nothing for ten seconds: actions are %v", got)
	}
}

func TestOurselvesAreNeverTouched(t *testing.T) {
	m, b := quiet(t)
	b.state.Self = true
	do("kill", m, b)
	m.run(time.Minute)
	if len(actions(m)) != 0 || gate(m) != "self" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
}

// TestWhatWeDependOnIsNeverTouched: our broker and our model, by name, by
// Compose's name, or by the port that leads to them.
func TestWhatWeDependOnIsNeverTouched(t *testing.T) {
	for name, state := range map[string]container.State{"a name": {Name: "kafka"}, "Compose's name": {Name: "shop-kafka-1", Service: "kafka"}, "a port": {Name: "svc-0", HostPorts: "8080 11434"}} {
		m, b := quiet(t)
		m.world.protected = []string{"kafka", ":11434"}
		b.state.Name, b.state.Service, b.state.HostPorts = state.Name, state.Service, state.HostPorts
		do("kill", m, b)
		m.run(time.Minute)
		if len(actions(m)) != 0 || gate(m) != "self" {
			t.Errorf("%s: actions are %v, held is %q", name, actions(m), gate(m))
		}
	}
}

func TestWhatNeverRanIsLeftSo(t *testing.T) {
	m := newSim(1, 1)
	m.kill() // before anything was seen
	b := m.boxes[0]
	b.state.Status = container.Exited
	b.state.FinishedAt = b.state.StartedAt.Add(time.Minute)
	m.run(2 * time.Minute)
	if len(actions(m)) != 0 || gate(m) != "operator" {
		t.Errorf("actions are %v, held is %q\n%s", actions(m), gate(m), m.story())
	}
}

func TestWhatDiedWhileWeWereAwayIsHealed(t *testing.T) {
	m, b := quiet(t)
	m.kill()
	do("exit", m, b)
	m.run(time.Minute)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("actions are %v", got)
	}
}

func TestAnIntentThatIsNeverReadBackIsNoPermission(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	// The intent is written and acknowledged, and never read back: from the
	// moment of the write on nothing is read any more.
	for range 4000 {
		m.run(time.Millisecond)
		if s := m.world.services["svc-0"]; s.pending != nil && s.pending.Type == event.TypeActionStarted {
			break
		}
	}
	m.logUp = false
	m.incidents = append(m.incidents, written{value: event.Encode(*m.world.services["svc-0"].pending), event: *m.world.services["svc-0"].pending})
	m.run(time.Minute)
	if len(m.calls) != 0 || b.state.Status != container.Exited {
		t.Errorf("calls %v, and the container is %s", m.calls, b.state.Status)
	}
}

func TestAForeignClaimInBetweenEndsIt(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	for range 4000 {
		m.run(time.Millisecond)
		if s := m.world.services["svc-0"]; s.pending != nil && s.pending.Type == event.TypeActionStarted {
			break
		}
	}
	claim := event.Claim{Host: "local", Instance: "other", Epoch: 99, Nonce: "theirs"}
	m.step(ReadIncident{event.Incident{ID: "theirs", Seq: 1, Type: event.TypeClaim, Service: event.ReservedService, Data: claim}})
	m.run(time.Minute)
	if len(m.calls) != 0 {
		t.Errorf("calls %v under an old claim", m.calls)
	}
	if _, owner := m.world.Owner(); owner || m.world.Foreign() != "other" {
		t.Errorf("owner is %v, foreign is %q", owner, m.world.Foreign())
	}
}

// TestACallInDoubt kills us between the call and its result, with the effect
// there and with the effect not there.
func TestACallInDoubt(t *testing.T) {
	for _, effect := range []bool{true, false} {
		m, b := quiet(t)
		do("kill", m, b)
		for range 4000 {
			m.run(time.Millisecond)
			if s := m.world.services["svc-0"]; s.work.acting {
				break
			}
		}
		m.alive++ // the process is gone; what it sent may still arrive
		m.world = nil
		m.queue = slices.DeleteFunc(m.queue, func(h *happening) bool { return h.at.Sub(m.now) < 90*time.Millisecond })
		if effect {
			m.start(b)
		}
		m.after(time.Second, m.boot)
		m.after(100*time.Millisecond, m.beat)
		m.run(90 * time.Second)
		var results []event.ActionFinished
		for _, w := range m.incidents {
			if data, is := w.event.Data.(event.ActionFinished); is {
				results = append(results, data)
			}
		}
		want := []string{"start"}
		if !effect {
			want = []string{"start", "start"}
		}
		if got := actions(m); !slices.Equal(got, want) || results[0].OK != effect {
			t.Errorf("effect %v: actions %v, results %+v\n%s", effect, got, results, m.story())
		}
		if in := m.world.services["svc-0"].incident; in.How != event.HowHealed {
			t.Errorf("effect %v: the incident is %s (%s)", effect, in.State, in.How)
		}
	}
}

func TestAForeignSourceAloneIsNotActedUpon(t *testing.T) {
	m, b := quiet(t)
	m.foreign(b, event.Down, 30*time.Second)
	m.run(20 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "unconfirmed" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
	m.run(time.Minute)
	if in := m.world.services["svc-0"].incident; in.How != event.HowRecovered {
		t.Errorf("the incident is %s (%s)", in.State, in.How)
	}
}

func TestHealByHand(t *testing.T) {
	m, b := quiet(t)
	do("stop", m, b)
	m.run(60 * time.Second)
	do("stop", m, b)
	m.run(60 * time.Second)
	m.step(ReadCommand{event.Command{ID: "h1", Time: m.now, By: "operator:ada", Service: "svc-0", Command: event.CommandHeal}})
	m.run(60 * time.Second)
	if b.state.Status != container.Running {
		t.Errorf("an operator asked, and it is %s", b.state.Status)
	}
	if got := actions(m); !slices.Equal(got, []string{"start", "start"}) {
		t.Errorf("actions are %v", got)
	}
}

func TestObserveOnlySays(t *testing.T) {
	m, b := quiet(t)
	m.world.cfg.Mode = service.Observe
	do("kill", m, b)
	m.run(30 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "observe" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
}

func TestAHoldOutlivesARestart(t *testing.T) {
	m, b := quiet(t)
	hold := event.Command{ID: "h1", Time: m.now, By: "operator:ada", Service: event.AllServices, Command: event.CommandHold,
		Args: event.CommandArgs{For: "1m", Reason: "maintenance"}}
	m.step(ReadCommand{hold})
	done := hold
	done.Result, done.Origin = &event.CommandResult{OK: true}, m.world.origin()
	m.commands = append(m.commands, hold, done)
	m.kill()
	m.run(20 * time.Second)
	do("kill", m, b)
	m.run(10 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "hold" {
		t.Errorf("on hold: actions %v, held %q", actions(m), gate(m))
	}
	m.run(2 * time.Minute)
	if b.state.Status != container.Running {
		t.Error("the hold is over, and nothing was repaired")
	}
}

// TestAHoldOfAllHostsIsEachOnesOwn: they answer the same command, in any order.
func TestAHoldOfAllHostsIsEachOnesOwn(t *testing.T) {
	w := NewWorld(Default(), "me", "local", nil, nil, simStart)
	hold := event.Command{ID: "h1", Time: simStart, By: "operator:ada", Service: event.AllServices, Command: event.CommandHold,
		Args: event.CommandArgs{Reason: "maintenance"}}
	theirs, ours := hold, hold
	theirs.Result, theirs.Origin = &event.CommandResult{OK: true}, event.Origin{Host: "elsewhere"}
	ours.Result, ours.Origin = &event.CommandResult{OK: true}, event.Origin{Host: "local"}
	for _, c := range []event.Command{hold, theirs, ours} {
		w.Step(ReadCommand{c}, simStart)
	}
	if w.held == nil {
		t.Error("another host's answer hides our own: nothing is on hold")
	}
}

// TestAHoldOutlivesWhatIsRemembered: what was asked for weeks ago stands, though
// the record of it is gone.
func TestAHoldOutlivesWhatIsRemembered(t *testing.T) {
	for _, length := range []string{"", "240h"} {
		m, _ := quiet(t)
		m.step(ReadCommand{event.Command{ID: "h1", Time: m.now, By: "operator:ada", Service: event.AllServices, Command: event.CommandHold,
			Args: event.CommandArgs{For: length, Reason: "maintenance"}}})
		first := m.world.held.until
		var renewed []event.Command
		now := m.now
		for range 9 {
			now = now.Add(25 * time.Hour)
			for _, e := range m.world.Step(Tick{}, now) {
				if answer, is := e.(Answer); is {
					renewed = append(renewed, answer.Command)
				}
				if claim, is := e.(Append); is {
					m.world.Step(ReadIncident(claim), now)
				}
			}
		}
		if len(renewed) != 9 {
			t.Fatalf("for %q: it was said %d times in nine days", length, len(renewed))
		}
		later := NewWorld(Default(), "me", "local", nil, nil, now)
		later.Step(ReadCommand{renewed[8]}, now)
		if h := later.held; h == nil || h.by != "operator:ada" || h.reason != "maintenance" || h.until.Sub(first).Abs() > 10*time.Second {
			t.Errorf("for %q: after nine days and a restart the hold is %+v, until %s at first", length, h, first)
		}
		if m.world.Step(ReadCommand{renewed[8]}, now); m.world.held == nil {
			t.Errorf("for %q: our own word ended the hold", length)
		}
	}
}

func TestTheContainerIsKnownBeforeAnythingBreaks(t *testing.T) {
	m, _ := quiet(t)
	if c := m.services["svc-0"].Container; c == nil || c.ID != "id-svc-0" || !c.Ran {
		t.Errorf("the log says of its container: %+v", c)
	}
}

func TestARestartByHandOfWhatIsUp(t *testing.T) {
	m, _ := quiet(t)
	m.run(time.Minute)
	m.step(ReadCommand{event.Command{ID: "h1", Time: m.now, By: "operator:ada", Service: "svc-0", Command: event.CommandHeal, Args: event.CommandArgs{Action: "restart"}}})
	m.run(60 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"restart"}) {
		t.Errorf("actions are %v", got)
	}
	if in := m.world.services["svc-0"].incident; in.State != state.Resolved || in.How != event.HowHealed {
		t.Errorf("the incident is %s (%s)", in.State, in.How)
	}
}

func TestADeploymentsStopIsNoFirstStop(t *testing.T) {
	m, b := quiet(t)
	old := b.state.ID
	for _, action := range []string{"kill", "die", "stop", "destroy"} {
		m.now = m.now.Add(time.Millisecond)
		m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: old, Action: action, Signal: "15"})
	}
	b.state.ID, b.state.StartedAt = "id-anew", m.now
	m.tell(b, "start", nil)
	m.run(time.Minute)
	do("stop", m, b)
	m.run(time.Minute)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("the first stop of a container that was made anew a minute before: actions %v, held %q", got, gate(m))
	}
}

// TestWhatIsAskedForIsAskedForOnce stops what an operator had healed, again and
// again before it is proved.
func TestWhatIsAskedForIsAskedForOnce(t *testing.T) {
	m, b := quiet(t)
	do("stop", m, b)
	m.run(60 * time.Second)
	do("stop", m, b)
	m.run(10 * time.Second)
	m.step(ReadCommand{event.Command{ID: "h1", Time: m.now, By: "operator:ada", Service: "svc-0", Command: event.CommandHeal}})
	m.run(5 * time.Second)
	do("stop", m, b)
	m.run(time.Minute)
	if got := actions(m); !slices.Equal(got, []string{"start", "start"}) || gate(m) != "operator" {
		t.Errorf("actions are %v, held is %q", got, gate(m))
	}
}

func TestAProofStartsAnewAfterSilence(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(6 * time.Second)
	w := m.world
	s := w.services["svc-0"]
	if s.work.verify == nil || s.work.verify.run.n == 0 {
		t.Fatalf("no proof is under way: %+v", s.work.verify)
	}
	w.Step(Tick{}, m.now.Add(s.status.Fresh()+3*time.Second))
	if n := s.work.verify.run.n; n != 0 {
		t.Errorf("after a silence %d checks count", n)
	}
}

// TestAClockThatIsSetBack sets it back by an hour, with what was refused a
// moment ago still to be waited for.
func TestAClockThatIsSetBack(t *testing.T) {
	m, _ := quiet(t)
	s := m.world.services["svc-0"]
	ahead := m.now.Add(time.Hour)
	s.unmade, s.failed, s.hour, m.world.recent = ahead, ahead, []time.Time{ahead}, []time.Time{ahead}
	m.world.Step(Tick{}, m.now)
	for _, t0 := range []time.Time{s.unmade, s.failed, s.hour[0], m.world.recent[0]} {
		if t0.After(m.now) {
			t.Errorf("%s is still ahead of %s", t0, m.now)
		}
	}
}

func TestDownTimeEndsWithTheFirstGoodAnswer(t *testing.T) {
	m, b := quiet(t)
	b.def.Interval = 10 * time.Second
	m.step(Reconfigured{[]service.Definition{b.def}})
	do("kill", m, b)
	m.run(90 * time.Second)
	in := m.world.services["svc-0"].incident
	if in.How != event.HowHealed || in.DownMS > 3000 {
		t.Errorf("%s, down for %.0f ms: it answered a second after the start, long before the first scheduled check", in.How, in.DownMS)
	}
}

func TestTheGateLogIsToldAfterwards(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	for m.world.services["svc-0"].pending == nil {
		m.run(time.Millisecond)
	}
	m.logAway(20 * time.Second)
	m.incidents = m.incidents[:1] // what was on its way is lost
	m.run(10 * time.Second)
	if len(m.calls) != 0 {
		t.Errorf("calls %v while nothing can be logged", m.calls)
	}
	m.run(70 * time.Second)
	in := m.world.services["svc-0"].incident
	if in.How != event.HowHealed || !slices.Equal(actions(m), []string{"start"}) {
		t.Errorf("actions %v, how %q", actions(m), in.How)
	}
	told := slices.ContainsFunc(in.Events, func(e event.Incident) bool {
		data, is := e.Data.(event.Suppressed)
		return is && data.Gate == "log"
	})
	if !told {
		t.Error("the log says nothing of the time in which it could not be written")
	}
}

func TestAProjectThatIsBeingDeployedIsLeftAlone(t *testing.T) {
	m, b := quiet(t)
	b.state.Project = "shop"
	m.writeDocker(event.Docker{Time: m.now, Container: "shop-db-1", ID: "other", Action: "create", Project: "shop"})
	m.run(time.Second)
	do("kill", m, b)
	m.run(5 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "deploy" {
		t.Errorf("actions %v, held %q: its project is being deployed", actions(m), gate(m))
	}
	m.run(30 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("actions are %v once the deployment is over", got)
	}
}
