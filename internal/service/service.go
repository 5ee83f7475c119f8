// Package service is what a service is: its definition, its thresholds, and
// what may be done about it. Configuration decodes into it; monitor, healer
// and dashboard read it. No I/O.
package service

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/nearest"
)

// Definition is one service of config.yaml, with every default applied.
type Definition struct {
	Name             string        `yaml:"name"`
	URL              string        `yaml:"url"`       // http or https
	Container        string        `yaml:"container"` // an exact name, or project/service; empty: monitored, not healed
	Group            string        `yaml:"group"`
	Note             string        `yaml:"note"` // one line: "when this fails …"
	Interval         time.Duration `yaml:"interval"`
	Timeout          time.Duration `yaml:"timeout"` // of one check; default: 5s, but not more than the interval
	FailureThreshold int           `yaml:"failure_threshold"`
	SuccessThreshold int           `yaml:"success_threshold"`
	Expect           Expect        `yaml:"expect"`
	StartPeriod      time.Duration `yaml:"start_period"` // how long it may take to answer after a start
	Heal             Heal          `yaml:"heal"`
	Chaos            bool          `yaml:"chaos"` // real faults may be injected from the page
}

// Expect is what a good answer looks like.
type Expect struct {
	Status  StatusRange   `yaml:"status"`
	Latency time.Duration `yaml:"latency"` // slower is DEGRADED; zero: no limit
}

// Heal is what may be done about a service.
type Heal struct {
	Mode       Mode       `yaml:"mode"`        // empty: the healer's
	Never      []string   `yaml:"never"`       // actions that are never taken
	ManualStop ManualStop `yaml:"manual_stop"` // what a stop from outside means
	Confirm    bool       `yaml:"confirm"`     // a foreign source needs our own check, or the engine, to agree
	Self       bool       `yaml:"self"`        // may be healed although logstream depends on it
}

// Mode says whether repairs are made.
type Mode string

// The modes.
const (
	Observe Mode = "observe" // say what would have been done
	Auto    Mode = "auto"    // do it
)

// ManualStop says how a stop or pause from outside is treated.
type ManualStop string

// How a stop from outside is treated.
const (
	StopHeal   ManualStop = "heal"   // undo it once; again within ten minutes it is treated as intentional
	StopIgnore ManualStop = "ignore" // always treat it as intentional
	StopAlways ManualStop = "always" // always undo it
)

// Actions that exist, by tier: tier 0 loses nothing.
const (
	ActionStart    = "start"
	ActionRestart  = "restart"
	ActionUnpause  = "unpause"
	ActionNone     = "none"
	ActionEscalate = "escalate"
)

// Actions are those that heal.never may name.
var Actions = []string{ActionStart, ActionRestart, ActionUnpause}

// Default is a definition before anything is configured.
func Default() Definition {
	return Definition{
		Interval: 10 * time.Second, Timeout: 5 * time.Second,
		FailureThreshold: 3, SuccessThreshold: 2,
		Expect: Expect{Status: StatusRange{{200, 399}}},
		Heal:   Heal{ManualStop: StopHeal, Confirm: true},
	}
}

// MinTimeout is the shortest time that a check may be given.
const MinTimeout = time.Millisecond

// Problem is one thing that is wrong with a definition: at which key (with
// dots, such as heal.mode), which value, why, and what was likely meant, or "".
type Problem struct{ Key, Value, Message, Suggestion string }

// Problems are all that is wrong with d; nil where nothing is.
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
	if message, suggestion := checkURL(d.URL); message != "" {
		all = append(all, Problem{"url", MaskURL(d.URL), message, suggestion})
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
	if len(d.Expect.Status) == 0 {
		add("expect.status", "", "is missing, so every answer would be an error; 200-399 is usual")
	}
	if d.Expect.Latency < 0 {
		add("expect.latency", d.Expect.Latency.String(), "must not be negative")
	}
	if d.StartPeriod < 0 || d.StartPeriod > time.Hour {
		add("start_period", d.StartPeriod.String(), "must be between 0s and 1h")
	}
	if !slices.Contains([]Mode{"", Observe, Auto}, d.Heal.Mode) {
		unknown("heal.mode", string(d.Heal.Mode), "a mode", string(Observe), string(Auto))
	}
	if !slices.Contains([]ManualStop{StopHeal, StopIgnore, StopAlways}, d.Heal.ManualStop) {
		unknown("heal.manual_stop", string(d.Heal.ManualStop), "a policy for manual stops", string(StopHeal), string(StopIgnore), string(StopAlways))
	}
	for _, action := range d.Heal.Never {
		if !slices.Contains(Actions, action) {
			unknown("heal.never", action, "an action", Actions...)
		}
	}
	return all
}

// checkURL says what is wrong with a service's url, and what was likely meant.
func checkURL(raw string) (message, suggestion string) {
	u, err := url.Parse(raw)
	switch assumed, is := assumeHTTP(raw); {
	case raw == "":
		return "is missing: a service needs a url such as http://localhost:8080", ""
	case err == nil && (u.Scheme == "http" || u.Scheme == "https"):
		if u.Hostname() == "" {
			return "names no host", ""
		}
		return "", ""
	case is:
		return "does not begin with http:// or https://", MaskURL(assumed)
	case err != nil:
		return "is not a url such as http://localhost:8080", "" // the parser's words repeat parts of it, a password among them
	}
	return fmt.Sprintf("has the scheme %q; use http or https", u.Scheme), ""
}

// assumeHTTP is raw with the scheme that was left out, such as
// http://localhost:8080; false where raw is nothing like that.
func assumeHTTP(raw string) (string, bool) {
	if strings.Contains(raw, "://") {
		return "", false
	}
	assumed := "http://" + strings.TrimPrefix(raw, "//")
	u, err := url.Parse(assumed)
	return assumed, err == nil && u.Hostname() != "" && u.User == nil
}

// Masked is d as the log and the page show it: no credentials in the url.
func (d Definition) Masked() *event.Definition {
	latency := ""
	if d.Expect.Latency > 0 {
		latency = d.Expect.Latency.String()
	}
	return &event.Definition{
		Name: d.Name, URL: MaskURL(d.URL), Container: d.Container, Group: d.Group, Note: d.Note,
		Interval: d.Interval.String(), Timeout: d.Timeout.String(),
		FailureThreshold: d.FailureThreshold, SuccessThreshold: d.SuccessThreshold,
		Expect:      event.Expect{Status: d.Expect.Status.String(), Latency: latency},
		StartPeriod: d.StartPeriod.String(),
		Heal: event.Heal{Mode: string(d.Heal.Mode), Never: d.Heal.Never, ManualStop: string(d.Heal.ManualStop),
			Confirm: d.Heal.Confirm, Self: d.Heal.Self},
		Chaos: d.Chaos,
	}
}

// Hash changes whenever the masked definition does.
func (d Definition) Hash() string {
	sum := sha256.Sum256(event.Encode(d.Masked()))
	return hex.EncodeToString(sum[:6])
}

// MaskURL hides who logs in with what, every query value and the fragment. Of
// what can't be taken apart, nothing is shown.
func MaskURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(u.Opaque, "@") {
		if assumed, is := assumeHTTP(raw); is { // such as 127.0.0.1:8080, which is none
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
		u.RawQuery = maskQuery(u.RawQuery)
	}
	if u.Fragment != "" {
		u.Fragment, u.RawFragment = "***", ""
	}
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", "***")
}

// maskQuery keeps the names before an equals sign, and their order.
func maskQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, _, named := strings.Cut(part, "=")
		parts[i] = "***"
		if named {
			parts[i] = name + "=***"
		}
	}
	return strings.Join(parts, "&")
}
