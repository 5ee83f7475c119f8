package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Error is one mistake in a configuration file.
type Error struct {
	File       string `json:"file"`
	Line       int    `json:"line"` // from 1; 0: the file as a whole
	Column     int    `json:"column"`
	Key        string `json:"key"`   // with dots, such as services[0].heal.mode
	Value      string `json:"value"` // the wrong value, shortened; secrets are ***
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"` // the nearest valid key, or empty
}

// Error is such as: config.yaml:14:5: services[0].intervall: unknown key; did you mean interval?
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	if e.Value != "" {
		b.WriteString(strconv.Quote(e.Value) + " ")
	}
	b.WriteString(e.Message)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %s?", e.Suggestion)
	}
	return b.String()
}

// inOrder sorts errors by their place in the file.
func inOrder(errs []Error) {
	slices.SortStableFunc(errs, func(a, b Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

const maxShown = 100 // bytes of a wrong value, or of an unknown key
