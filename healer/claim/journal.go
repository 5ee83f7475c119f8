package claim

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// Journal is the outstanding append of one service's incident: one event, or a
// few in a row. A producer's error does not mean that nothing was written: what
// is outstanding is repeated byte for byte until it, or a foreign claim, is read
// back, and nothing else is written for the incident before.
type Journal struct {
	pending    []event.Incident // in their order, without those that were read back
	first      int              // the seq of the first that was appended with them
	repeated   bool             // any of them may have been written
	triedAt    time.Time
	failsSince time.Time     // zero: appends do not fail
	unwritable time.Duration // for how long they failed, until it is taken
}

// Pending says whether an append is not confirmed yet.
func (j *Journal) Pending() bool { return len(j.pending) > 0 }

// Append makes these events of one incident the outstanding append.
func (j *Journal) Append(events []event.Incident, now time.Time) {
	j.pending, j.first, j.triedAt, j.repeated = events, events[0].Seq, now, false
}

// Drop forgets the outstanding append: a new claim begins without it.
func (j *Journal) Drop() { j.pending = nil }

// Confirm takes an event that was read back.
func (j *Journal) Confirm(e event.Incident, now time.Time) {
	i := j.index(e.ID, e.Seq)
	if i < 0 {
		return
	}
	j.pending = j.pending[i+1:]
	if !j.failsSince.IsZero() {
		j.unwritable, j.failsSince = now.Sub(j.failsSince), time.Time{}
	}
}

// Failed says that it is unknown whether an event was written: it is repeated a
// moment later. Those after it were not written the first time, and are dropped
// then and returned: what they say may no longer be so. Later they are repeated
// with it.
func (j *Journal) Failed(id string, seq int, now time.Time) (dropped []event.Incident) {
	if !j.Pending() || j.pending[0].ID != id || seq < j.first || seq > j.pending[len(j.pending)-1].Seq {
		return nil
	}
	j.triedAt = now.Add(appendAgain - confirmMax)
	rest := 1 + j.index(id, seq) // 0: it was read back all the same
	if !j.repeated {
		j.pending, dropped = j.pending[:rest], j.pending[rest:]
	}
	if j.Pending() && j.failsSince.IsZero() && rest > 0 {
		j.failsSince = j.pending[rest-1].Time
	}
	return dropped
}

func (j *Journal) index(id string, seq int) int {
	return slices.IndexFunc(j.pending, func(e event.Incident) bool { return e.ID == id && e.Seq == seq })
}

// Due is the outstanding append where it is time to repeat it; nil: it is not.
func (j *Journal) Due(now time.Time) []event.Incident {
	if !j.Pending() || now.Sub(j.triedAt) <= confirmMax {
		return nil
	}
	j.triedAt, j.repeated = now, true
	return j.pending
}

// Unwritable is for how long appends failed, now that one was confirmed.
func (j *Journal) Unwritable() time.Duration { return j.unwritable }

// ClearUnwritable forgets for how long appends failed: it was reported, or too short to report.
func (j *Journal) ClearUnwritable() { j.unwritable = 0 }
