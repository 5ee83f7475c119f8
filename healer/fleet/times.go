package fleet

import (
	"slices"
	"time"
)

// times are instants in order, of which it is counted how many are before another
// without reading them all.
type times []int64

func (t *times) put(at time.Time) {
	i, _ := slices.BinarySearch(*t, at.UnixNano())
	*t = slices.Insert(*t, i, at.UnixNano())
}

func (t *times) take(at time.Time) {
	if i, found := slices.BinarySearch(*t, at.UnixNano()); found {
		*t = slices.Delete(*t, i, i+1)
	}
}

// before is how many are before an instant.
func (t times) before(at time.Time) int {
	i, _ := slices.BinarySearch(t, at.UnixNano())
	return i
}

// from is how many are not.
func (t times) from(at time.Time) int { return len(t) - t.before(at) }

// checks are when the targets were checked, and when those of them failed that are
// checked soon enough to be waited for.
type checks struct {
	often, seldom, good times // of those that are waited for, of the others, and of all that answered
	last, first         times // of those that failed: from when on, and until when they must have begun to
}

// count takes a target in, or out.
func (c *checks) count(e *entry, in bool) {
	do := (*times).take
	if in {
		do = (*times).put
	}
	if e.target == 0 {
		return
	}
	if e.often {
		do(&c.often, e.Checked)
	} else {
		do(&c.seldom, e.Checked)
	}
	if !e.Failing {
		do(&c.good, e.Checked)
	}
	if e.often && e.fails > 0 {
		do(&c.last, e.Member.last())
		do(&c.first, e.FirstBad)
	}
}

// suspect is Picture.Suspect, of a member that may be. It is decided by numbers; only
// where they leave it open the targets are read.
func (c *Census) suspect(m Member) bool {
	good, open := c.checks.good.from(m.FirstBad), c.checks.often.before(m.FirstBad)
	all := len(c.checks.often) + c.checks.seldom.from(m.FirstBad)
	with := c.checks.last.before(m.FirstBad.Add(1)) - c.checks.first.before(m.last())
	for _, other := range c.rare.all {
		c.visited++
		if !other.Checked.Before(m.FirstBad) && other.failedWith(m) {
			with++
		}
	}
	switch {
	case with < good, 2*(with+open) < all:
		return false
	case 2*max(with, open) >= all:
		return true
	}
	for _, other := range c.failed.all {
		c.visited++
		if other.often && other.Checked.Before(m.FirstBad) && other.failedWith(m) {
			open-- // it failed as well, and is not checked again yet
		}
	}
	return 2*(with+open) >= all
}

// failedWith says whether one that failed may have begun to together with another.
func (e *entry) failedWith(m Member) bool {
	return !e.Member.last().After(m.FirstBad) && !e.FirstBad.Before(m.last())
}
