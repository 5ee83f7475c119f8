package state

import "logstream/internal/event"

// Order is how far the records of one writer were read, by their epochs and
// revisions: a record that is not beyond it was read before, or is an old one
// that was published again. The zero value has read nothing.
//
// It uses no clock, so that a clock which was set back makes it miss no record.
type Order struct{ epoch, revision int64 }

// Next says whether a record is beyond what was read, and goes on to it. Logs
// of before there were revisions hold records without: those count until the
// first that has one.
func (o *Order) Next(epoch, revision int64) bool {
	if !o.precedes(epoch, revision) {
		return false
	}
	o.epoch, o.revision = epoch, revision
	return true
}

func (o Order) precedes(epoch, revision int64) bool {
	switch {
	case epoch != o.epoch:
		return epoch > o.epoch
	case revision == 0:
		return o.revision == 0
	}
	return revision > o.revision
}

// Newer says whether a record of a service was written after an old one of it.
func Newer(r, old event.Service) bool {
	return (Order{old.Epoch, old.Revision}).precedes(r.Epoch, r.Revision)
}
