package config

import (
	"strings"
	"testing"
)

func TestAFindingShowsItsLineWithACaret(t *testing.T) {
	for content, want := range map[string]string{
		"services:\n  - name: web\n    url: http://web\n    intervall: 2s # soon":                            "    intervall: •••\n    ^",
		"services:\n  - nam: web\n    url: http://web":                                                       "  - nam: •••\n    ^",
		"defaults: {interval: 2s, timeoutt: 1s, start_period: 0s}\nservices: [{name: a, url: \"http://a\"}]": "defaults: {interval: •••, timeoutt: •••, start_period: •••}\n                          ^",
		"healer:\n  mode: atuo\nservices: [{name: a, url: \"http://a\"}]":                                    "  mode: atuo\n        ^",
		"services:\n  - name: web\n    url: http://web\n    heal: {actions: [restart, reboot]}":              "    heal: {actions: [•••, reboot]}\n                          ^",
		"services: {name: web}":                                                                                    "services: {name: •••}\n          ^",
		"host: \"\"\nservices: [{name: a, url: \"http://a\"}]":                                                     "host: \"\"\n      ^",
		"host: \"ä ö\" \nservices: [{name: a, url: \"http://a\"}]":                                                 "host: ä ö\n      ^",
		"services: [{name: a, url: \"http://a\"}]\nservices: []":                                                   "services: []\n^",
		"notify: {receivers: [{url: \"ntfy://x/y\", onn: [escalated]}]}\nservices: [{name: a, url: \"http://a\"}]": "notify: {receivers: [{url: •••, onn: [•••]}]}\n                                ^",
	} {
		_, report := Parse("config.yaml", []byte(content), environment(nil))
		if len(report.Errors) == 0 {
			t.Errorf("%q has no error", content)
			continue
		}
		f := report.Errors[0]
		if f.Caret == 0 {
			t.Errorf("%q: no excerpt of %s", content, f)
			continue
		}
		if got := f.Excerpt + "\n" + strings.Repeat(" ", f.Caret-1) + "^"; got != want {
			t.Errorf("%s\n%s\nwant\n%s", f, got, want)
		}
	}
}

// TestAnExcerptHasNoSecret has one at each place near an error where one can stand.
func TestAnExcerptHasNoSecret(t *testing.T) {
	const good = "\nservices: [{name: a, url: \"http://a\"}]\n"
	for name, content := range map[string]string{
		"the offending value":               "dashboard: {token: [HUNTER2]}" + good,
		"the value of the offending key":    "dashboard:\n  tokenn: HUNTER2" + good,
		"a pair before it":                  "dashboard: {token: HUNTER2, listenn: x}" + good,
		"a pair after it":                   "dashboard: {listenn: x, token: HUNTER2}" + good,
		"an odd key of a section":           "dashboard: {HUNTER2: {}, listenn: x}" + good,
		"a key where a list must be":        "dashboard:\n  users:\n    HUNTER2: ada" + good,
		"a key where one value must be":     "dashboard: {token: {HUNTER2: x}, listenn: x}" + good,
		"a complex key":                     "dashboard: {? [HUNTER2] : x, listenn: x}" + good,
		"a comment":                         "dashboard:\n  listenn: x # HUNTER2" + good,
		"an address":                        "services: [{name: a, url: \"http://ada:HUNTER2@a\", intervall: 2s}]",
		"a header":                          "services: [{name: a, url: \"http://a\", request: {headers: {X-Key: HUNTER2}}, intervall: 2s}]",
		"the end of quoted lines":           "dashboard: {token: \"one\n  HUNTER2\", listenn: x}" + good,
		"the end of plain lines":            "dashboard: {token: one\n  HUNTER2, listenn: x}" + good,
		"a block":                           "dashboard:\n  token: |\n    HUNTER2\n    intervall: x\n  listenn: x" + good,
		"a folded block at the wrong place": "dashboard:\n  listenn: >\n    HUNTER2\n    x" + good,
		"an anchor, and what it stands for": "dashboard: {token: &HUNTER2 HUNTER2, listenn: *HUNTER2}" + good,
		"a merged section":                  "x: &x {token: HUNTER2}\ndashboard: {<<: *x, listenn: y}" + good,
		"a value at its key":                "dashboard: {token:HUNTER2}" + good,
		"an address at its key":             "notify: {receivers: [{url:ntfy://ada:HUNTER2@x/y}]}" + good,
		"a value at its key, in a block":    "dashboard:\n  token:HUNTER2" + good,
		"an address as a name":              "host: \"http://ada:HUNTER2@kafka\"" + good,
		"a tag":                             "dashboard: {token: !HUNTER2 x, listenn: x}" + good,
		"the environment":                   "dashboard: {token: \"${SECRET}\", listenn: \"${SECRET}\"}" + good,
		"a command":                         "services: [{name: a, url: \"http://a\", heal: {commands: {fix: [curl, HUNTER2]}, mode: atuo}}]",
		"a list where a section must be":    "dashboard: [HUNTER2]" + good,
		"a value where a section must be":   "bus:\n  sasl: HUNTER2" + good,
		"a value that is used twice":        "hooks: [{name: a, kind: generic, token: HUNTER2HUNTER2HUNTER2}, {name: b, kind: generic, token: HUNTER2HUNTER2HUNTER2}]" + good,
		"far along a line":                  "dashboard: {users: [" + strings.Repeat("{name: ada, password: HUNTER2}, ", 40) + "], listenn: x}" + good,
	} {
		_, report := Parse("config.yaml", []byte(content), environment(map[string]string{"SECRET": "HUNTER2"}))
		if len(report.Errors) == 0 {
			t.Errorf("%s: no error in\n%s", name, content)
		}
		for _, f := range report.Errors {
			if strings.Contains(f.Excerpt+f.String()+f.Suggestion, "HUNTER2") && name != "an odd key of a section" { // keys are shown
				t.Errorf("%s: %s shows %q", name, f, f.Excerpt)
			}
			if n := len([]rune(f.Excerpt)); n > 2*maxExcerpt+maxShown || f.Caret > n {
				t.Errorf("%s: an excerpt of %d characters with its caret at %d", name, n, f.Caret)
			}
		}
	}
}
