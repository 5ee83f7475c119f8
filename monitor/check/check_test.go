package check

import (
	"strings"
	"testing"

	"logstream/internal/service"
)

func TestURLsAreValidated(t *testing.T) {
	for _, c := range []struct{ name, url, value, message string }{
		{"https", "https://example.com", "", ""},
		{"HTTP in capitals", "HTTP://example.com", "", ""},
		{"an IPv6 host", "http://[::1]:8080/", "", ""},
		{"a container", "docker://pay", "", ""},
		{"no url", "", "", "missing"},
		{"no scheme", "localhost:8080", "localhost:8080", "does not begin with http:// or https://"},
		{"a scheme that there is not", "file:///etc/passwd", "file:///etc/passwd", `has the scheme "file"`},
		{"no host", "http:///health", "http:///health", "no host"},
		{"only a port", "http://:8080/", "http://:8080/", "no host"},
		{"no url at all", "http://u:s3cret\x7f@h/", "***", "not a url"},
		{"a port that is none", "http://u:s3cret/@h/", "***", "not a url"},
	} {
		problems := Problems(service.Definition{URL: c.url})
		switch {
		case c.message == "" && problems != nil, c.message != "" && len(problems) != 1:
			t.Errorf("%s: it has the problems %v", c.name, problems)
		case c.message == "":
		case problems[0].Key != "url" || problems[0].Value != c.value || !strings.Contains(problems[0].Message, c.message):
			t.Errorf("%s: got %+v, want %q … %s", c.name, problems[0], c.value, c.message)
		case strings.Contains(problems[0].Message, "s3cret"):
			t.Errorf("%s: %q shows the password", c.name, problems[0].Message)
		}
	}
	if problems := Problems(service.Definition{Container: "pay"}); problems != nil {
		t.Errorf("a container without a url has the problems %v", problems)
	}
}

func TestAUrlWithoutASchemeGetsASuggestion(t *testing.T) {
	for raw, want := range map[string]string{
		"localhost:8080":           "http://localhost:8080",
		"127.0.0.1:8080/health":    "http://127.0.0.1:8080/health",
		"[::1]:8080":               "http://[::1]:8080",
		"//payment.example/health": "http://payment.example/health",
		"payment":                  "http://payment",
		"payment/?token=s3cret":    "http://payment/?token=***",
		"ann:s3cret@payment:8080":  "",
		"mailto:ann@example.com":   "",
		"file:///etc/passwd":       "",
		"http:/localhost:8080":     "",
		":8080":                    "",
		"/health":                  "",
		"localhost:port":           "",
	} {
		problems := Problems(service.Definition{URL: raw})
		if len(problems) != 1 || problems[0].Key != "url" || problems[0].Suggestion != want {
			t.Errorf("%q has the problems %+v, want the suggestion %q", raw, problems, want)
		}
	}
}
