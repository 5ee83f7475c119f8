package healer

import (
	"time"

	"logstream/internal/state"
)

// turnsPerTick is how many of the services that rest are decided about again in one
// tick. Of a fleet in which more of them rest each has its turn.
const turnsPerTick = 200

// turns says which of the services that rest are decided about again in this tick. A
// service of which something is read is decided about at once, in its turn or not.
type turns struct {
	first int // of those that rest, in order: from here on it is their turn
	all   int // how many rested in the tick before
	count int // and so far in this one
	had   int // whose turn it was
}

func (t *turns) begin() {
	t.all, t.count, t.had = t.count, 0, 0
	if t.first += turnsPerTick; t.first >= t.all {
		t.first = 0
	}
}

// next says whether it is the turn of the next one that rests.
func (t *turns) next() bool {
	n := t.count
	t.count++
	turn := t.all <= turnsPerTick || n >= t.first && n < t.first+turnsPerTick || n >= t.all
	if !turn || t.had == 2*turnsPerTick { // many more rest than in the tick before
		return false
	}
	t.had++
	return true
}

// rests says that an incident waits for a person, or is held, and that nothing ends
// that at this instant: time alone changes little.
func (s *serviceState) rests(now time.Time) bool {
	switch {
	case !s.open() || s.journal.Pending() || s.byHand != nil || s.removed || s.execution.running || acting(s):
		return false
	case s.incident.State == state.Escalated:
		return true
	}
	return s.incident.Held != "" && (s.incident.HeldUntil == nil || now.Before(*s.incident.HeldUntil))
}
