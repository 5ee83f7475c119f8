package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/internal/text"
)

const (
	maxNodes  = 50_000 // visited, each alias counting as what it stands for
	maxErrors = 100    // reported
	maxDepth  = 20     // of sections and lists within each other
)

// place is where a key's value stands.
type place struct {
	line, column int
	text         string // of a single value, after substitution
}

// decoder fills Go values from YAML nodes. It goes on after an error, so that
// all of them are reported at once. Keys are those of the yaml tags.
type decoder struct {
	file     string
	lookup   func(string) (string, bool) // the environment
	literal  bool                        // values are as they stand: nothing is taken from the environment
	defaults *service.Definition         // what each service begins with
	report   Report
	wrong    map[string]bool // keys that have an error
	meant    map[string]bool // keys that were likely meant by one that does not exist
	places   map[string]place
	files    []string // that hold secrets
	nodes    int
}

func (d *decoder) fail(node *yaml.Node, key, value, suggestion, format string, args ...any) {
	d.failAt(place{line: node.Line, column: node.Column}, key, value, suggestion, fmt.Sprintf(format, args...))
}

func (d *decoder) failAt(at place, key, value, suggestion, message string) {
	d.wrong[key] = true
	if len(d.report.Errors) >= maxErrors {
		return
	}
	value = shown(key, value)
	d.report.Errors = append(d.report.Errors, Finding{File: d.file, Line: at.line, Column: at.column, Key: key, Value: value,
		Message: strings.TrimPrefix(message, strconv.Quote(value)+" "), Suggestion: suggestion})
}

// value decodes node into the value called key; null leaves what is there.
func (d *decoder) value(node *yaml.Node, into reflect.Value, key string) {
	node, ok := d.visit(node, key)
	if !ok || isNull(node) {
		return
	}
	d.places[key] = place{line: node.Line, column: node.Column}
	if custom, is := into.Addr().Interface().(yaml.Unmarshaler); is {
		d.custom(node, custom, key)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		d.section(node, into, key)
	case reflect.Slice:
		d.list(node, into, key)
	case reflect.Map:
		d.mapping(node, into, key)
	default:
		d.single(node, into, key)
	}
}

// visit counts a node, and follows an alias; false where there are too many.
func (d *decoder) visit(node *yaml.Node, key string) (*yaml.Node, bool) {
	for depth := 0; node.Kind == yaml.AliasNode && depth < maxDepth; depth++ {
		node = node.Alias
	}
	d.nodes++
	if d.nodes == maxNodes {
		d.fail(node, key, "", "", "is value number %d: a configuration may have fewer, and each alias counts", maxNodes)
	}
	return node, d.nodes < maxNodes
}

// custom lets a type read itself, after substitution.
func (d *decoder) custom(node *yaml.Node, into yaml.Unmarshaler, key string) {
	whole := d.places[key]
	node, ok := d.substituted(node, key, 0)
	if !ok {
		return
	}
	if node.Kind != yaml.ScalarNode {
		d.places[key] = whole // and not that of its last item
	}
	if err := into.UnmarshalYAML(node); err != nil {
		d.fail(node, key, node.Value, "", "%v", err)
	}
}

// substituted is a copy of node without aliases and with the environment's values.
func (d *decoder) substituted(node *yaml.Node, key string, depth int) (*yaml.Node, bool) {
	node, ok := d.visit(node, key)
	if !ok {
		return nil, false
	}
	if depth > maxDepth {
		d.fail(node, key, "", "", "is nested deeper than %d", maxDepth)
		return nil, false
	}
	copied := *node
	if node.Kind == yaml.ScalarNode {
		copied.Value, ok = d.text(node, key)
		return &copied, ok
	}
	copied.Content = make([]*yaml.Node, len(node.Content))
	for i, child := range node.Content {
		if copied.Content[i], ok = d.substituted(child, key, depth+1); !ok {
			return nil, false
		}
	}
	return &copied, true
}

// text is a single value after substitution.
func (d *decoder) text(node *yaml.Node, key string) (string, bool) {
	text, err := d.expand(node.Value)
	if err != nil {
		d.fail(node, key, node.Value, "", "%v", err)
		return "", false
	}
	d.places[key] = place{node.Line, node.Column, text}
	return text, true
}

func (d *decoder) expand(value string) (string, error) {
	switch {
	case !d.literal:
		return expand(value, d.lookup)
	case strings.Contains(value, "${"):
		return "", errors.New("has a ${…}, which is not replaced here: write the value itself")
	case len(value) > maxText:
		return "", fmt.Errorf("is longer than %d bytes", maxText)
	}
	return value, nil
}

// section decodes a mapping into a struct.
func (d *decoder) section(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.MappingNode {
		d.fail(node, key, instead(node.Value), "", "must be %s, not %s", aSection, kindName(node))
		return
	}
	pairs := d.pairs(node, key, 0)
	fields := fieldsOf(into.Type(), key)
	for _, p := range pairs {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == p.name }) {
			d.unknown(p, into.Type(), key)
		}
	}
	for _, f := range fields { // in the struct's order: defaults come before services
		if i := slices.IndexFunc(pairs, func(p pair) bool { return p.name == f.name }); i >= 0 {
			d.value(pairs[i].value, into.Field(f.index), within(key, f.name))
		}
	}
	d.takeFiles(into, fields, key)
}

// pair is one key of a mapping with its value.
type pair struct {
	name       string
	key, value *yaml.Node
}

// pairs are the keys of a mapping: its own, and then those that it merges (<<)
// and doesn't have.
func (d *decoder) pairs(node *yaml.Node, key string, depth int) []pair {
	var own, merged []pair
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, ok := d.visit(node.Content[i], key)
		if !ok {
			return own
		}
		p := pair{name.Value, name, node.Content[i+1]}
		if name.Kind == yaml.ScalarNode && name.Tag == "!!merge" {
			merged = append(merged, d.merge(p.value, key, depth+1)...)
			continue
		}
		if before := first[p.name]; before != nil {
			message := "is given twice"
			if before.Line > 0 { // a line of a file
				message += fmt.Sprintf(", first in line %d", before.Line)
			}
			d.fail(name, within(key, legible(p.name)), "", "", "%s", message)
			continue
		}
		first[p.name] = name
		own = append(own, p)
	}
	for _, p := range merged {
		if first[p.name] == nil {
			first[p.name] = p.key
			own = append(own, p)
		}
	}
	return own
}

// merge are the keys of what << names: a section, or a list of them.
func (d *decoder) merge(node *yaml.Node, key string, depth int) []pair {
	node, ok := d.visit(node, key)
	switch {
	case !ok:
		return nil
	case depth > maxDepth:
		d.fail(node, key, "", "", "merges deeper than %d", maxDepth)
		return nil
	case node.Kind == yaml.MappingNode:
		return d.pairs(node, key, depth)
	case node.Kind == yaml.SequenceNode:
		var all []pair
		for _, child := range node.Content {
			all = append(all, d.merge(child, key, depth+1)...)
		}
		return all
	}
	d.fail(node, within(key, "<<"), instead(node.Value), "", "must name %s, or a list of them", aSection)
	return nil
}

// unknown reports a key that does not exist, with the one that was likely meant.
func (d *decoder) unknown(p pair, into reflect.Type, key string) {
	if len(d.report.Errors) >= maxErrors {
		return // it would not be reported
	}
	full := within(key, legible(beforeColon(p.name)))
	if key == "defaults" && slices.Contains(notDefaults, p.name) {
		d.fail(p.key, full, "", "", "can be set only for a service, not as a default")
		return
	}
	var names []string
	for _, f := range fieldsOf(into, key) {
		names = append(names, f.name)
	}
	below := inner(into, p.name, "")
	if strings.Contains(p.name, ":") {
		d.fail(p.key, full, "", "", "unknown key: a space is missing after the colon")
		return
	}
	switch near, anywhere := nearest.Of(p.name, names), inner(reflect.TypeFor[file](), p.name, ""); {
	case below != "":
		d.fail(p.key, full, "", within(key, below), "unknown key")
	case near != "":
		d.meant[within(key, near)] = true
		d.fail(p.key, full, "", near, "unknown key")
	case anywhere != "":
		d.fail(p.key, full, "", anywhere, "unknown key")
	default:
		d.fail(p.key, full, "", "", "unknown key; the keys here are %s", strings.Join(names, ", "))
	}
}

// list decodes a sequence.
func (d *decoder) list(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.SequenceNode {
		d.fail(node, key, instead(node.Value), "", "must be a list, not %s", kindName(node))
		return
	}
	items := reflect.MakeSlice(into.Type(), 0, len(node.Content))
	for i, child := range node.Content {
		item := reflect.New(into.Type().Elem()).Elem()
		if item.Type() == reflect.TypeFor[service.Definition]() {
			item.Set(reflect.ValueOf(*d.defaults))
		}
		d.value(child, item, fmt.Sprintf("%s[%d]", key, i))
		items = reflect.Append(items, item)
	}
	into.Set(items)
}

// field is a field of a struct with its key.
type field struct {
	name  string
	index int
}

// notDefaults are what each service has of its own.
var notDefaults = []string{"name", "url", "container", "depends_on"}

// fieldsOf are the keys that a section may have.
func fieldsOf(t reflect.Type, key string) []field {
	var all []field
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" || name == "discovered" || key == "defaults" && slices.Contains(notDefaults, name) {
			continue
		}
		all = append(all, field{name, i})
	}
	return all
}

// inner is the shallowest key below t that is called name, with dots; or "".
func inner(t reflect.Type, name, key string) string {
	found := ""
	for _, f := range fieldsOf(t, key) {
		full := within(key, f.name)
		if f.name == name && key != "" {
			return full
		}
		if sub := t.Field(f.index).Type; sub.Kind() == reflect.Struct {
			if deeper := inner(sub, name, full); deeper != "" && (found == "" || strings.Count(deeper, ".") < strings.Count(found, ".")) {
				found = deeper
			}
		}
	}
	return found
}

// legible is a key as an error may show it: short, and of one line.
func legible(key string) string { return strings.Trim(strconv.Quote(text.Clip(key, maxShown)), `"`) }

func within(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
