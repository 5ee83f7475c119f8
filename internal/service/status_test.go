package service

import (
	"slices"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestParseStatusRange(t *testing.T) {
	tests := map[string]struct {
		want StatusRange
		text string
	}{
		"200":               {StatusRange{{200, 200}}, "200"},
		"200-399":           {StatusRange{{200, 399}}, "200-399"},
		"200-299,304":       {StatusRange{{200, 299}, {304, 304}}, "200-299,304"},
		" 200 - 299 , 304 ": {StatusRange{{200, 299}, {304, 304}}, "200-299,304"},
		"100-599":           {StatusRange{{100, 599}}, "100-599"},
		"404,200":           {StatusRange{{404, 404}, {200, 200}}, "404,200"},
		"200-200":           {StatusRange{{200, 200}}, "200"},
	}
	for text, test := range tests {
		got, err := ParseStatusRange(text)
		if err != nil || !slices.Equal(got, test.want) || got.String() != test.text {
			t.Errorf("%q is read as %v (%v), want %v", text, got, err, test.want)
		}
	}
	for _, text := range []string{"", ",", "200,", "-", "200-", "-200", "399-200", "99", "600", "200-600", "2xx", "200..299", "0x64", "200-299-304", "２００", "1e2", "99999999999999999999", "+200", "-0-200"} {
		if got, err := ParseStatusRange(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestStatusRangeContains(t *testing.T) {
	set := StatusRange{{200, 299}, {304, 304}}
	for code, want := range map[int]bool{200: true, 250: true, 299: true, 304: true, 199: false, 300: false, 303: false, 305: false, 0: false, -200: false, 500: false} {
		if set.Contains(code) != want {
			t.Errorf("%v contains %d: %v, want %v", set, code, !want, want)
		}
	}
	if (StatusRange)(nil).Contains(0) {
		t.Error("the empty set contains 0: no answer would be a good one")
	}
}

func TestStatusRangeYAML(t *testing.T) {
	for text, want := range map[string]string{"status: 200": "200", "status: 200-399": "200-399", `status: "200,204"`: "200,204"} {
		var expect Expect
		if err := yaml.Unmarshal([]byte(text), &expect); err != nil || expect.Status.String() != want {
			t.Errorf("%s is read as %v (%v), want %s", text, expect.Status, err, want)
		}
	}
	for _, text := range []string{"status: [200, 204]", "status: {a: 1}", "status: good", "status: 2000"} {
		var expect Expect
		if err := yaml.Unmarshal([]byte(text), &expect); err == nil {
			t.Errorf("%s is read as %v", text, expect.Status)
		}
	}
}

func FuzzStatusRange(f *testing.F) {
	f.Add("200-399")
	f.Add(" 200 - 299 , 304 ")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseStatusRange(text)
		if err != nil {
			return
		}
		again, err := ParseStatusRange(set.String())
		if err != nil || !slices.Equal(again, set) {
			t.Fatalf("%q is %v, and that is read as %v (%v)", text, set, again, err)
		}
		if len(set) == 0 || set.Contains(99) || set.Contains(600) || !set.Contains(set[0][0]) || !set.Contains(set[0][1]) {
			t.Fatalf("%q is read as %v", text, set)
		}
	})
}
