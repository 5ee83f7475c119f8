package service

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/size"
)

const hidden = "***"

// Masked is d as the log and the page show it: no credentials in the url, and
// nothing of what a request carries.
func (d Definition) Masked() *event.Definition {
	return &event.Definition{
		Name: d.Name, URL: MaskURL(d.URL), Container: d.Container, Group: d.Group, Note: d.Note,
		Interval: d.Interval.String(), Timeout: d.Timeout.String(),
		FailureThreshold: d.FailureThreshold, SuccessThreshold: d.SuccessThreshold,
		Window: event.Window(d.Window), Request: d.Request.masked(), TLS: event.TLS(d.TLS), KeepAlive: duration(d.KeepAlive, defaultKeepAlive),
		Push: event.Push{Grace: duration(d.Push.Grace, 0), Schedule: d.Push.Schedule, TimeZone: d.Push.TimeZone},
		Expect: event.Expect{Status: d.Expect.Status.String(), Body: d.Expect.Body, JSON: d.Expect.JSON, Headers: d.Expect.Headers,
			Latency: duration(d.Expect.Latency, 0), CertificateDays: d.Expect.CertificateDays},
		StartPeriod: d.StartPeriod.String(), DependsOn: d.DependsOn,
		Heal: event.Heal{Mode: string(d.Heal.Mode), Never: d.Heal.Never, ManualStop: string(d.Heal.ManualStop),
			Confirm: d.Heal.Confirm, Self: d.Heal.Self, Actions: d.Heal.Actions, MaxMemory: sizeOf(d.Heal.MaxMemory), Commands: d.Heal.Commands.Names()},
		Maintenance: d.maintenance(), Chaos: d.Chaos, Discovered: d.Discovered,
	}
}

func (d Definition) maintenance() (shown []event.Maintenance) {
	for _, m := range d.Maintenance {
		shown = append(shown, event.Maintenance{Cron: m.Cron, For: duration(m.For, 0), From: m.From, To: m.To, TimeZone: m.TimeZone})
	}
	return shown
}

// sizeOf is s as records have it; empty where there is none.
func sizeOf(s size.Size) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

// duration is d as records have it; empty where it is the usual one.
func duration(d, usual time.Duration) string {
	if d == usual {
		return ""
	}
	return d.String()
}

// masked keeps the names of headers: tokens stand in their values, and in bodies.
func (r Request) masked() event.Request {
	shown := event.Request{Method: r.Method, Body: mask(r.Body), Redirects: r.Redirects, Bearer: mask(r.Bearer)}
	for name, value := range r.Headers {
		if shown.Headers == nil {
			shown.Headers = map[string]string{}
		}
		shown.Headers[name] = mask(value)
	}
	return shown
}

func mask(secret string) string {
	if secret == "" {
		return ""
	}
	return hidden
}

// plainKeys are the keys of a query whose values are no secrets, of each scheme
// whose kind of check knows its keys.
var plainKeys = map[string][]string{
	"dns": {"type"}, "disk": {"free", "inodes"},
	"postgres": {"sslmode"}, "postgresql": {"sslmode"}, "mysql": {"tls"}, "mariadb": {"tls"},
}

// plainValue is what such a value may look like: one that does not was not meant.
var plainValue = regexp.MustCompile(`^[A-Za-z0-9.-]{1,16}(%|%25)?$`)

// MaskURL hides who logs in with what, query values and the fragment; it shows
// values of plainKeys alone. Of what can't be taken apart, nothing is shown.
func MaskURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(u.Opaque, "@") {
		if assumed, is := AssumeHTTP(raw); is { // such as 127.0.0.1:8080, which is none
			return strings.TrimPrefix(MaskURL(assumed), "http://")
		}
		return "***"
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "***")
	} else if u.User != nil {
		u.User = url.User("***") // a token often stands there alone
	}
	if u.RawQuery != "" {
		u.RawQuery = maskQuery(u.RawQuery, plainKeys[u.Scheme])
	}
	if u.Fragment != "" {
		u.Fragment, u.RawFragment = "***", ""
	}
	shown := strings.ReplaceAll(u.String(), "%2A%2A%2A", "***")
	if u.Host == "" && u.Path == "" && strings.HasPrefix(raw[len(u.Scheme):], "://") { // push://, which String shortens
		shown = strings.Replace(shown, ":", "://", 1)
	}
	return shown
}

// maskQuery keeps the names before an equals sign, their order, and the values of
// plain keys.
func maskQuery(query string, plain []string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, named := strings.Cut(part, "=")
		if named && slices.Contains(plain, name) && plainValue.MatchString(value) {
			continue
		}
		parts[i] = "***"
		if named {
			parts[i] = name + "=***"
		}
	}
	return strings.Join(parts, "&")
}
