package size

import "testing"

func FuzzParse(f *testing.F) {
	for _, s := range []string{"256MiB", "0B", "1 GiB", "9223372036854775807B", "8388608TiB", "-1KiB", "1e3MiB", "ﬁMiB", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := Parse(s)
		if err != nil {
			return
		}
		if parsed < 0 {
			t.Fatalf("%q is %d", s, parsed)
		}
		if again, err := Parse(parsed.String()); err != nil || again != parsed {
			t.Fatalf("%q is %d, written %q, read %d, %v", s, parsed, parsed, again, err)
		}
	})
}
