package healer

import (
	"slices"
	"testing"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

// claims are those among the effects.
func claims(effects []Effect) (all []event.Claim) {
	for _, e := range effects {
		if a, is := e.(Append); is && a.Event.Type == event.TypeClaim {
			all = append(all, a.Event.Data.(event.Claim))
		}
	}
	return all
}

func TestTheClaimIsRepeatedEachDay(t *testing.T) {
	m, _ := quiet(t)
	before := m.world.claim
	if got := claims(m.world.Step(Tick{}, m.now.Add(23*time.Hour))); got != nil {
		t.Errorf("after 23 hours: %+v", got)
	}
	if got := claims(m.world.Step(Tick{}, m.now.Add(25*time.Hour))); len(got) != 1 || got[0] != before {
		t.Errorf("after a day: %+v, want %+v", got, before)
	}
}

func TestAClaimThatDoesNotCountIsWrittenHigher(t *testing.T) {
	m, _ := quiet(t)
	old := m.world.claim
	higher := old
	higher.Epoch++
	m.world.Step(ReadIncident{event.Incident{Data: higher, Type: event.TypeClaim}}, m.now)
	if got := claims(m.world.Step(ReadIncident{event.Incident{Data: old, Type: event.TypeClaim}}, m.now)); len(got) != 1 || got[0].Epoch != higher.Epoch+1 || got[0].Nonce != old.Nonce {
		t.Errorf("written: %+v", got)
	}
	theirs := event.Claim{Host: "local", Instance: "other", Epoch: 99, Nonce: "theirs"}
	m.world.Step(ReadIncident{event.Incident{Data: theirs, Type: event.TypeClaim}}, m.now)
	if got := claims(m.world.Step(ReadIncident{event.Incident{Data: old, Type: event.TypeClaim}}, m.now)); got != nil {
		t.Errorf("after a foreign claim: %+v", got)
	}
}

func TestANewClaimEndsTheLevel(t *testing.T) {
	m, _ := quiet(t)
	s := m.world.services["svc-0"]
	if s.status.Level() != event.Up {
		t.Fatalf("the level is %q", s.status.Level())
	}
	theirs := event.Claim{Host: "local", Instance: "other", Epoch: 99, Nonce: "theirs"}
	m.world.Step(ReadIncident{event.Incident{Data: theirs, Type: event.TypeClaim}}, m.now)
	if got := s.status.Level(); got != "" {
		t.Errorf("under a new claim the level is still %s", got)
	}
}

func TestTheEngineSettlesFirst(t *testing.T) {
	m, b := quiet(t)
	m.engineAway(3 * time.Second)
	do("kill", m, b)
	m.run(7 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "engine" {
		t.Errorf("while it settles: actions %v, held %q", actions(m), gate(m))
	}
	m.run(5 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("actions are %v", got)
	}
}

// TestAnEngineThatStopsTwiceDecidesNothing: its stops are nobody's wish.
func TestAnEngineThatStopsTwiceDecidesNothing(t *testing.T) {
	m, b := quiet(t)
	m.world.cfg.ManualGrace = 5 * time.Second
	for range 2 {
		do("stop", m, b)
		m.run(2 * time.Second)
		m.engineAway(3 * time.Second)
		m.run(time.Minute)
		if b.state.Status != container.Running {
			t.Fatalf("after its engine came back it is %s, held %q", b.state.Status, gate(m))
		}
	}
}

func TestAProofOutlivesTheEnginesAbsence(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(4 * time.Second)
	m.engineAway(40 * time.Second)
	m.run(2 * time.Minute)
	if in := m.world.services["svc-0"].incident; in.How != event.HowHealed || len(actions(m)) != 1 {
		t.Errorf("the incident is %s (%s), actions %v", in.State, in.How, actions(m))
	}
}

func TestAGhostAfterAnUnpauseIsNobody(t *testing.T) {
	m, b := quiet(t)
	do("pause", m, b)
	for range 5000 {
		if m.run(time.Millisecond); b.state.Status == container.Running {
			break
		}
	}
	m.tell(b, "pause", nil)
	m.tell(b, "unpause", nil)
	m.run(time.Minute)
	in := m.world.services["svc-0"].incident
	if in.How != event.HowHealed || len(actions(m)) != 1 {
		t.Errorf("the incident is %s (%s), actions %v", in.State, in.How, actions(m))
	}
}

func TestChaosIsNoFirstStop(t *testing.T) {
	m, b := quiet(t)
	m.step(ReadCommand{event.Command{ID: "c", Time: m.now, Command: event.CommandInject, Service: "svc-0"}})
	do("stop", m, b)
	m.run(time.Minute)
	do("stop", m, b)
	m.run(time.Minute)
	if b.state.Status != container.Running {
		t.Errorf("the first stop by hand after the button: it is %s, held %q", b.state.Status, gate(m))
	}
}

func TestSomebodysStopInProgressIsWaitedFor(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(1500 * time.Millisecond)
	m.tell(b, "kill", func(e *event.Docker) { e.Signal = "15" })
	m.run(6 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "rival" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
	m.run(4 * time.Minute)
	if len(actions(m)) != 0 || gate(m) != "rival" {
		t.Errorf("a stop may be given any time-out: actions are %v, held is %q", actions(m), gate(m))
	}
	m.run(2 * time.Minute)
	if got := actions(m); len(got) != 1 {
		t.Errorf("it ignored the signal: actions are %v", got)
	}
}

func TestWhatWasJustStartedIsNotRestarted(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(6 * time.Second)
	s := m.world.services["svc-0"]
	f := m.world.answers(s, runbook.Facts{StartedAt: simStart})
	if f.BadChecks < f.Needed {
		t.Errorf("%d of %d bad checks, and it has run for long", f.BadChecks, f.Needed)
	}
	if f = m.world.answers(s, runbook.Facts{StartedAt: m.now}); f.BadChecks != 0 {
		t.Errorf("%d bad checks count against what was started after them", f.BadChecks)
	}
}

func TestARemovalIsADeploymentForAWhile(t *testing.T) {
	m, b := quiet(t)
	m.writeDocker(event.Docker{Time: m.now, Container: b.def.Name, ID: "old", Action: "destroy"})
	do("kill", m, b)
	m.run(10 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "deploy" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
	m.run(20 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("actions are %v", got)
	}
}

func TestWhatIsBeingReplacedIsLeftAlone(t *testing.T) {
	m, b := quiet(t)
	m.writeDocker(event.Docker{Time: m.now, Container: "0a1b_" + b.def.Name, ID: "new", Action: "create", Replace: b.state.ID})
	do("kill", m, b)
	m.run(5 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "deploy" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
	m.run(20 * time.Second)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("the replacement never came: actions are %v", got)
	}
}

func TestACallThatTakesLongIsSaidToTheOthers(t *testing.T) {
	m, b := quiet(t)
	m.world.busy, m.world.busySince = "another", m.now
	do("kill", m, b)
	m.run(30 * time.Second)
	if len(actions(m)) != 0 || gate(m) != "budget" {
		t.Errorf("actions are %v, held is %q", actions(m), gate(m))
	}
	m.world.busy = ""
	m.run(time.Second)
	if got := actions(m); !slices.Equal(got, []string{"start"}) {
		t.Errorf("actions are %v", got)
	}
}

func TestCommandsAreCarriedOutOnceAndNotLate(t *testing.T) {
	m, _ := quiet(t)
	answers := func(c event.Command) (n int) {
		for _, e := range m.world.Step(ReadCommand{c}, m.now) {
			if _, is := e.(Answer); is {
				n++
			}
		}
		return n
	}
	hold := event.Command{ID: "h1", Time: m.now, By: "operator:ada", Service: event.AllServices, Command: event.CommandHold}
	if first, second := answers(hold), answers(hold); first != 1 || second != 0 {
		t.Errorf("answered %d and %d times", first, second)
	}
	late := hold
	late.ID, late.Time = "h2", m.now.Add(-2*time.Minute)
	if answers(late) != 0 {
		t.Error("a command of two minutes ago was carried out")
	}
}

func TestSevenRecordsTellAKill(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(time.Minute)
	in := m.world.services["svc-0"].incident
	var types []event.Type
	for _, e := range in.Events {
		types = append(types, e.Type)
	}
	want := []event.Type{event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified, event.TypeResolved}
	if !slices.Equal(types, want) || in.State != state.Resolved {
		t.Errorf("it is told by %v", types)
	}
}

func TestAnEndByItselfRefutesTheProof(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(5 * time.Second)
	do("exit", m, b)
	m.run(2 * time.Second)
	proof, _ := m.world.services["svc-0"].incident.Last(event.TypeVerified)
	if verified, is := proof.Data.(event.Verified); !is || verified.OK || verified.Error != "it ended again by itself, with exit code 1" {
		t.Errorf("the proof is %+v", proof.Data)
	}
	if gate(m) != "cooldown" {
		t.Errorf("held is %q", gate(m))
	}
}

func TestWhatBeganBeforeTheResultProvesNothing(t *testing.T) {
	m, _ := quiet(t)
	s := m.world.services["svc-0"]
	v := &verifying{since: m.now}
	for _, tt := range []struct {
		began time.Time
		n     int
	}{{v.since.Add(-time.Millisecond), 0}, {v.since.Add(time.Millisecond), 1}} {
		s.work.verify = v
		h := event.HealthLog{Timestamp: event.Seconds(tt.began), Service: "svc-0", Status: event.Up, Code: 200, Check: "http"}
		h.Origin, h.Revision = m.revise()
		m.world.Step(ReadHealth{h, true}, m.now)
		if v.run.n != tt.n {
			t.Errorf("with a check that began %s after the result %d count", tt.began.Sub(v.since), v.run.n)
		}
	}
}

// TestAnEffectThatComesLate kills us in a call that the engine carries out
// seconds after the next life began.
func TestAnEffectThatComesLate(t *testing.T) {
	m, b, _ := intended(t, "kill")
	for !m.world.services["svc-0"].work.acting {
		m.run(time.Millisecond)
	}
	m.alive++
	m.world = nil
	m.queue = slices.DeleteFunc(m.queue, func(h *happening) bool { return h.at.Sub(m.now) < 90*time.Millisecond })
	m.after(100*time.Millisecond, m.beat)
	m.after(time.Second, m.boot)
	m.after(8*time.Second, func() { m.start(b) })
	m.run(time.Minute)
	in := m.world.services["svc-0"].incident
	finished, _ := in.Last(event.TypeActionFinished)
	if got := actions(m); !slices.Equal(got, []string{"start"}) || !finished.Data.(event.ActionFinished).OK || in.How != event.HowHealed {
		t.Errorf("actions %v, the result %+v, the incident %s (%s)", got, finished.Data, in.State, in.How)
	}
}

func TestAProofNeedsTheContainersLevel(t *testing.T) {
	m, b := quiet(t)
	do("kill", m, b)
	m.run(3 * time.Second)
	s := m.world.services["svc-0"]
	s.status.EndLevel([2]string{})
	b.levelAt = m.now
	m.run(12 * time.Second)
	if _, verified := s.incident.Last(event.TypeVerified); verified || s.work.verify.run.n < 5 {
		t.Errorf("without a level, after %d good checks: %v", s.work.verify.run.n, verified)
	}
}

func TestOnlyTheOwnersLevelIsALevel(t *testing.T) {
	m, _ := quiet(t)
	owner, _ := m.world.Owner()
	other := owner
	other.Instance = "other"
	for origin, want := range map[event.Origin]state.Kind{owner: state.OwnersLevel, other: state.Foreign} {
		h := event.HealthLog{Service: "svc-0", Check: event.CheckContainer, Origin: origin}
		if kind, counts := m.world.kind(&h, true); kind != want || !counts {
			t.Errorf("of %s it is %v (%v), want %v", origin.Instance, kind, counts, want)
		}
	}
}

func TestACallWhoseAnswerIsLostIsInDoubt(t *testing.T) {
	m, b, _ := intended(t, "kill")
	s := m.world.services[b.def.Name]
	for !s.work.acting {
		m.run(time.Millisecond)
	}
	m.world.Step(Acted{Service: b.def.Name, Incident: s.incident.ID, Attempt: 1, Err: container.ErrUnavailable}, m.now)
	if s.work.doubt.IsZero() || s.work.acted != nil {
		t.Errorf("its outcome is taken for %+v", s.work.acted)
	}
}
