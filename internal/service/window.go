package service

import (
	"errors"
	"fmt"
	"time"

	cron "github.com/netresearch/go-cron"
)

// Maintenance is a window in which nothing is repaired: one that comes again and
// again (Cron with For), or one that comes once (From with To). Times are those on
// the wall of its time zone.
type Maintenance struct {
	Cron     string        `yaml:"cron"`      // when it begins, as in a crontab
	For      time.Duration `yaml:"for"`       // how long it lasts; hours that pass, also where the clocks are changed meanwhile
	From     string        `yaml:"from"`      // such as 2026-12-01T22:00
	To       string        `yaml:"to"`        // such as 2026-12-02T02:00
	TimeZone string        `yaml:"time_zone"` // such as Europe/Rome; empty: this machine's
}

const (
	maxMaintenance = 7 * 24 * time.Hour // that a window which comes again lasts
	maxBegins      = 2000               // that are read: more of them overlap anyway
)

// Until says whether now is inside the window, and when it ends. Windows that
// overlap are one. A beginning that the clocks skip when they go forward is right
// after; of one that comes twice when they go back the first counts; an end that
// comes twice is the second.
func (m Maintenance) Until(now time.Time) (end time.Time, inside bool) {
	if m.Cron == "" {
		from, to, err := m.span()
		return to, err == nil && !now.Before(from) && now.Before(to)
	}
	times, zone, err := crontabIn(m.Cron, m.TimeZone)
	if err != nil {
		return time.Time{}, false
	}
	for begin, n := dueAfter(times, zone, now.Add(-m.For)), 0; !begin.IsZero() && n < maxBegins; begin, n = dueAfter(times, zone, begin), n+1 {
		if begin.After(now) && (!inside || begin.After(end)) {
			break
		}
		end, inside = begin.Add(m.For), true
		if end.Sub(now) > maxMaintenance {
			break // it never ends: far enough
		}
	}
	return end, inside
}

// span is the window that comes once.
func (m Maintenance) span() (from, to time.Time, err error) {
	zone, err := zoneOf(m.TimeZone)
	if err != nil {
		return from, to, err
	}
	begin, err := onWall(m.From)
	if err != nil {
		return from, to, fmt.Errorf("from %w", err)
	}
	end, err := onWall(m.To)
	if err != nil {
		return from, to, fmt.Errorf("to %w", err)
	}
	from, _ = shownAt(begin, zone)
	_, to = shownAt(end, zone)
	return from, to, nil
}

// onWall reads what a clock shows, as if it were UTC.
func onWall(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("is not a time such as 2026-12-01T22:00")
}

func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}

// Problems are what is wrong with m.
func (m Maintenance) Problems() []Problem {
	var all []Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, Problem{Key: key, Value: value, Message: fmt.Sprintf(format, args...)})
	}
	if _, err := zoneOf(m.TimeZone); err != nil {
		add("time_zone", m.TimeZone, "is not a time zone such as Europe/Rome or UTC")
		m.TimeZone = ""
	}
	repeated, once := m.Cron != "" || m.For != 0, m.From != "" || m.To != ""
	switch {
	case repeated == once:
		add("", "", "needs either cron and for, such as {cron: 0 3 * * 0, for: 2h}, or from and to, such as {from: 2026-12-01T22:00, to: 2026-12-02T02:00}")
		return all
	case repeated:
		return append(all, m.repeatedProblems()...)
	}
	ends := len(all)
	for _, end := range []struct{ key, text string }{{"from", m.From}, {"to", m.To}} {
		if _, err := onWall(end.text); err != nil {
			add(end.key, end.text, "%v", err)
		}
	}
	if from, to, err := m.span(); len(all) == ends && err == nil && !from.Before(to) {
		add("to", m.To, "must be after from")
	}
	return all
}

func (m Maintenance) repeatedProblems() (all []Problem) {
	times, zone, err := crontabIn(m.Cron, m.TimeZone)
	switch {
	case m.Cron == "":
		all = append(all, Problem{Key: "cron", Message: "is missing: a window with for needs a crontab's schedule such as 0 3 * * 0"})
	case err != nil:
		all = append(all, Problem{Key: "cron", Value: m.Cron, Message: fmt.Sprintf("is not a crontab's schedule such as 0 3 * * 0: %v", err)})
	case dueAfter(times, zone, time.Now()).IsZero():
		all = append(all, Problem{Key: "cron", Value: m.Cron, Message: "names a day that never comes"})
	}
	if m.For < time.Minute || m.For > maxMaintenance {
		all = append(all, Problem{Key: "for", Value: m.For.String(), Message: fmt.Sprintf("must be between 1m and %s, such as 2h", maxMaintenance)})
	}
	return all
}

// WindowProblems are what is wrong with the windows of a service, or of a host.
func WindowProblems(windows []Maintenance) (all []Problem) {
	for i, m := range windows {
		for _, p := range m.Problems() {
			key := fmt.Sprintf("maintenance[%d]", i)
			if p.Key != "" {
				key += "." + p.Key
			}
			p.Key = key
			all = append(all, p)
		}
	}
	return all
}

// dueAfter is the first time after t that a schedule names in a zone; zero where
// there is none.
func dueAfter(times *cron.SpecSchedule, zone *time.Location, t time.Time) time.Time {
	const everyHour = 1<<24 - 1
	for wall := onTheWall(t.In(zone)); ; {
		if wall = times.Next(wall); wall.IsZero() {
			return wall
		}
		first, second := shownAt(wall, zone)
		switch {
		case first.After(t):
			return first
		case second.After(t) && times.Hour&everyHour == everyHour:
			return second
		}
	}
}
