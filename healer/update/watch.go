package update

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// Watch is what is known of a service's checks, and of the newest update. The
// zero value knows of none.
type Watch struct {
	// Update is the newest; nil: none is known. It is published: a value is never
	// changed once it was taken from here.
	Update  *event.Update
	samples Samples
	base    event.UpdateFigures // counted in an earlier life, up to baseAt
	baseAt  time.Time
	changed bool // something was counted since it was last judged
}

// Published is the watch that an earlier life published at that time.
func Published(of *event.Update, at time.Time) Watch {
	if of == nil {
		return Watch{}
	}
	return Watch{Update: of, base: of.After, baseAt: at}
}

// Count takes in one scheduled check of our own. Those of two watches are kept, for a
// container that takes a whole one to stop.
func (w *Watch) Count(s Sample, length time.Duration) {
	w.samples, w.changed = w.samples.add(s, 2*length), true
}

// Change is that another image was seen.
type Change struct {
	Image, ImageID                 string
	PreviousImage, PreviousImageID string
	Failing                        bool      // the service failed already
	Exits                          int       // of the container before, by itself
	Replaced                       time.Time // when the container before began to be taken away: what failed since is no figure of it
}

// Begin begins the watch over an update.
func (w *Watch) Begin(c Change, length time.Duration, now time.Time) {
	before := w.samples.figures(c.Replaced.Add(-length), c.Replaced)
	before.Exits = c.Exits
	previousBad := Accused(w.Update, c.PreviousImageID)
	w.base, w.baseAt, w.changed = event.UpdateFigures{}, time.Time{}, false
	w.Update = &event.Update{Image: c.Image, ImageID: c.ImageID, PreviousImage: c.PreviousImage, PreviousImageID: c.PreviousImageID,
		Since: now.UTC(), Until: now.Add(length).UTC(), Verdict: event.UpdateWatching, FailingBefore: c.Failing, PreviousBad: previousBad, Before: before}
}

// Seen is what is seen of the service now.
type Seen struct {
	ImageID string // of its container; another one than the update's ends the watch
	// RolledBack says that its container was put in the place of the update's by a
	// rollback of ours.
	RolledBack bool
	Exits      int               // of the container by itself, since the update
	Down       bool              // the service is DOWN
	Latency    time.Duration     // that it is expected to answer within
	Logs       *event.UpdateLogs // what its log was last seen to show; nil: nothing is known of it
}

// Judge judges the update by what was counted since, and by what is seen now.
func (w *Watch) Judge(seen Seen, length time.Duration, now time.Time) {
	u := w.Update
	if u == nil {
		return
	}
	if seen.RolledBack && u.Verdict != event.UpdateBad {
		next := *u
		next.Verdict, next.Reasons = event.UpdateBad, []event.UpdateReason{event.UpdateRolledBack}
		w.Update = &next
		return
	}
	if u.Verdict == event.UpdateGood || seen.ImageID != u.ImageID {
		return
	}
	if isRolledBack(u) { // and somebody has undone that
		w.again(length, now)
		return
	}
	due := !now.Before(u.Until)
	if !w.changed && !due && seen.Exits <= u.After.Exits && isSameLogs(seen.Logs, u.Logs) {
		return
	}
	w.changed = false
	next := *u
	next.After = w.after(seen, length, now)
	if seen.Logs != nil {
		next.Logs = seen.Logs
	}
	next.Reasons = nil
	if !u.FailingBefore {
		next.Reasons = Worse(Compared{Before: u.Before, After: next.After, Latency: seen.Latency, WasBad: u.Verdict == event.UpdateBad, Logs: next.Logs, Due: due})
	}
	if due && seen.Down {
		next.Reasons = append(next.Reasons, event.UpdateDown)
	}
	switch {
	case len(next.Reasons) > 0:
		next.Verdict = event.UpdateBad
	case due:
		next.Verdict = event.UpdateGood
	default:
		next.Verdict = event.UpdateWatching
	}
	w.Update = &next
}

// after are the figures since the update, of at most the length of the watch:
// what an earlier life counted, and what was checked since. Its latencies are
// gone; those of the checks that are known stand for them.
func (w *Watch) after(seen Seen, length time.Duration, now time.Time) event.UpdateFigures {
	from := w.Update.Since
	if old := now.Add(-length); old.After(from) {
		from = old
	}
	known := w.samples.figures(from, now.Add(time.Nanosecond))
	later := known
	if w.baseAt.After(from) {
		later = w.samples.figures(w.baseAt, now.Add(time.Nanosecond))
		known.Checks, known.Bad = later.Checks+w.base.Checks, later.Bad+w.base.Bad
	}
	known.Exits = max(seen.Exits, w.Update.After.Exits)
	return known
}

// again begins the watch over the same update anew.
func (w *Watch) again(length time.Duration, now time.Time) {
	next := *w.Update
	next.Since, next.Until, next.Verdict, next.Reasons, next.After = now.UTC(), now.Add(length).UTC(), event.UpdateWatching, nil, event.UpdateFigures{}
	w.Update, w.base, w.baseAt, w.changed = &next, event.UpdateFigures{}, time.Time{}, false
}

// isRolledBack says whether an update was rolled back before it had another verdict.
func isRolledBack(u *event.Update) bool {
	return slices.Contains(u.Reasons, event.UpdateRolledBack)
}

func isSameLogs(seen, published *event.UpdateLogs) bool {
	return seen == nil || published != nil && *seen == *published
}

// ByLogAlone says whether nothing but the container's log speaks against an update.
func ByLogAlone(u *event.Update) bool {
	return u != nil && len(u.Reasons) == 1 && u.Reasons[0] == event.UpdateLog
}

// Accused says whether the image that runs is held to be bad by what was seen of it,
// and the service was not failing before.
func Accused(u *event.Update, imageID string) bool {
	return u != nil && imageID != "" && u.ImageID == imageID && u.Verdict == event.UpdateBad && !u.FailingBefore && !isRolledBack(u)
}

// Bad is the image that is not to be gone back to: of the two of an update the one
// that is held to be bad; empty: none is.
func Bad(u *event.Update) string {
	switch {
	case u == nil:
	case u.PreviousBad:
		return u.PreviousImageID
	case Accused(u, u.ImageID):
		return u.ImageID
	}
	return ""
}

// IsSame says whether both say the same of the same update: figures go on.
func IsSame(a, b event.Update) bool {
	return a.ImageID == b.ImageID && a.Since.Equal(b.Since) && a.Until.Equal(b.Until) && a.Verdict == b.Verdict && slices.Equal(a.Reasons, b.Reasons)
}
