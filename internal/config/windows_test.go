package config

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"logstream/internal/service"
)

func TestWindowsAndTheBreakerAreRead(t *testing.T) {
	c, report := Parse("config.yaml", []byte(`
healer:
  maintenance:
    - {cron: "0 3 * * 0", for: 2h, time_zone: Europe/Rome}
    - {from: 2026-12-01T22:00, to: 2026-12-02T02:00}
  budget: {min_healthy: 40%, recurrence: {times: 3, within: 24h, soon: 2m}}
services:
  - {name: a, url: "http://a", maintenance: [{cron: "@daily", for: 30m}]}
  - {name: b, url: "http://b"}
`), func(string) (string, bool) { return "", false })
	if len(report.Errors) > 0 {
		t.Fatal(report)
	}
	want := []service.Maintenance{{Cron: "0 3 * * 0", For: 2 * time.Hour, TimeZone: "Europe/Rome"}, {From: "2026-12-01T22:00", To: "2026-12-02T02:00"}}
	if !reflect.DeepEqual(c.Healer.Maintenance, want) || len(c.Services[0].Maintenance) != 1 || c.Services[0].Maintenance[0].For != 30*time.Minute || c.Services[1].Maintenance != nil {
		t.Errorf("got %+v and %+v", c.Healer.Maintenance, c.Services[0].Maintenance)
	}
	if b := c.Healer.Budget; b.MinHealthy != 40 || b.Recurrence.Times != 3 || b.Recurrence.Within != 24*time.Hour || b.Recurrence.Soon != 2*time.Minute {
		t.Errorf("got %+v", b)
	}
}

func TestWindowsThatAreWrongAreReportedAtTheirPlace(t *testing.T) {
	services := "services: [{name: a, url: 'http://a'}]\n"
	for content, want := range map[string]string{
		"healer:\n  maintenance:\n  - {cron: 0 3 * *, for: 2h}\n":                      `config.yaml:3:12: healer.maintenance[0].cron: "0 3 * *" is not a crontab's schedule such as 0 3 * * 0: expected exactly 5 fields, found 4: [0 3 * *]`,
		"healer:\n  maintenance:\n  - {cron: 0 3 * * 0}\n":                             `config.yaml:3:5: healer.maintenance[0].for: "0s" must be between 1m and 168h0m0s, such as 2h`,
		"healer:\n  maintenance:\n  - {cron: 0 3 * * 0, for: 2h, time_zone: Rome}\n":   `config.yaml:3:43: healer.maintenance[0].time_zone: "Rome" is not a time zone such as Europe/Rome or UTC`,
		"healer:\n  maintenance:\n  - {from: 2026-12-01T22:00, to: tomorrow}\n":        `config.yaml:3:34: healer.maintenance[0].to: "tomorrow" is not a time such as 2026-12-01T22:00`,
		"healer:\n  maintenance:\n  - {crn: 0 3 * * 0, for: 2h}\n":                     `config.yaml:3:6: healer.maintenance[0].crn: unknown key; did you mean cron?`,
		"healer:\n  budget: {min_healthy: most}\n":                                     `config.yaml:2:25: healer.budget.min_healthy: "most" is not a share between 0% and 100%, such as 51%`,
		"healer:\n  budget: {min_healthy: 101%}\n":                                     `config.yaml:2:25: healer.budget.min_healthy: "101%" is not a share between 0% and 100%, such as 51%`,
		"healer:\n  budget: {recurrence: {times: 1}}\n":                                `config.yaml:2:32: healer.budget.recurrence.times: "1" must be 0 (never), or between 2 and 1000`,
		"healer:\n  budget: {recurrence: {soon: 2h}}\n":                                `config.yaml:2:31: healer.budget.recurrence.soon: "2h" must be between 0s and 1h`,
		"defaults:\n  maintenance: [{from: 2026-12-02T22:00, to: 2026-12-01T22:00}]\n": `config.yaml:2:46: defaults.maintenance[0].to: "2026-12-01T22:00" must be after from`,
	} {
		_, report := Parse("config.yaml", []byte(content+services), func(string) (string, bool) { return "", false })
		if !slices.ContainsFunc(report.Errors, func(f Finding) bool { return f.String() == want }) {
			t.Errorf("%s is reported as %v\nwant %s", content, report.Errors, want)
		}
	}
}
