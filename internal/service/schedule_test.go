package service

import (
	"strings"
	"testing"
	"time"
)

// TestPushIsDue has the times that a schedule names, also where the clocks of its
// time zone are changed: on 2026-03-29 those of Rome go from 02:00 to 03:00, and
// on 2026-10-25 from 03:00 back to 02:00.
func TestPushIsDue(t *testing.T) {
	tests := map[string]struct {
		push  Push
		after string
		want  string // empty: never
	}{
		"each interval":             {Push{}, "2026-03-01T06:00:30Z", "2026-03-01T06:05:30Z"},
		"by day":                    {Push{Schedule: "30 2 * * *", TimeZone: "UTC"}, "2026-03-01T02:29:59Z", "2026-03-01T02:30:00Z"},
		"never at the time itself":  {Push{Schedule: "30 2 * * *", TimeZone: "UTC"}, "2026-03-01T02:30:00Z", "2026-03-02T02:30:00Z"},
		"by its name":               {Push{Schedule: "@daily", TimeZone: "UTC"}, "2026-03-01T02:30:00Z", "2026-03-02T00:00:00Z"},
		"each ten minutes":          {Push{Schedule: "*/10 * * * *"}, "2026-03-01T06:01:00Z", "2026-03-01T06:10:00Z"},
		"weekdays by name":          {Push{Schedule: "0 6 * * MON-FRI", TimeZone: "UTC"}, "2026-02-27T07:00:00Z", "2026-03-02T06:00:00Z"},
		"the 13th or a Friday":      {Push{Schedule: "0 0 13 * FRI", TimeZone: "UTC"}, "2026-05-02T00:00:00Z", "2026-05-08T00:00:00Z"},
		"the 29th of February":      {Push{Schedule: "0 0 29 2 *", TimeZone: "UTC"}, "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		"in winter":                 {Push{Schedule: "30 2 * * *", TimeZone: "Europe/Rome"}, "2026-03-27T12:00:00Z", "2026-03-28T01:30:00Z"},
		"in summer":                 {Push{Schedule: "30 2 * * *", TimeZone: "Europe/Rome"}, "2026-03-29T12:00:00Z", "2026-03-30T00:30:00Z"},
		"skipped: right after":      {Push{Schedule: "30 2 * * *", TimeZone: "Europe/Rome"}, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},
		"repeated: the first time":  {Push{Schedule: "30 2 * * *", TimeZone: "Europe/Rome"}, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		"repeated: and only then":   {Push{Schedule: "30 2 * * *", TimeZone: "Europe/Rome"}, "2026-10-25T00:31:00Z", "2026-10-26T01:30:00Z"},
		"repeated: but each hour":   {Push{Schedule: "30 * * * *", TimeZone: "Europe/Rome"}, "2026-10-25T01:01:00Z", "2026-10-25T01:30:00Z"},
		"by day, midnight skipped":  {Push{Schedule: "0 0 * * *", TimeZone: "America/Santiago"}, "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"},
		"by day, midnight repeated": {Push{Schedule: "30 23 * * *", TimeZone: "America/Santiago"}, "2026-04-05T02:31:00Z", "2026-04-06T03:30:00Z"},
		"a day that never comes":    {Push{Schedule: "0 0 30 2 *"}, "2026-03-01T00:00:00Z", ""},
		"no schedule at all":        {Push{Schedule: "soon"}, "2026-03-01T00:00:00Z", ""},
		"no such time zone":         {Push{Schedule: "@daily", TimeZone: "Rome"}, "2026-03-01T00:00:00Z", ""},
	}
	for name, test := range tests {
		after, err := time.Parse(time.RFC3339, test.after)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if due := test.push.Due(after, 5*time.Minute); !due.IsZero() {
			got = due.Format(time.RFC3339)
		}
		if got != test.want {
			t.Errorf("%s: after %s it is due at %q, want %q", name, test.after, got, test.want)
		}
	}
}

// TestPushIsDueLaterThanBefore holds over every kind of clock change.
func TestPushIsDueLaterThanBefore(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Rome", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		for _, schedule := range []string{"30 2 * * *", "0 0 * * *", "50 */3 * * *", "15 1-3 * * *", "59 23 * * *"} {
			p := Push{Schedule: schedule, TimeZone: zone}
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for at.Year() == 2026 {
				due := p.Due(at, 0)
				if !due.After(at) || due.Sub(at) > 26*time.Hour {
					t.Fatalf("%s in %s: after %s it is due at %s", schedule, zone, at, due)
				}
				at = due
			}
		}
	}
}

func TestPushProblems(t *testing.T) {
	tests := map[string]struct {
		push Push
		key  string // empty: nothing is wrong
		says string
	}{
		"nothing":                     {Push{}, "", ""},
		"a grace":                     {Push{Grace: time.Minute}, "", ""},
		"a schedule":                  {Push{Grace: time.Minute, Schedule: "30 2 * * *", TimeZone: "Europe/Rome"}, "", ""},
		"a name":                      {Push{Grace: time.Minute, Schedule: "@hourly"}, "", ""},
		"a negative grace":            {Push{Grace: -time.Second}, "push.grace", "between"},
		"a grace of a month":          {Push{Grace: 30 * 24 * time.Hour}, "push.grace", "between"},
		"a schedule without a grace":  {Push{Schedule: "@hourly"}, "push.grace", "15m"},
		"seconds":                     {Push{Grace: 1, Schedule: "0 30 2 * * *"}, "push.schedule", "crontab"},
		"an hour that does not exist": {Push{Grace: 1, Schedule: "0 24 * * *"}, "push.schedule", "crontab"},
		"words":                       {Push{Grace: 1, Schedule: "each night"}, "push.schedule", "crontab"},
		"a duration":                  {Push{Grace: 1, Schedule: "@every 1h"}, "push.schedule", "@hourly"},
		"a time zone in the schedule": {Push{Grace: 1, Schedule: "TZ=UTC 0 0 * * *"}, "push.schedule", "five fields"},
		"a day that never comes":      {Push{Grace: 1, Schedule: "0 0 31 4 *"}, "push.schedule", "never"},
		"no such time zone":           {Push{Grace: 1, Schedule: "@daily", TimeZone: "Rome"}, "push.time_zone", "Europe/Rome"},
		"a path for a time zone":      {Push{Grace: 1, Schedule: "@daily", TimeZone: "../etc/passwd"}, "push.time_zone", "Europe/Rome"},
		"a time zone of nothing":      {Push{TimeZone: "UTC"}, "push.time_zone", "needs a schedule"},
	}
	for name, test := range tests {
		d := valid()
		d.URL, d.Push = "push://", test.push
		problems := d.Problems()
		switch {
		case test.key == "" && problems != nil:
			t.Errorf("%s: %+v", name, problems)
		case test.key != "" && (len(problems) != 1 || problems[0].Key != test.key || !strings.Contains(problems[0].Message, test.says)):
			t.Errorf("%s: %+v, want one at %s about %q", name, problems, test.key, test.says)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add("30 2 * * *", "Europe/Rome")
	f.Add("@daily", "")
	f.Add("*/5 0-23/2 1,15 JAN-MAR SUN", "America/Santiago")
	f.Add("0 0 30 2 *", "UTC")
	f.Fuzz(func(t *testing.T, schedule, zone string) {
		p := Push{Grace: time.Minute, Schedule: schedule, TimeZone: zone}
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		if due := p.Due(at, time.Minute); len(p.problems()) == 0 && !due.After(at) {
			t.Fatalf("%q in %q has no problems, and is due at %s", schedule, zone, due)
		}
	})
}
