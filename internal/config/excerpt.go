package config

import (
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	masked     = "•••" // in the place of a value, and of a key that is not ours
	maxExcerpt = 160   // characters
)

// excerpts gives each finding its line of the file, with a caret at its place. The
// line is not copied but made anew: of what stands in the file it has only keys that
// config.yaml can have, and what the finding itself shows. So no secret can be in it,
// wherever one stands: beside, in a comment, as a key, or on from the line before.
func excerpts(root *yaml.Node, findings []Finding) {
	w := &excerptWriter{lines: map[int][]*excerpt{}}
	for i := range findings {
		w.lines[findings[i].Line] = append(w.lines[findings[i].Line], &excerpt{of: &findings[i]})
	}
	w.node(root)
	for _, of := range w.lines {
		for _, e := range of {
			if e.caret > 0 {
				e.of.Excerpt, e.of.Caret = strings.TrimRight(e.text.String(), " "), e.caret
			}
		}
	}
}

// excerpt is the line of one finding while it is written.
type excerpt struct {
	of     *Finding
	text   strings.Builder
	length int // in characters
	caret  int // from 1; 0: its place was not reached
}

// excerptWriter has the excerpts by their lines.
type excerptWriter struct {
	lines map[int][]*excerpt
}

// part is what is written of one place of the file. A finding of this place has own
// instead of text, where that is given.
type part struct {
	line, column int // column 0: it follows another part of its line
	text         string
	own          func(Finding) string
}

func (w *excerptWriter) put(p part) {
	for _, e := range w.lines[p.line] {
		text, here := p.text, p.column == e.of.Column && e.caret == 0
		if here && p.own != nil {
			text = p.own(*e.of)
		}
		if e.length > maxExcerpt {
			if !here {
				continue
			}
			e.text.Reset()
			e.write("… ")
		}
		if e.length == 0 {
			e.write(strings.Repeat(" ", max(min(p.column-1, maxExcerpt), 0)))
		}
		if here {
			e.caret = e.length + 1
		}
		e.write(text)
	}
}

func (e *excerpt) write(text string) {
	e.text.WriteString(text)
	e.length = utf8.RuneCountInString(e.text.String())
}

// node writes all parts of a node, each to the line where it stands. An alias stays
// one: what it stands for has a line of its own.
func (w *excerptWriter) node(n *yaml.Node) {
	switch flow := n.Style&yaml.FlowStyle != 0; n.Kind {
	case yaml.MappingNode:
		w.opens(n, flow, "{")
		for i := 0; i+1 < len(n.Content); i += 2 {
			w.separates(n.Content, i, 2, flow)
			w.key(n.Content[i])
			w.node(n.Content[i+1])
		}
		w.closes(n, flow, "}")
	case yaml.SequenceNode:
		w.opens(n, flow, "[")
		for i, item := range n.Content {
			w.separates(n.Content, i, 1, flow)
			if !flow {
				w.put(part{line: item.Line, column: n.Column, text: "- "})
			}
			w.node(item)
		}
		w.closes(n, flow, "]")
	default:
		w.single(n)
	}
}

// single writes a mask for a value, or what a finding shows of it.
func (w *excerptWriter) single(n *yaml.Node) {
	text := masked
	switch {
	case n.Kind == yaml.ScalarNode && isNull(n):
		text = ""
	case n.Kind == yaml.ScalarNode && n.Value == "":
		text = `""`
	}
	w.put(part{n.Line, n.Column, text, func(f Finding) string {
		if f.Value == "" || strings.Contains(f.Value, "***") {
			return text
		}
		return legible(f.Value)
	}})
}

// key writes a key that config.yaml can have, or that the finding names; any other is
// masked, for it may be a value in the wrong place.
func (w *excerptWriter) key(n *yaml.Node) {
	text := masked
	if n.Kind == yaml.ScalarNode && vocabulary()[n.Value] {
		text = n.Value
	}
	w.put(part{n.Line, n.Column, text, func(f Finding) string {
		if name := legible(n.Value); name != "" && (f.Key == name || strings.HasSuffix(f.Key, "."+name)) {
			return name
		}
		return text
	}})
	w.put(part{line: n.Line, text: ": "})
}

func (w *excerptWriter) opens(n *yaml.Node, flow bool, bracket string) {
	if flow {
		w.put(part{line: n.Line, column: n.Column, text: bracket})
	}
}

// separates writes the comma before a part, where the one before it is on the same line.
func (w *excerptWriter) separates(parts []*yaml.Node, i, each int, flow bool) {
	if flow && i > 0 && parts[i-each].Line == parts[i].Line {
		w.put(part{line: parts[i].Line, text: ", "})
	}
}

// closes ends what is on one line; where else the end is, the parser does not say.
func (w *excerptWriter) closes(n *yaml.Node, flow bool, bracket string) {
	if flow && (len(n.Content) == 0 || n.Content[len(n.Content)-1].Line == n.Line) {
		w.put(part{line: n.Line, text: bracket})
	}
}

// vocabulary are the keys that config.yaml can have, anywhere.
var vocabulary = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{"<<": true}
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
		case reflect.Struct:
			if seen[t] {
				return
			}
			seen[t] = true
			for _, f := range fieldsOf(t, "") {
				words[f.name] = true
				visit(t.Field(f.index).Type)
			}
		}
	}
	visit(reflect.TypeFor[file]())
	return words
})
