package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"gopkg.in/yaml.v3"
)

// Lines are what describes in config.yaml the service that Definition reads from
// the same content: an entry of services, two spaces deep, with the keys that are
// given and in their order. It is read back as the same values, whatever they
// contain: text that YAML would take for something else is quoted, and a dollar
// that would be a variable is doubled. An error names the key that is wrong.
func Lines(content []byte) (string, error) {
	if _, err := Definition(content); err != nil {
		return "", err
	}
	entry, err := entryOf(content)
	if err != nil {
		return "", err
	}
	if mapped(entry, "name") == nil {
		return "", errors.New("service.name: is missing")
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{entry}}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "services"}, list}}
	text, err := encoded(root)
	if err != nil {
		return "", err
	}
	_, lines, _ := strings.Cut(text, "\n") // services: is in the file already
	return lines, nil
}

// Written is a definition of the event log, whose secrets are masked, as YAML: an entry
// of services in config.yaml, without keys that have no value. It is for people, not for
// the file: what is masked in it is lost.
func Written(content []byte) (string, error) {
	entry, err := entryOf(content)
	if err != nil {
		return "", err
	}
	dropEmpty(entry)
	return encoded(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{entry}})
}

// dropEmpty removes keys without a value, and what is no key of config.yaml.
func dropEmpty(node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		dropEmpty(value)
		empty := value.Kind == yaml.ScalarNode && (value.Value == "" || value.Tag == "!!null") || value.Kind != yaml.ScalarNode && len(value.Content) == 0
		if !empty && key.Value != "discovered" {
			kept = append(kept, key, value)
		}
	}
	node.Content = kept
}

// entryOf is a JSON object as YAML that has the same values when it is read.
func entryOf(content []byte) (*yaml.Node, error) {
	reader := json.NewDecoder(bytes.NewReader(content))
	reader.UseNumber()
	entry, err := nodeOf(reader, 0)
	if err == nil {
		literally(entry)
	}
	return entry, err
}

func encoded(node *yaml.Node) (string, error) {
	var out bytes.Buffer
	writer := yaml.NewEncoder(&out)
	writer.SetIndent(2)
	err := writer.Encode(node)
	return out.String(), err
}

// mapped is the value of a key of a mapping; nil: there is none.
func mapped(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// literally makes text what it is after variables were replaced, and lists of
// plain values one line.
func literally(node *yaml.Node) {
	switch {
	case node.Tag == "!!float":
		node.Tag = "" // as it is written: an integer is none
	case node.Tag == "!!str" && strings.Contains(node.Value, "\n"):
		node.Style = yaml.DoubleQuotedStyle // the encoder loses a first empty line of a block
	case node.Kind == yaml.SequenceNode:
		node.Style = yaml.FlowStyle
	}
	if strings.Contains(node.Value, "$$") || strings.Contains(node.Value, "${") { // the second one only in what is configured already
		node.Value = strings.ReplaceAll(node.Value, "$", "$$")
	}
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			continue // keys are not expanded
		}
		literally(child)
	}
}
