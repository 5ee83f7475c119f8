// Package importer makes a configuration out of another monitor's: what it
// checks, how often, and what it expects. What has no equivalent is named, at
// the entry that it belongs to. Nothing in what it makes is repaired until a
// person says so.
//
// What it reads is foreign: a value never becomes configuration of another
// place, and an entry that would not be valid is kept as a comment.
package importer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/internal/event"
	"logstream/internal/text"
)

// Result is what became of another monitor's configuration.
type Result struct {
	from    string
	usual   usual
	general []string // of no one entry
	entries []*entry
}

// entry is one service, and what is to be said about it.
type entry struct {
	name  string
	usual usual
	keys  yaml.Node // a mapping, in the order in which it is written
	notes []string  // what has no equivalent, or differs
	off   string    // why it is written as a comment only; empty: it is in use
}

// Note is something that the other monitor has and the configuration has not.
type Note struct {
	Of   string // the service; empty: the whole
	What string
}

// Notes are all that has no equivalent, in the order of the file.
func (r *Result) Notes() []Note {
	var all []Note
	for _, what := range r.general {
		all = append(all, Note{What: what})
	}
	for _, e := range r.entries {
		if e.off != "" {
			all = append(all, Note{text.Short(e.name), "not imported: " + e.off})
		}
		for _, what := range e.notes {
			all = append(all, Note{text.Short(e.name), what})
		}
	}
	return all
}

// Services is how many are in use.
func (r *Result) Services() int {
	n := 0
	for _, e := range r.entries {
		if e.off == "" {
			n++
		}
	}
	return n
}

// Disable makes a comment of the service at that place among those in use.
func (r *Result) Disable(place int, why string) {
	for _, e := range r.entries {
		if e.off != "" {
			continue
		}
		if place == 0 {
			e.off = text.Short(why)
			return
		}
		place--
	}
}

// Config is the configuration as a file.
func (r *Result) Config() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Imported from %s. Nothing is repaired yet: give each service its container, see\n"+
		"# on the dashboard what LogStream would do, then set healer.mode to auto. Passwords\n"+
		"# are copied as they were; ${NAME} takes one from the environment instead.\n", text.Short(r.from))
	for _, what := range r.general {
		comment(&out, "", what)
	}
	fmt.Fprintf(&out, "\nhealer:\n  mode: observe\n\ndefaults: {interval: %s, timeout: %s, failure_threshold: %d, success_threshold: %d}\n\nservices:",
		r.usual.interval, r.usual.timeout, r.usual.failures, r.usual.successes)
	if r.Services() == 0 {
		out.WriteString(" []")
	}
	out.WriteByte('\n')
	for _, e := range r.entries {
		if err := e.write(&out); err != nil {
			return nil, fmt.Errorf("write service %q: %w", e.name, err)
		}
	}
	return out.Bytes(), nil
}

// usual are the values that services have without saying so.
type usual struct {
	interval, timeout   time.Duration
	failures, successes int
}

func (e *entry) write(out *bytes.Buffer) error {
	var body bytes.Buffer
	encoder := yaml.NewEncoder(&body)
	encoder.SetIndent(2)
	if err := encoder.Encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{&e.keys}}); err != nil {
		return err
	}
	if e.off != "" {
		comment(out, "  ", "not imported: "+e.off)
	}
	for _, what := range e.notes {
		comment(out, "  ", what)
	}
	before := "  "
	if e.off != "" {
		before = "  # "
	}
	for line := range strings.Lines(body.String()) {
		out.WriteString(before + line)
	}
	return nil
}

// comment writes what others may have written, as one line.
func comment(out *bytes.Buffer, before, what string) {
	fmt.Fprintf(out, "%s# %s\n", before, text.Line(what))
}

// add begins an entry. Names are made unique, since ours must be.
func (r *Result) add(name, group string) *entry {
	taken := func(name string) bool {
		return slices.ContainsFunc(r.entries, func(e *entry) bool { return e.name == name })
	}
	e := &entry{name: name, usual: r.usual, keys: yaml.Node{Kind: yaml.MappingNode}}
	if taken(e.name) && group != "" {
		e.name = group + " " + name
	}
	for n := 2; taken(e.name); n++ {
		e.name = fmt.Sprintf("%s %d", name, n)
	}
	if e.name != name {
		e.note("the name %q is taken, so it is called %q", name, e.name)
	}
	if err := event.CheckServiceName(e.name); err != nil {
		e.off = "its name " + err.Error()
	}
	e.set("name", literal(e.name))
	if group != "" {
		e.set("group", literal(group))
	}
	r.entries = append(r.entries, e)
	return e
}

// lost says what has no equivalent.
func (e *entry) lost(format string, args ...any) { e.note("no equivalent: "+format, args...) }

// note says what differs.
func (e *entry) note(format string, args ...any) {
	e.notes = append(e.notes, text.Short(fmt.Sprintf(format, args...)))
}

// set gives the entry a key: a text, a number, a bool, a duration, or a mapping.
func (e *entry) set(key string, value any) { add(&e.keys, key, value) }

func add(to *yaml.Node, key string, value any) {
	var node yaml.Node
	if d, is := value.(time.Duration); is {
		value = d.String()
	}
	if err := node.Encode(value); err != nil {
		panic(fmt.Sprintf("importer: a %T cannot be written: %v", value, err)) // a bug: only plain values are given
	}
	escape(&node)
	to.Content = append(to.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &node)
}

// escape has the line breaks that only YAML knows written as escapes: as they
// stand, each would end the comment that an entry may become.
func escape(node *yaml.Node) {
	if strings.ContainsAny(node.Value, "\r\u0085\u2028\u2029") {
		node.Style = yaml.DoubleQuotedStyle
	}
	for _, child := range node.Content {
		escape(child)
	}
}

// section is a mapping that keeps the order of its keys.
type section struct{ node yaml.Node }

func (s *section) set(key string, value any) { add(&s.node, key, value) }

// put gives the entry a section, unless there is nothing in it.
func (e *entry) put(key string, s *section) {
	if len(s.node.Content) == 0 {
		return
	}
	s.node.Kind, s.node.Style = yaml.MappingNode, yaml.FlowStyle
	e.keys.Content = append(e.keys.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &s.node)
}

// times sets what differs from the usual.
func (e *entry) times(interval, timeout time.Duration, failures, successes int) {
	if interval > 0 && interval != e.usual.interval {
		e.set("interval", interval)
	}
	if interval > 0 {
		timeout = min(timeout, interval)
	}
	if timeout > 0 && timeout != e.usual.timeout {
		e.set("timeout", timeout)
	}
	if failures > 0 && failures != e.usual.failures {
		e.set("failure_threshold", min(failures, 100))
	}
	if successes > 0 && successes != e.usual.successes {
		e.set("success_threshold", min(successes, 100))
	}
}

// literal is a text in which no variable of the environment is meant.
func literal(s string) string { return strings.ReplaceAll(s, "$", "$$") }
