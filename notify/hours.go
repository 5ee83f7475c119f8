package notify

import "time"

// clock is how a time of a day is written.
const clock = "15:04"

// zoneOf is a time zone by its name; empty is this machine's.
func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}

// within says whether now is inside the quiet hours.
func (q Quiet) within(now time.Time) bool {
	zone, noZone := zoneOf(q.TimeZone)
	from, noFrom := time.Parse(clock, q.From)
	to, noTo := time.Parse(clock, q.To)
	if noZone != nil || noFrom != nil || noTo != nil {
		return false
	}
	at, begin, end := minuteOf(now.In(zone)), minuteOf(from), minuteOf(to)
	if begin < end {
		return begin <= at && at < end
	}
	return at >= begin || at < end // over midnight
}

// minuteOf is the minute of its day.
func minuteOf(t time.Time) int { return t.Hour()*60 + t.Minute() }

// latest is when the digest was due last, at or before now, and when the night
// began that it is about.
func (d Digest) latest(now time.Time) (from, at time.Time) {
	zone, err := zoneOf(d.TimeZone)
	if err != nil {
		zone = time.Local
	}
	at = lastAt(d.At, now.In(zone))
	from = lastAt(d.From, at.Add(-time.Nanosecond))
	return from, at
}

// lastAt is the newest instant at or before now at which a clock on the wall of
// its zone showed that time.
func lastAt(of string, now time.Time) time.Time {
	t, err := time.Parse(clock, of)
	if err != nil {
		return now
	}
	for day := 0; ; day-- {
		at := time.Date(now.Year(), now.Month(), now.Day()+day, t.Hour(), t.Minute(), 0, 0, now.Location())
		if !at.After(now) {
			return at
		}
	}
}
