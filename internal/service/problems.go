package service

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/size"
)

// minMemory is the least that an engine takes as a memory limit.
const minMemory = 6 * size.Size(1<<20)

// MinTimeout is the shortest time that a check may be given.
const MinTimeout = time.Millisecond

// Problem is one thing that is wrong with a definition: at which key (with
// dots, such as heal.mode), which value, why, and what was likely meant, or "".
type Problem struct{ Key, Value, Message, Suggestion string }

// Problems are what is wrong with d whatever its kind of check; nil where nothing
// is. check.Problems has what its url, and that kind, need.
func (d Definition) Problems() []Problem {
	var all []Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, Problem{Key: key, Value: value, Message: fmt.Sprintf(format, args...)})
	}
	unknown := func(key, value, what string, known ...string) {
		all = append(all, Problem{Key: key, Value: value, Suggestion: nearest.Of(value, known),
			Message: fmt.Sprintf("is not %s; use one of %s", what, strings.Join(known, ", "))})
	}
	if err := event.CheckServiceName(d.Name); err != nil {
		add("name", d.Name, "%v", err)
	}
	if d.Interval < 100*time.Millisecond || d.Interval > 24*time.Hour {
		add("interval", d.Interval.String(), "must be between 100ms and 24h")
	}
	if d.Timeout < MinTimeout || d.Timeout > 5*time.Minute {
		add("timeout", d.Timeout.String(), "must be between 1ms and 5m")
	}
	if d.FailureThreshold < 1 || d.FailureThreshold > 100 {
		add("failure_threshold", strconv.Itoa(d.FailureThreshold), "must be between 1 and 100")
	}
	if d.SuccessThreshold < 1 || d.SuccessThreshold > 100 {
		add("success_threshold", strconv.Itoa(d.SuccessThreshold), "must be between 1 and 100")
	}
	if w := d.Window; w != (Window{}) && (w.Failures < 1 || w.Of < w.Failures || w.Of > 100) {
		add("window", "", "needs failures and of, such as {failures: 3, of: 5}: 1 to of, and of at most 100")
	}
	all = append(all, d.Push.problems()...)
	all = append(all, WindowProblems(d.Maintenance)...)
	if d.KeepAlive < 0 || d.KeepAlive > time.Hour {
		add("keep_alive", d.KeepAlive.String(), "must be between 0s and 1h")
	}
	if (d.TLS.Cert == "") != (d.TLS.Key == "") {
		add("tls", "", "needs cert and key together")
	}
	if len(d.Expect.Status) == 0 {
		add("expect.status", "", "is missing, so every answer would be an error; 200-399 is usual")
	}
	if d.Expect.Latency < 0 {
		add("expect.latency", d.Expect.Latency.String(), "must not be negative")
	}
	if d.Expect.CertificateDays < 0 || d.Expect.CertificateDays > 365 {
		add("expect.certificate_days", strconv.Itoa(d.Expect.CertificateDays), "must be between 0 and 365")
	}
	if d.StartPeriod < 0 || d.StartPeriod > time.Hour {
		add("start_period", d.StartPeriod.String(), "must be between 0s and 1h")
	}
	if !slices.Contains([]Mode{"", Observe, Approve, Auto}, d.Heal.Mode) {
		unknown("heal.mode", string(d.Heal.Mode), "a mode", string(Observe), string(Approve), string(Auto))
	}
	if !slices.Contains([]ManualStop{StopHeal, StopIgnore, StopAlways}, d.Heal.ManualStop) {
		unknown("heal.manual_stop", string(d.Heal.ManualStop), "a policy for manual stops", string(StopHeal), string(StopIgnore), string(StopAlways))
	}
	for _, action := range d.Heal.Never {
		if !slices.Contains(Actions, action) {
			unknown("heal.never", action, "an action", Actions...)
		}
	}
	for _, action := range d.Heal.Actions {
		if !slices.Contains(Actions, action) {
			unknown("heal.actions", action, "an action", Actions...)
		}
	}
	if m := d.Heal.MaxMemory; m != 0 && m < minMemory {
		add("heal.max_memory", m.String(), "must be at least %v, which is the least that Docker accepts", minMemory)
	}
	all = append(all, d.Heal.Commands.problems()...)
	return all
}

// AssumeHTTP is raw with the scheme that was left out, such as
// http://localhost:8080; false where raw is nothing like that.
func AssumeHTTP(raw string) (string, bool) {
	if strings.Contains(raw, "://") {
		return "", false
	}
	assumed := "http://" + strings.TrimPrefix(raw, "//")
	u, err := url.Parse(assumed)
	return assumed, err == nil && u.Hostname() != "" && u.User == nil
}
