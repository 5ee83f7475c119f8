package notify

import (
	"cmp"
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	// oldAfter is from which age on news is not sent by itself, but in a summary.
	oldAfter = time.Hour
	// mostWaiting is how many messages may wait for a receiver; more become one.
	mostWaiting = 20
)

// Decision is the next thing to do for a receiver: to send Note, or, where
// Outcome is not sent, only to record it.
type Decision struct {
	Receiver string
	Outcome  string
	News     []string
	Note     Note
}

// Next is the next thing to do for a receiver at now; false: there is nothing.
// What was decided is expected to come back as a record before it is asked again.
func (f *Fold) Next(r Receiver, now time.Time) (Decision, bool) {
	h := f.history(r.name())
	if h.began.IsZero() {
		return Decision{Receiver: r.name(), Outcome: event.NotificationBegan}, true
	}
	var waiting, repeated []item
	var dropped []string
	for _, it := range f.itemsOf(r, h, now) {
		silenced := it.service != "" && f.silenced(it.service, now)
		held := r.Quiet.within(now) && !it.urgent()
		s, known := h.news[it.id]
		switch {
		case known:
			again := it.current && s.sent && !it.acked && r.Repeat > 0 && (it.event == Escalated || it.event == Approval)
			if again && !silenced && !held && !now.Before(s.at.Add(r.Repeat)) {
				it.repeat = s.repeats + 1
				repeated = append(repeated, it)
			}
		case it.drop:
			dropped = append(dropped, it.id)
		case !f.concerns(r, it), now.Sub(it.at) > horizon, !it.current && it.at.Before(h.began):
		case silenced && !it.current && it.event == Resolved:
			dropped = append(dropped, it.id)
		case silenced, held, now.Before(it.due):
		default:
			waiting = append(waiting, it)
		}
	}
	if len(dropped) > 0 {
		return Decision{Receiver: r.name(), Outcome: event.NotificationDropped, News: dropped}, true
	}
	return choose(r, waiting, repeated, now)
}

// concerns says whether a receiver takes an item.
func (f *Fold) concerns(r Receiver, it item) bool {
	return r.takes(it.event) && atLeast(it.severity, r.Severity) && (it.service == "" || r.of(it.service, f.group(it.service)))
}

// urgent says whether an item does not wait for the end of quiet hours.
func (it item) urgent() bool { return it.event == Escalated && it.severity == high }

// choose is one of the items that wait, or a summary of those that waited too
// long: the most severe first, and of these the oldest.
func choose(r Receiver, waiting, repeated []item, now time.Time) (Decision, bool) {
	late := func(it item) bool {
		needs := it.event == Approval || it.event == DigestOf // its buttons, or it is a summary itself
		return !needs && (now.Sub(it.at) > oldAfter || r.Quiet.within(it.at) && !it.urgent())
	}
	var old, fresh []item
	for _, it := range waiting {
		if late(it) || len(waiting) > mostWaiting && it.event != Approval {
			old = append(old, it)
		} else {
			fresh = append(fresh, it)
		}
	}
	if len(old) == 1 && old[0].current {
		fresh, old = append(fresh, old[0]), nil
	}
	inOrder := func(a, b item) int {
		return cmp.Or(slices.Index(severities, b.severity)-slices.Index(severities, a.severity), a.at.Compare(b.at), cmp.Compare(a.id, b.id))
	}
	if fresh = append(fresh, repeated...); len(fresh) > 0 {
		first := slices.MinFunc(fresh, inOrder)
		return Decision{Receiver: r.name(), Outcome: event.NotificationSent, News: []string{first.id}, Note: first.note()}, true
	}
	if len(old) == 0 {
		return Decision{}, false
	}
	slices.SortFunc(old, func(a, b item) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	d := Decision{Receiver: r.name(), Outcome: event.NotificationSent, Note: Note{Event: Summary, Severity: low, Time: now}}
	for i, it := range old {
		d.News = append(d.News, it.id)
		if i <= mostLines { // what is beyond is only counted
			d.Note.items = append(d.Note.items, it.note())
		}
		if atLeast(it.severity, d.Note.Severity) {
			d.Note.Severity = it.severity
		}
	}
	d.Note.Waited, d.Note.Host = len(old), d.Note.items[0].Host
	return d, true
}

// note is what an item says.
func (it item) note() Note {
	n := it.say()
	n.Repeat = it.repeat
	return n
}
