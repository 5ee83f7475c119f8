package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"

	"logstream/internal/service"
)

// Definition reads one service that is not saved, as JSON with the keys of
// config.yaml, each of which is optional but the url. No value is taken from the
// environment. An error names the key that is wrong.
func Definition(content []byte) (service.Definition, error) {
	def := service.Default()
	def.Name = "probe"
	reader := json.NewDecoder(bytes.NewReader(content))
	reader.UseNumber()
	root, err := nodeOf(reader, 0)
	if err != nil {
		return def, err
	}
	d := &decoder{literal: true, defaults: &def, wrong: map[string]bool{}, meant: map[string]bool{}, places: map[string]place{}}
	d.value(root, reflect.ValueOf(&def).Elem(), "service")
	if _, is := d.given("service", "timeout"); !is {
		def.Timeout = min(def.Timeout, max(def.Interval, service.MinTimeout))
	}
	d.checkService("service", def)
	if len(d.report.Errors) == 0 {
		return def, nil
	}
	first := d.report.Errors[0]
	first.File, first.Line = "", 0
	return def, errors.New(first.String()[len(": "):])
}

// nodeOf is the next value of JSON, as the YAML parser would give it.
func nodeOf(reader *json.Decoder, depth int) (*yaml.Node, error) {
	token, err := reader.Token()
	if err != nil {
		return nil, errors.New("service is not valid JSON")
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("service is nested deeper than %d", maxDepth)
	}
	scalar := func(tag string) (*yaml.Node, error) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: fmt.Sprint(token)}, nil
	}
	switch token := token.(type) {
	case string:
		return scalar("!!str")
	case json.Number:
		return scalar("!!float")
	case bool:
		return scalar("!!bool")
	case json.Delim:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		if token == '{' {
			node.Kind = yaml.MappingNode
		}
		for reader.More() { // of an object, names and values in turn
			child, err := nodeOf(reader, depth+1)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		_, err := reader.Token() // the end
		return node, err
	}
	return scalar("!!null")
}
