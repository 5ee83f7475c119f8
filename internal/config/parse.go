package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"logstream/internal/text"

	"gopkg.in/yaml.v3"
)

// document is the one mapping that content holds.
func document(file string, content []byte) (*yaml.Node, *Finding) {
	reader := yaml.NewDecoder(bytes.NewReader(content))
	var first, second yaml.Node
	err := reader.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isNull(first.Content[0]) {
		return nil, &Finding{File: file, Line: 1, Column: 1, Message: "is empty: it needs at least services, a list of name and url"}
	}
	if err != nil {
		return nil, syntaxError(file, content, err)
	}
	if err := reader.Decode(&second); err == nil {
		return nil, &Finding{File: file, Line: second.Line, Column: second.Column, Message: "begins a second YAML document; a configuration has only one"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(file, content, err)
	}
	root := first.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, &Finding{File: file, Line: root.Line, Column: root.Column, Value: text.Clip(root.Value, maxShown),
			Message: "must be " + aSection + ", such as services, not " + kindName(root)}
	}
	return root, nil
}

var syntaxLine = regexp.MustCompile(`^line (\d+): `)

// repeated is what the parser repeats of the file: a token without quotes that
// begins with * is the name of an anchor to it.
var repeated = regexp.MustCompile(`'[^']*'`)

// syntaxError is the YAML parser's error in our form.
func syntaxError(file string, content []byte, err error) *Finding {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	f := &Finding{File: file, Line: 1, Column: 1}
	if at := syntaxLine.FindStringSubmatch(message); at != nil {
		f.Line, _ = strconv.Atoi(at[1])
		message = strings.TrimPrefix(message, at[0])
	}
	if line := tabbed(content, f.Line); line > 0 {
		f.Line, message = line, "it is indented with a tab; use spaces"
	}
	f.Message = "is not valid YAML: " + repeated.ReplaceAllLiteralString(message, "'***'")
	return f
}

// tabbed is the line that begins with a tab, near to where the parser stopped; or 0.
func tabbed(content []byte, stopped int) int {
	lines := bytes.Split(content, []byte("\n"))
	for n := max(stopped-1, 1); n <= min(stopped+1, len(lines)); n++ {
		if indent, _, _ := bytes.Cut(bytes.TrimLeft(lines[n-1], " "), []byte("\t")); len(indent) == 0 && bytes.Contains(lines[n-1], []byte("\t")) {
			return n
		}
	}
	return 0
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

const aSection = "a section of keys"

// kindName is what a person calls a node.
func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return aSection
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
