package service

import (
	"strings"
	"testing"
	"time"
)

// TestMaintenanceWindows has the clocks of Rome going from 02:00 to 03:00 on
// 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
func TestMaintenanceWindows(t *testing.T) {
	rome := "Europe/Rome"
	sunday := Maintenance{Cron: "0 3 * * 0", For: 2 * time.Hour, TimeZone: rome}
	skipped := Maintenance{Cron: "30 2 * * *", For: time.Hour, TimeZone: rome}
	night := Maintenance{Cron: "0 1 * * *", For: 4 * time.Hour, TimeZone: rome}
	once := Maintenance{From: "2026-12-01T22:00", To: "2026-12-02T02:00", TimeZone: rome}
	for name, test := range map[string]struct {
		window    Maintenance
		now, ends string // empty: outside
	}{
		"before":                        {sunday, "2026-03-01T01:59:59Z", ""},
		"at its beginning":              {sunday, "2026-03-01T02:00:00Z", "2026-03-01T04:00:00Z"},
		"at its last second":            {sunday, "2026-03-01T03:59:59Z", "2026-03-01T04:00:00Z"},
		"at its end":                    {sunday, "2026-03-01T04:00:00Z", ""},
		"another day":                   {sunday, "2026-03-02T02:30:00Z", ""},
		"in summer":                     {sunday, "2026-07-05T01:30:00Z", "2026-07-05T03:00:00Z"},
		"a beginning that is skipped":   {skipped, "2026-03-29T01:29:59Z", ""},
		"is right after":                {skipped, "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"},
		"one that comes twice":          {skipped, "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"},
		"counts once":                   {skipped, "2026-10-25T01:45:00Z", ""},
		"over the switch to summer":     {night, "2026-03-29T03:59:59Z", "2026-03-29T04:00:00Z"},
		"hours pass, and no more":       {night, "2026-03-29T04:00:00Z", ""},
		"over the switch to winter":     {night, "2026-10-25T02:59:59Z", "2026-10-25T03:00:00Z"},
		"once, before":                  {once, "2026-12-01T20:59:59Z", ""},
		"once":                          {once, "2026-12-01T21:00:00Z", "2026-12-02T01:00:00Z"},
		"once, after":                   {once, "2026-12-02T01:00:00Z", ""},
		"an end that comes twice":       {Maintenance{From: "2026-10-25T01:00", To: "2026-10-25T02:30", TimeZone: rome}, "2026-10-25T01:29:00Z", "2026-10-25T01:30:00Z"},
		"a beginning of once, skipped":  {Maintenance{From: "2026-03-29T02:30", To: "2026-03-29T05:00", TimeZone: rome}, "2026-03-29T01:30:00Z", "2026-03-29T03:00:00Z"},
		"windows that overlap are one":  {Maintenance{Cron: "0 * * * *", For: 2 * time.Hour, TimeZone: "UTC"}, "2026-03-01T00:30:00Z", ""},
		"seconds":                       {Maintenance{From: "2026-12-01 22:00:30", To: "2026-12-01 22:00:40", TimeZone: "UTC"}, "2026-12-01T22:00:35Z", "2026-12-01T22:00:40Z"},
		"no window at all":              {Maintenance{}, "2026-03-01T00:30:00Z", ""},
		"a schedule that is not one":    {Maintenance{Cron: "soon", For: time.Hour}, "2026-03-01T00:30:00Z", ""},
		"a time zone that is not one":   {Maintenance{From: "2026-12-01T22:00", To: "2026-12-02T02:00", TimeZone: "Rome"}, "2026-12-01T23:00:00Z", ""},
		"each day of the week, for two": {Maintenance{Cron: "0 0 * * 6", For: 48 * time.Hour, TimeZone: "UTC"}, "2026-03-08T23:00:00Z", "2026-03-09T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		end, inside := test.window.Until(now)
		if inside {
			got = end.UTC().Format(time.RFC3339)
		}
		if name == "windows that overlap are one" {
			if !inside || end.Sub(now) < 24*time.Hour {
				t.Errorf("%s: it ends %s", name, end)
			}
			continue
		}
		if got != test.ends {
			t.Errorf("%s: at %s the end is %q, want %q", name, test.now, got, test.ends)
		}
	}
}

func TestMaintenanceProblems(t *testing.T) {
	for name, test := range map[string]struct {
		window    Maintenance
		key, says string // empty: none
	}{
		"again":                  {Maintenance{Cron: "0 3 * * 0", For: 2 * time.Hour, TimeZone: "Europe/Rome"}, "", ""},
		"once":                   {Maintenance{From: "2026-12-01T22:00", To: "2026-12-02T02:00"}, "", ""},
		"nothing":                {Maintenance{}, "maintenance[0]", "either cron and for"},
		"both":                   {Maintenance{Cron: "0 3 * * 0", For: time.Hour, From: "2026-12-01T22:00", To: "2026-12-02T02:00"}, "maintenance[0]", "either cron and for"},
		"no length":              {Maintenance{Cron: "0 3 * * 0"}, "maintenance[0].for", "between 1m"},
		"too long":               {Maintenance{Cron: "0 3 * * 0", For: 200 * time.Hour}, "maintenance[0].for", "between 1m"},
		"a schedule of words":    {Maintenance{Cron: "at three", For: time.Hour}, "maintenance[0].cron", "crontab"},
		"a day that never is":    {Maintenance{Cron: "0 0 30 2 *", For: time.Hour}, "maintenance[0].cron", "never comes"},
		"no end":                 {Maintenance{From: "2026-12-01T22:00"}, "maintenance[0].to", "is not a time"},
		"the end first":          {Maintenance{From: "2026-12-02T22:00", To: "2026-12-02T02:00"}, "maintenance[0].to", "after from"},
		"no such zone":           {Maintenance{Cron: "0 3 * * 0", For: time.Hour, TimeZone: "Rome"}, "maintenance[0].time_zone", "Europe/Rome"},
		"a day that isn't one":   {Maintenance{From: "2026-02-30T22:00", To: "2026-12-02T02:00"}, "maintenance[0].from", "is not a time"},
		"only how long it lasts": {Maintenance{For: time.Hour}, "maintenance[0].cron", "crontab"},
	} {
		got := WindowProblems([]Maintenance{test.window})
		if test.key == "" {
			if len(got) != 0 {
				t.Errorf("%s: %v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Key != test.key || !strings.Contains(got[0].Message, test.says) {
			t.Errorf("%s: %+v, want one at %s that says %q", name, got, test.key, test.says)
		}
	}
}
