package healer

import (
	"fmt"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// TestAnEditThatIsPutBackKeepsRecreatePossible: the service leaves the configuration
// and comes back within a minute, and its container is removed at once.
func TestAnEditThatIsPutBackKeepsRecreatePossible(t *testing.T) {
	m, b := quiet(t, listed, func(m *sim) { m.keeps = true })
	m.run(time.Minute)
	if len(m.specs) != 1 {
		t.Fatalf("kept are %v", m.specs)
	}
	m.step(Reconfigured{})
	m.until(t, "it is published as removed", func() bool { return m.status("svc-0").Definition == nil })
	m.run(30 * time.Second)
	m.reconfigure()
	m.run(5 * time.Second)
	m.stop(b, func() {
		b.gone, b.removed = true, true
		m.emit(b, "destroy", nil)
	})
	m.until(t, "it is recreated", func() bool { return len(dataOf[event.ActionFinished](m)) > 0 })
	wantActions(t, m, service.ActionRecreate)
}

// TestARepairCountsAlsoAfterAnEditThatIsPutBack: once, as it does after a start, and
// for an hour.
func TestARepairCountsAlsoAfterAnEditThatIsPutBack(t *testing.T) {
	for name, tt := range map[string]struct {
		perHour int
		since   time.Duration
		restart bool
		want    []string
	}{
		"live":             {1, time.Minute, false, []string{"start"}},
		"after a start":    {1, time.Minute, true, []string{"start"}},
		"once":             {2, time.Minute, false, []string{"start", "start"}},
		"an hour and more": {1, 61 * time.Minute, false, []string{"start", "start"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t, configured(func(c *Config) { c.Budget.PerHour = tt.perHour }))
			do("kill", m, b)
			m.run(tt.since)
			m.step(Reconfigured{})
			m.until(t, "it is published as removed", func() bool { return m.status("svc-0").Definition == nil })
			m.run(5 * time.Second)
			m.reconfigure()
			m.run(30 * time.Second)
			if tt.restart {
				m.crash(time.Second)
				m.run(30 * time.Second)
			}
			do("kill", m, b)
			m.run(time.Minute)
			wantActions(t, m, tt.want...)
		})
	}
}

// TestACooldownLastsOverAnEditThatIsPutBack, as it does over a start.
func TestACooldownLastsOverAnEditThatIsPutBack(t *testing.T) {
	m, b := quiet(t, configured(func(c *Config) { c.Budget.Cooldown = 5 * time.Minute }))
	b.app = "broken"
	m.until(t, "a repair that does not hold", func() bool { return len(dataOf[event.Verified](m)) > 0 })
	m.step(Reconfigured{})
	m.until(t, "it is published as removed", func() bool { return m.status("svc-0").Definition == nil })
	m.run(5 * time.Second)
	m.reconfigure()
	b.app = "ok"
	m.run(30 * time.Second)
	do("kill", m, b)
	m.run(time.Minute)
	wantActions(t, m, service.ActionRestart)
	if m.gate() != "cooldown" {
		t.Errorf("held by %q", m.gate())
	}
}

// TestWhatWasLearnedOfRemovedServicesIsFreed makes room for others.
func TestWhatWasLearnedOfRemovedServicesIsFreed(t *testing.T) {
	var m memories
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	line := []container.Line{{Time: now, Text: "ready"}}
	for i := range maxMemories {
		m.learn(fmt.Sprint(i), line, now, now.Add(time.Minute))
	}
	m.learn("late", line, now, now.Add(time.Minute))
	if m.of["late"] != nil {
		t.Fatal("more are remembered than fit")
	}
	m.keepOnly([]string{"0", "late"})
	m.learn("late", line, now, now.Add(time.Minute))
	if len(m.of) != 2 || m.of["0"] == nil || m.of["late"] == nil {
		t.Errorf("%d are remembered", len(m.of))
	}
}
