package config

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode"
)

// TestLinesAreReadBackAsWhatWasGiven pastes the lines into a file and reads it,
// whatever the values contain.
func TestLinesAreReadBackAsWhatWasGiven(t *testing.T) {
	odd := []string{"plain", "null", "true", "no", "~", "1", "0x1f", "1e3", "2026-01-02", "12:30:45", "- a", "a: b", "a #b", "#a", " lead", "trail ", "tab\tin",
		"two\nlines", "\nfirst", "last\n\n", "*a", "&a", "!a", "!!str a", "%a", "@a", "`a`", "|", ">", "[a, b]", "{a: b}", `"quoted"`, "'single'", `back\slash`,
		"$", "$$", "$$$", "a$b", "end$", "ünïcode", "emoji 🙂", "\u2028sep", "\u0007bell", "---", "...", "? a", ", a", "<<", "="}
	for _, text := range odd {
		request := map[string]any{"method": "POST", "body": text}
		if !strings.ContainsFunc(text, unicode.IsControl) {
			request["headers"] = map[string]string{"X-Odd": text}
		}
		given, err := json.Marshal(map[string]any{"name": "web", "url": "http://localhost:8080", "interval": "7s", "failure_threshold": 4, "request": request})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := Lines(given)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		c, report := Parse("config.yaml", []byte("services:\n"+lines), func(string) (string, bool) { return "from the environment", true })
		if len(report.Errors) > 0 || len(c.Services) != 1 {
			t.Errorf("%q gives\n%s%v", text, lines, report.Errors)
			continue
		}
		got := c.Services[0]
		want, err := Definition(given)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != "web" || got.URL != want.URL || got.Interval != want.Interval || got.FailureThreshold != 4 ||
			got.Request.Method != "POST" || got.Request.Body != want.Request.Body || !maps.Equal(got.Request.Headers, want.Request.Headers) {
			t.Errorf("%q gives\n%sread as %+v", text, lines, got)
		}
	}
}

func TestLinesAreThoseThatAPersonWouldWrite(t *testing.T) {
	lines, err := Lines([]byte(`{"name":"stock-api","url":"http://localhost:8090/health","group":"Warehouse","container":"stock-api","interval":"2s","expect":{"status":"200-299","latency":"800ms"},"depends_on":["db","cache"],"failure_threshold":2}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `  - name: stock-api
    url: http://localhost:8090/health
    group: Warehouse
    container: stock-api
    interval: 2s
    expect:
      status: 200-299
      latency: 800ms
    depends_on: [db, cache]
    failure_threshold: 2
`
	if lines != want {
		t.Errorf("got\n%s\nwant\n%s", lines, want)
	}
}

func TestLinesOfAWrongDefinitionSayWhy(t *testing.T) {
	for content, want := range map[string]string{
		`{"url":"http://localhost"}`:                                  "service.name: is missing",
		`{"name":"a"}`:                                                "service",
		`{"name":"a","url":"http://${HOST}"}`:                         "write the value itself",
		`{"name":"a","url":"http://localhost","intervall":"1s"}`:      "did you mean interval?",
		`{"name":"*","url":"http://localhost"}`:                       "service.name",
		`{"name":"a","url":"http://localhost","expect":{"body":"("}}`: "service.expect.body",
	} {
		if lines, err := Lines([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want %q", content, lines, err, want)
		}
	}
}
