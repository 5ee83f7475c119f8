package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
)

// TestLogsOfManyUpdatedServicesAreComparedAFewAtATime updates all services at once. Each
// log is compared, also where no outcome of a comparison comes.
func TestLogsOfManyUpdatedServicesAreComparedAFewAtATime(t *testing.T) {
	const services = 3*comparesAtOnce - 1
	asked, most := map[string]int{}, 0
	at := map[time.Time]int{}
	m := quietSim(t, services, func(m *sim) {
		m.compare = func(e CompareLogs) event.UpdateLogs {
			asked[e.Service]++
			at[m.now]++
			most = max(most, at[m.now])
			return event.UpdateLogs{Known: 1}
		}
	})
	m.run(2 * time.Minute)
	for _, b := range m.boxes {
		m.updated(b, "sha-2", "ok")
	}
	m.run(2 * time.Minute)
	if len(asked) != services || most > comparesAtOnce {
		t.Errorf("%d of %d services were compared, up to %d at once: %v", len(asked), services, most, asked)
	}

	c, now := m.core, m.now.Add(time.Hour)
	begun := map[string]int{}
	for range 3 {
		c.effects = nil
		compareLogs(c, now)
		compareLogs(c, now.Add(inspectLimit-time.Millisecond))
		if len(c.effects) > comparesAtOnce {
			t.Errorf("%d were begun while none had ended", len(c.effects))
		}
		for _, e := range c.effects {
			begun[e.(CompareLogs).Service]++
		}
		now = now.Add(inspectLimit)
	}
	c.effects = nil
	if len(begun) != services {
		t.Errorf("without an outcome, begun were %v", begun)
	}
}
