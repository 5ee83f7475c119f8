package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// single decodes a scalar.
func (d *decoder) single(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.ScalarNode {
		d.fail(node, key, "", "", "must be a single value, not %s", kindName(node))
		return
	}
	text, ok := d.text(node, key)
	if !ok {
		return
	}
	wrong, meant := "", ""
	switch {
	case into.Type() == reflect.TypeFor[time.Duration]():
		duration, err := time.ParseDuration(text)
		if err != nil {
			wrong = "is not a duration such as 500ms, 2s or 1m30s"
			if _, err := time.ParseDuration(text + "s"); err == nil {
				meant = text + "s"
			}
		}
		into.SetInt(int64(duration))
	case into.Kind() == reflect.Int:
		number, err := strconv.Atoi(text)
		if err != nil {
			wrong = "is not a whole number"
		}
		into.SetInt(int64(number))
	case into.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			wrong, meant = "is neither true nor false", truths[strings.ToLower(text)]
		}
		into.SetBool(text == "true")
	case into.Kind() == reflect.String:
		into.SetString(text)
	default:
		panic("config: no way to read a " + into.Type().String()) // a field that was added without one: a bug
	}
	if wrong != "" {
		d.fail(node, key, text, meant, "%s", wrong)
	}
}

// truths are what others write for true and false.
var truths = map[string]string{"true": "true", "yes": "true", "on": "true", "1": "true", "false": "false", "no": "false", "off": "false", "0": "false"}

// mapping decodes a mapping whose keys are anything, and its values text.
func (d *decoder) mapping(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.MappingNode {
		d.fail(node, key, instead(node.Value), "", "must be %s, not %s", aSection, kindName(node))
		return
	}
	values := map[string]string{}
	for _, p := range d.pairs(node, key, 0) {
		full := within(key, legible(p.name))
		value, ok := d.visit(p.value, full)
		if !ok {
			return
		}
		if value.Kind != yaml.ScalarNode {
			d.fail(value, full, "", "", "must be a single value, not %s", kindName(value))
			continue
		}
		if text, ok := d.text(value, full); ok {
			d.places[full] = place{value.Line, value.Column, text}
			values[p.name] = text
		}
	}
	into.Set(reflect.ValueOf(values))
}
