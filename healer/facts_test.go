package healer

import (
	"fmt"
	"testing"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
)

func TestCooldownDoubles(t *testing.T) {
	for n, want := range []time.Duration{0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := cooldown(30*time.Second, n); got != want {
			t.Errorf("after %d: %s, want %s", n, got, want)
		}
	}
}

// TestOneGoodCheckDecidesNothing has a check succeed once while the service is
// still DOWN: it neither answers as it should nor with an unexpected status.
func TestOneGoodCheckDecidesNothing(t *testing.T) {
	m, b := quiet(t)
	m.world.cfg.Mode = service.Observe
	b.app = "broken"
	m.run(6 * time.Second)
	s := m.world.services["svc-0"]
	if f := m.world.answers(s, runbook.Facts{}); f.Check != event.Down || f.Failure != event.FailureStatus || f.Code != 500 {
		t.Fatalf("a broken service answers %+v", f)
	}
	b.app = "ok"
	for own, _ := s.status.OwnLast(); own.Status != event.Up; own, _ = s.status.OwnLast() {
		m.run(100 * time.Millisecond)
	}
	if !s.status.OwnDown() {
		t.Fatal("one good check turned it")
	}
	dx := runbook.Diagnose(m.world.answers(s, runbook.Facts{Container: "svc-0", State: "running"}))
	if dx.CauseID != "undecided" || dx.Wait == "" {
		t.Errorf("diagnosed %s, waits because %q", dx.CauseID, dx.Wait)
	}
}

func TestCommandsAreQuoted(t *testing.T) {
	for name, want := range map[string]string{"payment-service": "docker start payment-service", "a b": "docker start 'a b'", "x;rm -rf /": "docker start 'x;rm -rf /'", "it's": `docker start 'it'\''s'`} {
		if got := command(service.ActionStart, name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestManyNamesMakeRoom(t *testing.T) {
	m, b := quiet(t)
	tell := func(name string) {
		m.now = m.now.Add(time.Second)
		e := event.Docker{Time: m.now, Container: name, ID: name, Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	for i := range 2*maxHistories + 100 {
		tell(fmt.Sprintf("run-%d", i))
	}
	if _, kept := m.world.histories["run-"+fmt.Sprint(2*maxHistories+99)]; !kept || len(m.world.histories) > maxHistories {
		t.Errorf("the newest name is kept: %v; %d names", kept, len(m.world.histories))
	}
	delete(m.world.histories, b.def.Name)
	for i := range maxHistories {
		e := event.Docker{Time: m.now, Container: fmt.Sprintf("burst-%d", i), ID: "x", Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	if tell(b.def.Name); len(m.world.histories[b.def.Name]) != 1 {
		t.Error("what a service's container did was not kept")
	}
}
