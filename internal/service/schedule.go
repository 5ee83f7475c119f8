package service

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container image often has no time zones

	cron "github.com/netresearch/go-cron"
)

// crontab reads a schedule as cron does: five fields, or a name such as @daily.
// Where both a day of the month and one of the week are given, either is enough.
var crontab = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom)

// Due is when the first report after t is expected: an interval later, or at
// the next time of the schedule in its time zone. A time that the clocks skip
// when they go forward is due right after; one that comes twice when they go
// back is due the first time (and again after a t between, where the schedule
// names every hour). Zero where the schedule has no such time, which Problems
// reports.
func (p Push) Due(t time.Time, interval time.Duration) time.Time {
	if p.Schedule == "" {
		return t.Add(interval)
	}
	times, zone, err := p.times()
	if err != nil {
		return time.Time{}
	}
	return dueAfter(times, zone, t)
}

// onTheWall is what a clock shows, as if it were UTC: there every day has 24 hours.
func onTheWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// shownAt is when the clocks of a zone show that, the first and the last time.
// What they never show is taken for as long after they went forward.
func shownAt(wall time.Time, zone *time.Location) (first, last time.Time) {
	near := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	_, before := near.Add(-3 * time.Hour).Zone()
	_, after := near.Add(3 * time.Hour).Zone()
	first, last = wall.Add(-time.Duration(before)*time.Second), wall.Add(-time.Duration(after)*time.Second)
	if !onTheWall(last.In(zone)).Equal(wall) {
		last = first
	}
	if !onTheWall(first.In(zone)).Equal(wall) && onTheWall(last.In(zone)).Equal(wall) {
		first = last
	}
	return first, last
}

// times is the schedule, and the time zone that it is read in.
func (p Push) times() (*cron.SpecSchedule, *time.Location, error) {
	return crontabIn(p.Schedule, p.TimeZone)
}

// crontabIn is a crontab's schedule, whose times are those on the wall of a zone.
func crontabIn(schedule, timeZone string) (*cron.SpecSchedule, *time.Location, error) {
	if strings.ContainsAny(schedule, "=") || strings.HasPrefix(schedule, "@every") {
		return nil, nil, errors.New("a schedule has five fields, or @hourly, @daily, @weekly, @monthly or @yearly")
	}
	parsed, err := crontab.Parse(schedule)
	if err != nil {
		return nil, nil, err
	}
	times, is := parsed.(*cron.SpecSchedule)
	if !is {
		return nil, nil, errors.New("a schedule has five fields")
	}
	zone, err := zoneOf(timeZone)
	if err != nil {
		return nil, nil, err
	}
	times.Location = time.UTC // its times are those on the wall
	return times, zone, nil
}

const maxGrace = 7 * 24 * time.Hour

// problems are what is wrong with p.
func (p Push) problems() []Problem {
	var all []Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, Problem{Key: "push." + key, Value: value, Message: fmt.Sprintf(format, args...)})
	}
	if p.Grace < 0 || p.Grace > maxGrace {
		add("grace", p.Grace.String(), "must be between 0s and %s", maxGrace)
	}
	if p.TimeZone != "" {
		if _, err := time.LoadLocation(p.TimeZone); err != nil {
			add("time_zone", p.TimeZone, "is not a time zone such as Europe/Rome or UTC")
			p.TimeZone = ""
		}
	}
	if p.Schedule == "" {
		if p.TimeZone != "" {
			add("time_zone", p.TimeZone, "needs a schedule: without one a report is due each interval")
		}
		return all
	}
	switch _, _, err := p.times(); {
	case err != nil:
		add("schedule", p.Schedule, "is not a crontab's schedule such as 30 2 * * *: %v", err)
	case p.Due(time.Now(), 0).IsZero():
		add("schedule", p.Schedule, "names a day that never comes")
	case p.Grace == 0:
		add("grace", p.Grace.String(), "must be more than 0s with a schedule, such as 15m: the report comes when the job ends, and not when it begins")
	}
	return all
}
