package notify

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/notify/send"
)

// Config is who is notified of what.
type Config struct {
	Receivers     []Receiver `yaml:"receivers"`
	Digest        Digest     `yaml:"digest"`
	Heartbeat     string     `yaml:"heartbeat"`      // called with GET each minute while this instance is active and healthy
	HeartbeatFile string     `yaml:"heartbeat_file"` // a file with the address, instead
}

// Receiver is one address that gets messages.
type Receiver struct {
	Name              string        `yaml:"name"`               // default: the kind of its url, such as ntfy
	URL               string        `yaml:"url"`                // such as ntfy://ntfy.sh/my-topic; https:// is a JSON webhook
	URLFile           string        `yaml:"url_file"`           // a file with the url, instead
	Authorization     string        `yaml:"authorization"`      // of a webhook: the value of the header Authorization
	AuthorizationFile string        `yaml:"authorization_file"` // a file with it, instead
	Secret            string        `yaml:"secret"`             // of a webhook: signs each body
	SecretFile        string        `yaml:"secret_file"`        // a file with it, instead
	On                []string      `yaml:"on"`                 // events; default escalated, resolved, approval, lost and back
	Services          []string      `yaml:"services"`           // only these, and those of groups; default all
	Groups            []string      `yaml:"groups"`             // only services in these, and those of services; default all
	Severity          string        `yaml:"severity"`           // the lowest that is sent: low (default), normal or high
	Repeat            time.Duration `yaml:"repeat"`             // how often what waits for a person is sent again; 0s (default): never
	Quiet             Quiet         `yaml:"quiet"`              // hours in which only escalations of services that are DOWN are sent
	Templates         Templates     `yaml:"templates"`          // the text by event, as a Go template; its first line is the title
}

// Templates are texts by event.
type Templates map[string]string

// Quiet are the hours of a day in which messages wait; none where From and To are
// empty.
type Quiet struct {
	From     string `yaml:"from"`      // such as 22:00
	To       string `yaml:"to"`        // such as 07:00
	TimeZone string `yaml:"time_zone"` // such as Europe/Rome; default: this machine's
}

// Digest is when receivers that take the event digest get one, and what of.
type Digest struct {
	At       string `yaml:"at"`        // when it is sent; default 08:00
	From     string `yaml:"from"`      // when the night that it covers begins; default 20:00
	TimeZone string `yaml:"time_zone"` // such as Europe/Rome; default: this machine's
}

// Default is the configuration before anything is configured: no receivers.
func Default() Config { return Config{Digest: Digest{At: "08:00", From: "20:00"}} }

const (
	minRepeat = time.Minute
	maxRepeat = 7 * 24 * time.Hour
	maxText   = 4096 // of a template
)

var receiverName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// name is the receiver's, or its kind where it has none.
func (r Receiver) name() string {
	if r.Name != "" {
		return r.Name
	}
	kind, _, _ := strings.Cut(r.URL, ":")
	switch kind, _, _ = strings.Cut(kind, "+"); kind {
	case "http", "https":
		return "webhook"
	}
	return strings.ToLower(kind)
}

func (r Receiver) takes(event string) bool {
	if len(r.On) == 0 {
		return slices.Contains(defaultOn, event)
	}
	return slices.Contains(r.On, event)
}

// of says whether the receiver is notified of a service in a group.
func (r Receiver) of(name, group string) bool {
	if len(r.Services) == 0 && len(r.Groups) == 0 {
		return true
	}
	return slices.Contains(r.Services, name) || group != "" && slices.Contains(r.Groups, group)
}

// target is where a sender sends to.
func (r Receiver) target() send.Target {
	return send.Target{URL: r.URL, Authorization: r.Authorization, Secret: r.Secret}
}

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, service.Problem{Key: key, Value: value, Message: fmt.Sprintf(format, args...)})
	}
	names := map[string]bool{}
	for i, r := range c.Receivers {
		at := fmt.Sprintf("receivers[%d].", i)
		for _, p := range r.problems() {
			p.Key = at + p.Key
			all = append(all, p)
		}
		if name := r.name(); name != "" && names[name] {
			add(at+"name", name, "is already the name of another receiver; give each a name of its own")
		} else {
			names[name] = true
		}
	}
	all = append(all, clockProblems("digest.", c.Digest.TimeZone, map[string]string{"at": c.Digest.At, "from": c.Digest.From})...)
	if u, err := url.Parse(c.Heartbeat); c.Heartbeat != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		add("heartbeat", "***", "is not an address such as https://hc-ping.com/…")
	}
	return all
}

func (r Receiver) problems() (all []service.Problem) {
	add := func(key, value, suggestion, format string, args ...any) {
		all = append(all, service.Problem{Key: key, Value: value, Suggestion: suggestion, Message: fmt.Sprintf(format, args...)})
	}
	if r.Name != "" && !receiverName.MatchString(r.Name) {
		add("name", r.Name, "", "must be 1 to 64 letters, digits, dots, dashes and underscores, and begin with a letter or a digit")
	}
	if r.URL == "" {
		add("url", "", "", "is missing: such as ntfy://ntfy.sh/my-topic, or url_file with a file that holds it; see docs/notifications.md")
	} else if err := send.Check(r.target()); err != nil {
		add("url", "***", "", "%v", err)
	} else if key := cmp.Or(map[bool]string{true: "authorization"}[r.Authorization != ""], "secret"); !r.target().IsWebhook() && (r.Authorization != "" || r.Secret != "") {
		add(key, "***", "", "is for webhooks alone, whose url begins with https:// or http://")
	}
	if strings.ContainsAny(r.Authorization, "\r\n") {
		add("authorization", "***", "", "holds a line break")
	}
	for i, on := range r.On {
		if !slices.Contains(Events, on) {
			add(fmt.Sprintf("on[%d]", i), on, nearest.Of(on, Events), "is not an event; use some of %s", strings.Join(Events, ", "))
		}
	}
	if r.Severity != "" && !slices.Contains(severities, r.Severity) {
		add("severity", r.Severity, nearest.Of(r.Severity, severities), "is not a severity; use one of %s", strings.Join(severities, ", "))
	}
	if r.Repeat != 0 && (r.Repeat < minRepeat || r.Repeat > maxRepeat) {
		add("repeat", r.Repeat.String(), "", "must be between 1m and 168h, or 0s for never")
	}
	if q := r.Quiet; q != (Quiet{}) {
		all = append(all, clockProblems("quiet.", q.TimeZone, map[string]string{"from": q.From, "to": q.To})...)
		if q.From != "" && q.From == q.To {
			add("quiet.to", q.To, "", "is also when the quiet hours begin: they would never end")
		}
	}
	return append(all, r.Templates.problems()...)
}

// clockProblems are those of times of a day, by their keys.
func clockProblems(section, zone string, times map[string]string) (all []service.Problem) {
	for _, key := range slices.Sorted(mapKeys(times)) {
		if _, err := time.Parse(clock, times[key]); err != nil {
			all = append(all, service.Problem{Key: section + key, Value: times[key], Message: "is not a time of a day such as 22:00"})
		}
	}
	if _, err := zoneOf(zone); err != nil {
		all = append(all, service.Problem{Key: section + "time_zone", Value: zone, Message: "is not a time zone such as Europe/Rome"})
	}
	return all
}

// problems are those of templates: each is run on an example of its event.
func (t Templates) problems() (all []service.Problem) {
	known := append(slices.Clone(Events), Summary)
	for _, on := range slices.Sorted(mapKeys(t)) {
		key := "templates." + on
		if !slices.Contains(known, on) {
			all = append(all, service.Problem{Key: key, Suggestion: nearest.Of(on, known), Message: "is not an event; use some of " + strings.Join(known, ", ")})
			continue
		}
		made, err := parse(on, t[on])
		if err == nil {
			_, err = execute(made, example(on))
		}
		if err != nil {
			all = append(all, service.Problem{Key: key, Message: "is not a valid template: " + templateReason(err)})
		}
	}
	return all
}

// templateReason is the template library's error without what it repeats of the
// text and of our types.
func templateReason(err error) string {
	var executing template.ExecError
	if errors.As(err, &executing) {
		err = executing.Err
	}
	text := strings.TrimPrefix(err.Error(), "template: ")
	if i := strings.LastIndex(text, ": "); i >= 0 && strings.Contains(text, "evaluate field") {
		text = text[i+2:]
	}
	return strings.ReplaceAll(text, "notify.", "")
}
