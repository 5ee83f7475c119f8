package healer_test

import (
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// TestDependencyIsCheckedBeforeADependentIsRestarted: the check that is asked for
// shows what its own schedule would show too late.
func TestDependencyIsCheckedBeforeADependentIsRestarted(t *testing.T) {
	prepare := func(s *site) {
		s.defs[0].DependsOn = []string{"db"}
		s.defs[1].Interval = 30 * time.Second
	}
	onSite(t, []string{"web", "db"}, prepare, func(s *site) {
		time.Sleep(time.Minute)
		s.harm("db", container.FaultFail)
		s.harm("web", container.FaultFail)
		s.repaired("web")
		s.wantCalls("Restart db", "Restart web")
		if !slices.Contains(s.watcher.asked, "db") {
			t.Error("no check of the dependency was asked for")
		}
		held := s.events(event.TypeSuppressed)[0]
		if data := held.Data.(event.Suppressed); held.Service != "web" || data.Gate != "dependency" || data.Root != "db" {
			t.Errorf("the first hold is %+v", held)
		}
	})
}
