package claim

import (
	"time"

	"logstream/internal/event"
)

// Journal is the outstanding append of one service's incident. A producer's
// error does not mean that nothing was written: the append is repeated byte for
// byte until it, or a foreign claim, is read back, and nothing else is written
// for the incident before.
type Journal struct {
	pending    *event.Incident
	triedAt    time.Time
	failsSince time.Time     // zero: appends do not fail
	unwritable time.Duration // for how long they failed, until it is taken
}

// Pending says whether an append is not confirmed yet.
func (j *Journal) Pending() bool { return j.pending != nil }

// Append makes e the outstanding append.
func (j *Journal) Append(e event.Incident, now time.Time) {
	j.pending, j.triedAt = &e, now
}

// Drop forgets the outstanding append: a new claim begins without it.
func (j *Journal) Drop() { j.pending = nil }

// Confirm takes an event that was read back.
func (j *Journal) Confirm(e event.Incident, now time.Time) {
	if j.pending == nil || j.pending.ID != e.ID || j.pending.Seq != e.Seq {
		return
	}
	j.pending = nil
	if !j.failsSince.IsZero() {
		j.unwritable, j.failsSince = now.Sub(j.failsSince), time.Time{}
	}
}

// Failed says that it is unknown whether an append was written: it is repeated a
// moment later.
func (j *Journal) Failed(id string, seq int, now time.Time) {
	if j.pending == nil || j.pending.ID != id || j.pending.Seq != seq {
		return
	}
	j.triedAt = now.Add(appendAgain - confirmMax)
	if j.failsSince.IsZero() {
		j.failsSince = j.pending.Time
	}
}

// Due is the outstanding append where it is time to repeat it.
func (j *Journal) Due(now time.Time) (event.Incident, bool) {
	if j.pending == nil || now.Sub(j.triedAt) <= confirmMax {
		return event.Incident{}, false
	}
	j.triedAt = now
	return *j.pending, true
}

// Unwritable is for how long appends failed, now that one was confirmed.
func (j *Journal) Unwritable() time.Duration { return j.unwritable }

// ClearUnwritable forgets for how long appends failed: it was reported, or too short to report.
func (j *Journal) ClearUnwritable() { j.unwritable = 0 }
