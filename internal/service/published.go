package service

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/size"
)

// Published is the definition of which p is the masked form: what is decided
// from it is the same, and it is masked as p is. Its secrets are gone, so that
// nothing can be checked by it. What cannot be read is as it is by default.
func Published(p event.Definition) Definition {
	d := Default()
	d.Name, d.URL, d.Container, d.Group, d.Note = p.Name, p.URL, p.Container, p.Group, p.Note
	read := func(into *time.Duration, text string) {
		if read, err := time.ParseDuration(text); err == nil {
			*into = read
		}
	}
	read(&d.Interval, p.Interval)
	read(&d.Timeout, p.Timeout)
	read(&d.KeepAlive, p.KeepAlive)
	read(&d.StartPeriod, p.StartPeriod)
	read(&d.Push.Grace, p.Push.Grace)
	read(&d.Expect.Latency, p.Expect.Latency)
	d.FailureThreshold, d.SuccessThreshold, d.Window = p.FailureThreshold, p.SuccessThreshold, Window(p.Window)
	d.Request, d.TLS = Request(p.Request), TLS(p.TLS)
	d.Push.Schedule, d.Push.TimeZone = p.Push.Schedule, p.Push.TimeZone
	if set, err := ParseStatusRange(p.Expect.Status); err == nil {
		d.Expect.Status = set
	}
	d.Expect.Body, d.Expect.JSON, d.Expect.Headers, d.Expect.CertificateDays = p.Expect.Body, p.Expect.JSON, p.Expect.Headers, p.Expect.CertificateDays
	d.DependsOn, d.Chaos, d.Discovered = p.DependsOn, p.Chaos, p.Discovered
	for _, m := range p.Maintenance {
		window := Maintenance{Cron: m.Cron, From: m.From, To: m.To, TimeZone: m.TimeZone}
		read(&window.For, m.For)
		d.Maintenance = append(d.Maintenance, window)
	}
	d.Heal = Heal{Mode: Mode(p.Heal.Mode), Never: p.Heal.Never, ManualStop: ManualStop(p.Heal.ManualStop), Confirm: p.Heal.Confirm, Self: p.Heal.Self, Actions: p.Heal.Actions}
	if limit, err := size.Parse(p.Heal.MaxMemory); err == nil {
		d.Heal.MaxMemory = limit
	}
	for _, name := range p.Heal.Commands {
		d.Heal.Commands = append(d.Heal.Commands, Command{Name: name})
	}
	return d
}
