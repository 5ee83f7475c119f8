package loglines

import "testing"

func TestMostInformativeLine(t *testing.T) {
	for name, tt := range map[string]struct {
		lines []string
		want  string
	}{
		"none":                  {nil, ""},
		"all are routine":       {[]string{"listening on :8080", "ready"}, ""},
		"it only says the end":  {[]string{"listening on :8080", "exited with code 1"}, ""},
		"an error":              {[]string{"starting", "ERROR configuration: DATABASE_URL is not set", "exited with code 78"}, "ERROR configuration: DATABASE_URL is not set"},
		"the same error, again": {[]string{"ERROR no such table: users", "starting", "ERROR no such table: users"}, "ERROR no such table: users"},
		"the worse of two":      {[]string{"WARN slow query", "starting", "FATAL: password authentication failed", "shutting down"}, "FATAL: password authentication failed"},
	} {
		if got := KeyLine(tt.lines); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
