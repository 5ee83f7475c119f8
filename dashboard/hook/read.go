package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	// MaxReports is how many services, or alerts, one body may report.
	MaxReports = 500
	maxName    = 100 // characters of a check
	maxError   = 1000
	maxSkipped = 10 // reasons in one answer
)

// report is what a body says of one service.
type report struct {
	names     []string // what the sender calls it, the most specific first
	check     string   // how it was checked
	status    event.Status
	why       string // it is not UP
	code      int
	latencyMS float64
}

// TooManyError says that a body reports more than MaxReports.
type TooManyError struct{ Reports int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("the body reports %d alerts; at most %d are allowed", e.Reports, MaxReports)
}

// readers read the body of each kind. What they leave out, they give a reason for.
var readers = map[string]func(body []byte) ([]report, []string, error){
	Alertmanager: readAlertmanager, Gatus: readGatus, UptimeKuma: readUptimeKuma, Generic: readGeneric,
}

// Result is what became of a body.
type Result struct {
	Observations []event.HealthLog
	Skipped      []string // why parts of it are left out, at most a few
}

// Read makes observations of a body that came at now. configured says which
// names our configuration has. An error says what is wrong with the body.
func (c Config) Read(body []byte, configured func(name string) bool, now time.Time) (Result, error) {
	reports, skipped, err := readers[c.Kind](body)
	if err != nil {
		return Result{}, err
	}
	var out Result
	places := map[[2]string]int{}
	for _, r := range reports {
		h := c.observation(r, configured, now)
		if err := event.CheckHealthLog(h); err != nil {
			skipped = append(skipped, err.Error())
			continue
		}
		key := [2]string{h.Service, h.Check}
		at, again := places[key]
		switch {
		case !again:
			places[key] = len(out.Observations)
			out.Observations = append(out.Observations, h)
		case severity[h.Status] > severity[out.Observations[at].Status]: // two alerts of one source: the worse counts
			out.Observations[at] = h
		}
	}
	for i := range skipped {
		skipped[i] = text.Clip(text.Line(skipped[i]), maxError)
	}
	out.Skipped = skipped[:min(len(skipped), maxSkipped)]
	return out, nil
}

var severity = map[event.Status]int{event.Degraded: 1, event.Down: 2}

func (c Config) observation(r report, configured func(string) bool, now time.Time) event.HealthLog {
	h := event.HealthLog{
		Timestamp: event.Seconds(now), Service: c.name(r.names, configured), Status: r.status, Code: r.code, LatencyMS: r.latencyMS,
		Check:  shortened(text.Line(r.check)),
		Origin: event.Origin{Instance: c.Name}, // neither host nor claim: those are an owner's
	}
	if h.Check == "" {
		h.Check = c.Kind
	}
	h.Until = event.Seconds(now.Add(speaksFor(h.Status)))
	if h.Status != event.Up {
		h.Error = text.Clip(redact.Text(text.Line(r.why)), maxError)
		if h.Error == "" {
			h.Error = c.Name + " reports " + string(h.Status)
		}
	}
	return h
}

// name is ours of a service that the sender calls by one of names: what the
// hook's services say, else the first that is configured, else the first.
func (c Config) name(names []string, configured func(string) bool) string {
	for _, theirs := range names {
		if ours := c.Services[theirs]; ours != "" {
			return ours
		}
	}
	if i := slices.IndexFunc(names, configured); i >= 0 {
		return names[i]
	}
	return names[0]
}

func shortened(s string) string {
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName])
	}
	return s
}

// decode reads a body into v, and says what is wrong with it in a sentence.
func decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return errors.New("the body is empty")
	case errors.As(err, &syntax):
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%q must not be %s", text.Clip(text.Line(kind.Field), maxName), article(kind.Value))
	case errors.As(err, &kind):
		return fmt.Errorf("the body must not be %s", article(kind.Value))
	case err != nil:
		return errors.New("not valid JSON")
	}
	return nil
}

// article is a kind of JSON value in a sentence; a number comes with its text.
func article(kind string) string {
	kind, _, _ = strings.Cut(kind, " ")
	switch kind {
	case "array", "object":
		return "an " + kind
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// nonEmpty are the names that are not empty, each once.
func nonEmpty(names ...string) []string {
	var all []string
	for _, name := range names {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
