// Package text makes text that others wrote fit to be kept and shown: bounded,
// and of one printable line.
package text

import (
	"regexp"
	"strings"
	"unicode"

	"logstream/internal/event"
)

// Clip is s, or where it is longer than most bytes its beginning, in whole
// characters, and how much there was.
func Clip(s string, most int) string { return event.Clip(s, most) }

// maxShort is how many bytes of foreign text a sentence takes.
const maxShort = 200

// Short is s as part of a sentence: one line, and bounded.
func Short(s string) string { return Clip(Line(s), maxShort) }

// escapes are what a program writes to colour or control a terminal, by
// ECMA-48: control sequences (CSI, to their final byte or the end of the text),
// control strings with their content (OSC, DCS, SOS, PM and APC, where they
// end), and the short ones.
var escapes = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*(?:[@-~]|$)` +
	`|(?:\x1b[\]PX^_]|[\x{9d}\x{90}\x{98}\x{9e}\x{9f}])[^\x07\x1b\x{9c}\r\n]*(?:\x07|\x1b\\|\x{9c})` +
	`|\x1b[ -/]*[0-~]`)

// Line is s as one line of printable, valid UTF-8: whole escape sequences and
// all other control and invisible characters are taken out, and each line
// break, tab or run of them is one space. Spaces stay as they are, but not at
// the end.
//
// Secrets are masked after it (redact.Text(text.Line(s))): a colour between a
// key and its value hides both from the mask.
func Line(s string) string {
	s = escapes.ReplaceAllString(s, "")
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s { // what is not UTF-8 comes as U+FFFD
		switch {
		case unicode.IsPrint(r):
			if gap && r != ' ' {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		case unicode.IsSpace(r):
			gap = b.Len() > 0
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Block is s as lines of printable, valid UTF-8, as Line makes one; here line breaks
// and all spaces stay, so that the pieces of a text make the same as the whole.
func Block(s string) string {
	return strings.Map(func(r rune) rune { // what is not UTF-8 comes as U+FFFD
		switch {
		case r == '\n' || unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r) && r != '\r':
			return ' '
		}
		return -1
	}, escapes.ReplaceAllString(s, ""))
}
