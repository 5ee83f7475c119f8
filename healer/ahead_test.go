package healer

import (
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

// TestWhatFollowsIsWrittenInOneGo: what was found after a kill, its diagnosis
// and the intent are on their way before any of them was read back. The call waits for its intent.
func TestWhatFollowsIsWrittenInOneGo(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		intended(t, "kill", m, b)
		if in := m.incident(b.def.Name); in != nil && in.Attempts > 0 || len(m.calls) > 0 {
			t.Fatalf("the incident is %+v, calls %v", in, m.calls)
		}
		together := 0
		for _, w := range m.incidents {
			if w.event.Service == b.def.Name {
				together++
			}
		}
		if together > 1 { // its opening, before the container was inspected
			t.Errorf("%d events were on the log before the intent was on its way", together)
		}
		m.until(t, "the call", func() bool { return len(m.calls) > 0 })
		if m.incident(b.def.Name).Attempts != 1 {
			t.Error("it was called before its intent was read back")
		}
		m.run(time.Minute)
		var types []event.Type
		for i, w := range m.incidents {
			if e := w.event; e.Service == b.def.Name {
				types = append(types, e.Type)
				if e.Seq != len(types) {
					t.Errorf("record %d is %s with seq %d", i, e.Type, e.Seq)
				}
			}
		}
		want := []event.Type{event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified, event.TypeResolved}
		if !slices.Equal(types, want) {
			t.Errorf("the log has %v", types)
		}
	})
}

// TestOneOfAFewIsLostOnItsWay: it is repeated, and what was to follow is planned anew: it
// was not written.
func TestOneOfAFewIsLostOnItsWay(t *testing.T) {
	bothEngines(t, func(t *testing.T, m *sim, b *box) {
		lose := event.TypeEvidence
		m.loses = func(e event.Incident) bool {
			if e.Type != lose {
				return false
			}
			lose = ""
			return true
		}
		intended(t, "kill", m, b)
		m.until(t, "the intent is withdrawn", func() bool { return lose == "" && m.core.busy == "" })
		m.run(time.Minute)
		started := dataOf[event.ActionStarted](m)
		if len(started) != 1 || m.calls[key(m.of0().ID, 1)] != 1 || len(m.calls) != 1 {
			t.Errorf("intents %+v, calls %v", started, m.calls)
		}
		wantEnd(t, m, event.HowHealed)
	})
}
