package docs

import "testing"

func TestTheFirstDifferenceIsNamed(t *testing.T) {
	for _, tt := range []struct {
		has, wants string
		line       int
		a, b       string
	}{
		{"a\nb\n", "a\nb\n", 0, "", ""},
		{"a\nb\n", "a\nc\n", 2, "b", "c"},
		{"", "a\n", 1, "", "a"},
		{"a", "a\nb", 2, "", "b"},
		{"a\nb", "a", 2, "b", ""},
	} {
		if line, a, b := difference(tt.has, tt.wants); line != tt.line || a != tt.a || b != tt.b {
			t.Errorf("%q and %q: line %d, %q, %q", tt.has, tt.wants, line, a, b)
		}
	}
}
