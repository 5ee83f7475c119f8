package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What a start of ours must not change, and what it must find out.

func TestContainerThatDiedWhileStoppedIsHealed(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		m.kill()
		do("exit", m, b)
		m.run(time.Minute)
		wantActions(t, m, "start")
	})
}

// TestStatusOfLongAgoIsPublishedAgainAtOnce: a replay may take longer than a
// tick, and nothing in it is stale.
func TestStatusOfLongAgoIsPublishedAgainAtOnce(t *testing.T) {
	m, _ := quiet(t)
	before := m.status("svc-0")
	m.replaying = time.Second
	m.crash(10 * time.Minute)
	m.run(9 * time.Minute)
	m.run(time.Minute)
	m.until(t, "the next claim", func() bool { _, owns := m.owner(); return owns })
	if got := m.status("svc-0"); got.Nonce == before.Nonce || got.Status != event.Up || !got.Since.Equal(before.Since) {
		t.Errorf("right after the start it is %s since %s, and was published as %s since %s", got.Status, got.Since, before.Status, before.Since)
	}
}

func TestServiceRemovedFromTheConfigurationWhileStoppedIsRemoved(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		do("stop", m, b)
		m.run(time.Minute)
		if m.gate() != "operator" {
			t.Fatalf("held by %q", m.gate())
		}
		m.crash(time.Second)
		m.boxes = nil
		m.run(time.Minute)
		if m.status("svc-0").Definition != nil || m.of0().State != state.Resolved {
			t.Errorf("published is %+v; its incident is %s", m.status("svc-0"), m.of0().State)
		}
	}, defined(func(d *service.Definition) { d.Heal.ManualStop = service.StopIgnore }))
}

// TestRestartKeepsTheTimes: a replay reads when the broker took a record, which
// is not when it was read.
func TestRestartKeepsTheTimes(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(30 * time.Second)
	before := m.status("svc-0")
	m.kill()
	m.run(40 * time.Second)
	after := m.status("svc-0")
	if after.Nonce == before.Nonce || after.Status != event.Down || !after.Since.Equal(before.Since) || after.FirstBad == nil || !after.FirstBad.Equal(*before.FirstBad) {
		t.Errorf("%s since %s, first bad %s; it was %s since %s, first bad %s", after.Status, after.Since, after.FirstBad, before.Status, before.Since, before.FirstBad)
	}
}
