package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

// TestRandomFleets drives several services through random histories in which the
// prober is cut off as well, and operators silence services. While it is cut off
// nothing is called that the engine's own view does not show.
func TestRandomFleets(t *testing.T) {
	share(t, uint64(histories(t, 150)), func(n uint64) *sim {
		m := newSim(n, 5+int(n%3))
		m.run(m.between(5*time.Second, 20*time.Second))
		cut, blindCalls := time.Time{}, 0
		for range 2 + m.rng.IntN(5) {
			b := m.boxes[m.rng.IntN(len(m.boxes))]
			switch k := m.rng.IntN(len(outside) + 4); {
			case k < len(outside):
				m.note("OUTSIDE %s %s", outside[k].name, b.def.Name)
				outside[k].do(m, b)
			case k < len(outside)+2:
				if cut.IsZero() {
					cut, blindCalls = m.now, len(ourRestarts(m))
					cutOff(m, true)
				}
			case k == len(outside)+2:
				m.command(event.Command{Service: b.def.Name, Command: event.CommandSilence, Args: event.CommandArgs{For: "45s"}})
			default:
				m.command(event.Command{Service: b.def.Name, Command: event.CommandUnsilence})
			}
			m.run(m.between(0, 30*time.Second))
		}
		if !cut.IsZero() {
			// One that failed before, or whose intent was written, may have been restarted.
			if more := len(ourRestarts(m)) - blindCalls; more > 2 {
				m.violated("%d restarts while the prober was cut off", more)
			}
			cutOff(m, false)
		}
		m.finish()
		if all := fleetIncidents(m); len(all) > 0 && all[len(all)-1].State != state.Resolved {
			m.violated("the incident of the fleet is %s, held by %q", all[len(all)-1].State, all[len(all)-1].Held)
		}
		return m
	})
}
