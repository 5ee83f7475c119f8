package discover

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/internal/size"
	"logstream/internal/text"
	"logstream/monitor/check"
)

// Bounds of what a label may say.
const (
	maxURL  = 2048 // bytes
	maxText = 1024
	maxLine = 200
	maxList = 32 // entries

	maxMessage = 400 // bytes of what is wrong with one
)

// Labels that are read at more than one place.
const (
	labelEnable    = container.LabelPrefix + "enable"
	labelName      = container.LabelPrefix + "name"
	labelURL       = container.LabelPrefix + "url"
	labelDependsOn = container.LabelPrefix + "depends_on"
)

// label is one label and the key of a service that it sets.
type label struct {
	name string // without container.LabelPrefix
	key  string // as service.Problem has it
	set  func(into *service.Definition, value string) error
}

// labels are all that are known. What reads files, executes commands, sends
// secrets or injects faults has none: the author of an image may have written its labels.
var labels = []label{
	{"enable", "", nil},
	{"name", "name", nil}, // see names.go
	{"url", "url", func(d *service.Definition, v string) error { return setURL(&d.URL, v) }},
	{"group", "group", func(d *service.Definition, v string) error { return setLine(&d.Group, v) }},
	{"note", "note", func(d *service.Definition, v string) error { return setLine(&d.Note, v) }},
	{"depends_on", "depends_on", nil}, // see depends.go
	{"heal", "heal.mode", func(d *service.Definition, v string) error { return setMode(&d.Heal.Mode, v) }},
	{"heal.never", "heal.never", func(d *service.Definition, v string) error { return setList(&d.Heal.Never, v) }},
	{"heal.actions", "heal.actions", func(d *service.Definition, v string) error { return setList(&d.Heal.Actions, v) }},
	{"heal.max_memory", "heal.max_memory", func(d *service.Definition, v string) error { return setSize(&d.Heal.MaxMemory, v) }},
	{"heal.manual_stop", "heal.manual_stop", func(d *service.Definition, v string) error { d.Heal.ManualStop = service.ManualStop(v); return nil }},
	{"interval", "interval", func(d *service.Definition, v string) error { return setDuration(&d.Interval, v) }},
	{"timeout", "timeout", func(d *service.Definition, v string) error { return setDuration(&d.Timeout, v) }},
	{"failure_threshold", "failure_threshold", func(d *service.Definition, v string) error { return setNumber(&d.FailureThreshold, v) }},
	{"success_threshold", "success_threshold", func(d *service.Definition, v string) error { return setNumber(&d.SuccessThreshold, v) }},
	{"start_period", "start_period", func(d *service.Definition, v string) error { return setDuration(&d.StartPeriod, v) }},
	{"expect.status", "expect.status", func(d *service.Definition, v string) (err error) {
		d.Expect.Status, err = service.ParseStatusRange(v)
		return err
	}},
	{"expect.body", "expect.body", func(d *service.Definition, v string) error { return setText(&d.Expect.Body, v) }},
	{"expect.latency", "expect.latency", func(d *service.Definition, v string) error { return setDuration(&d.Expect.Latency, v) }},
	{"expect.certificate_days", "expect.certificate_days", func(d *service.Definition, v string) error { return setNumber(&d.Expect.CertificateDays, v) }},
}

// Labels are the names of all labels.
func Labels() []string {
	var all []string
	for _, l := range labels {
		all = append(all, container.LabelPrefix+l.name)
	}
	return all
}

// ofThisMachine says whether a url leads to this machine's own files, or to
// another container.
func ofThisMachine(rawURL string) bool {
	kind, _ := check.Of(rawURL)
	scheme, _, _ := strings.Cut(rawURL, ":")
	return kind.Local || strings.EqualFold(scheme, service.SchemeDocker)
}

func setURL(into *string, value string) error {
	scheme, _, _ := strings.Cut(value, ":")
	switch {
	case len(value) > maxURL:
		return fmt.Errorf("is longer than %d bytes", maxURL)
	case ofThisMachine(value):
		return fmt.Errorf("has the scheme %q, which only config.yaml may use", scheme)
	case text.Line(value) != value:
		return fmt.Errorf("has characters that cannot be printed")
	}
	*into = value
	return nil
}

// setMode takes no empty value, which in config.yaml is the healer's mode.
func setMode(into *service.Mode, value string) error {
	if value == "" {
		return fmt.Errorf("is empty; use %s, %s or %s", service.Observe, service.Approve, service.Auto)
	}
	*into = service.Mode(value)
	return nil
}

func setText(into *string, value string) error {
	if len(value) > maxText {
		return fmt.Errorf("is longer than %d bytes", maxText)
	}
	*into = value
	return nil
}

func setLine(into *string, value string) error {
	line := strings.TrimSpace(text.Line(value))
	if len(line) > maxLine {
		return fmt.Errorf("is longer than %d bytes", maxLine)
	}
	*into = line
	return nil
}

func setList(into *[]string, value string) error {
	*into = list(value)
	if len(*into) > maxList {
		return fmt.Errorf("has more than %d entries", maxList)
	}
	return nil
}

// list is a value such as "db, cache".
func list(value string) []string {
	var all []string
	for entry := range strings.SplitSeq(value, ",") {
		if entry = strings.TrimSpace(entry); entry != "" && !slices.Contains(all, entry) {
			all = append(all, entry)
		}
	}
	return all
}

func setSize(into *size.Size, value string) error {
	read, err := size.Parse(value)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), strconv.Quote(value)+" "))
	}
	*into = read
	return nil
}

func setDuration(into *time.Duration, value string) error {
	d, err := time.ParseDuration(value)
	if err != nil {
		return fmt.Errorf("is not a duration such as 500ms, 2s or 1m30s")
	}
	*into = d
	return nil
}

func setNumber(into *int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return fmt.Errorf("is not a whole number")
	}
	*into = n
	return nil
}

// enabled is what the label says of whether the container is monitored at all.
func enabled(c container.Listed) (is bool, err error) {
	switch value, given := c.Labels[labelEnable]; {
	case !given || value == "true":
		return true, nil
	case value == "false":
		return false, nil
	}
	return true, fmt.Errorf("is neither true nor false")
}

// read sets in d what the container's labels say, and returns what is wrong
// with them. d is not to be used then.
func read(d *service.Definition, c container.Listed) []Problem {
	var wrong []Problem
	values := map[string]string{} // by key, of what could be set
	for _, full := range slices.Sorted(maps.Keys(c.Labels)) {
		value := c.Labels[full]
		i := slices.IndexFunc(labels, func(l label) bool { return container.LabelPrefix+l.name == full })
		switch {
		case i < 0:
			wrong = append(wrong, Problem{Container: c.Name, Label: full, Message: "is unknown", Suggestion: nearest.Of(full, Labels())})
		case full == labelEnable:
			if _, err := enabled(c); err != nil {
				wrong = append(wrong, Problem{Container: c.Name, Label: full, Value: value, Message: err.Error()})
			}
		case full == labelName:
			if err := event.CheckServiceName(numbered(value, c)); err != nil {
				wrong = append(wrong, Problem{Container: c.Name, Label: full, Message: err.Error()})
			}
		case full == labelDependsOn:
			if len(list(value)) > maxList {
				wrong = append(wrong, Problem{Container: c.Name, Label: full, Message: fmt.Sprintf("has more than %d entries", maxList)})
			}
		default:
			if err := labels[i].set(d, value); err != nil {
				wrong = append(wrong, Problem{Container: c.Name, Label: full, Value: shown(labels[i].key, value), Message: err.Error()})
				continue
			}
			values[labels[i].key] = value
		}
	}
	if _, given := values["timeout"]; !given {
		*d = limited(*d)
	}
	if len(wrong) > 0 {
		return wrong // what else seems wrong may follow from it
	}
	for _, p := range slices.Concat(d.Problems(), check.Problems(*d)) {
		wrong = append(wrong, Problem{Container: c.Name, Label: labelOf(p.Key), Value: shown(p.Key, p.Value), Message: text.Clip(p.Message, maxMessage), Suggestion: p.Suggestion})
	}
	return wrong
}

// shown is a value as a sentence may have it.
func shown(key, value string) string {
	if key == "url" {
		value = service.MaskURL(value)
	}
	return text.Short(value)
}

// labelOf is the label that sets a key.
func labelOf(key string) string {
	for _, l := range labels {
		if l.key == key {
			return container.LabelPrefix + l.name
		}
	}
	return container.LabelPrefix + key
}
