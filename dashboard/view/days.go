package view

import "time"

// Day is what is known of a service on one day, in UTC.
type Day struct {
	Start  time.Time `json:"day"`
	Uptime *float64  `json:"uptime"` // 0 to 1; null where nothing is known
	DownS  float64   `json:"down_s"`
}

// Days are the newest n days of a service, today last.
func (f *Fleet) Days(key Key, n int, now time.Time) []Day {
	series := f.rollups.of(key)[days]
	list := make([]Day, n)
	today := now.UTC().Truncate(day)
	for i := range list {
		start := today.AddDate(0, 0, i-n+1)
		list[i].Start = start
		var known Known
		if at, is := series.from(start); is {
			r := series[at]
			known.Good, known.Down = time.Duration(r.upMS+r.degradedMS)*time.Millisecond, time.Duration(r.downMS)*time.Millisecond
		} else {
			known = f.part(key, start, earlier(start.Add(day), now), now)
		}
		if all := known.all(); all > 0 {
			share := float64(known.Good) / float64(all)
			list[i].Uptime, list[i].DownS = &share, known.Down.Seconds()
		}
	}
	return list
}

// part is what is known of a day that has no rollup of its own yet: of what began
// with it, less what began with its end.
func (f *Fleet) part(key Key, start, end, now time.Time) Known {
	known := f.since(key, start, hours, now)
	if end.Before(now) {
		after := f.since(key, end, hours, now)
		known.Good, known.Down = max(0, known.Good-after.Good), max(0, known.Down-after.Down)
	}
	return known
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
