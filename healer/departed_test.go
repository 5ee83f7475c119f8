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
