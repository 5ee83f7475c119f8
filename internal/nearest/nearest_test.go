package nearest

import (
	"strings"
	"testing"
)

func TestNearestWord(t *testing.T) {
	known := []string{"interval", "timeout", "expect", "heal", "url"}
	for in, want := range map[string]string{"intervall": "interval", "intrval": "interval", "time_out": "timeout",
		"exepct": "expect", "hael": "heal", "uri": "url", "x": "", "kubernetes": "", strings.Repeat("interval", 99): ""} {
		if got := Of(in, known); got != want {
			t.Errorf("Of(%q) = %q, want %q", in, got, want)
		}
	}
}
