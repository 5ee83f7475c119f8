package dashboard

import (
	"slices"
	"testing"

	"logstream/internal/container"
)

// A log line is shown without what could steer a terminal or reorder the text, and
// a colour between a key and its value does not hide both from the mask.
func TestLogLinesAreCleanBeforeTheyAreMasked(t *testing.T) {
	var got []string
	for _, line := range bounded([]container.Line{
		{Text: "\x1b[36mpassword\x1b[0m=\x1b[33mhunter2\x1b[0m is refused"}, {Text: "\tat pay.go:1\u202e\x00\x1b]0;owned\x07"}, {Text: "a\rb\xff"},
	}) {
		got = append(got, line.Text)
	}
	if want := []string{"password=*** is refused", "    at pay.go:1", "a b\uFFFD"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
