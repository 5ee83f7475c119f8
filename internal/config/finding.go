package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Finding is an error or a warning about one place in a configuration file.
type Finding struct {
	File       string `json:"file"`
	Line       int    `json:"line"` // from 1; 0: the file as a whole
	Column     int    `json:"column"`
	Key        string `json:"key"`   // with dots, such as services[0].heal.mode
	Value      string `json:"value"` // the value, shortened; secrets are ***
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"` // the key or value that was likely meant, or empty
	Excerpt    string `json:"excerpt"`    // the line, with every other value masked; or empty
	Caret      int    `json:"caret"`      // the character of the excerpt where the place is, from 1; 0: there is none

	warning bool
}

// String is such as: config.yaml:14:5: services[0].intervall: unknown key; did you mean interval?
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": ")
	if f.warning {
		b.WriteString("warning: ")
	}
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	if f.Value != "" {
		b.WriteString(strconv.Quote(f.Value) + " ")
	}
	b.WriteString(f.Message)
	if f.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %s?", f.Suggestion)
	}
	return b.String()
}

// Report is all that is to be said about a configuration file, in the order of
// the places. Errors make it of no use, and are all there is then; with warnings
// it is used, and may not do what its author expects.
type Report struct {
	Errors   []Finding `json:"errors"`
	Warnings []Finding `json:"warnings"`
}

// failed is the report of a file that could not be taken apart.
func failed(f Finding) Report { return Report{Errors: []Finding{f}, Warnings: []Finding{}} }

// inOrder sorts findings by their place in the file.
func inOrder(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}

const maxShown = 100 // bytes of a wrong value, or of an unknown key
