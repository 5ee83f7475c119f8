package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A container that writes long lines fills the assistant's context no further than
// docs/mcp.md says.
func TestMCPLogsAreBounded(t *testing.T) {
	var lines []map[string]string
	for range mcpMaxLogLines {
		lines = append(lines, map[string]string{"text": strings.Repeat("x", 2*mcpLogLine)})
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"lines": lines}) // the test fails where it was not written
	}))
	defer api.Close()
	var got struct {
		Lines     []string `json:"untrusted_lines"`
		Truncated bool     `json:"truncated"`
	}
	if text, failed := newAssistant(t, "--url", api.URL).call("service_logs", map[string]any{"service": "web", "tail": mcpMaxLogLines}, &got); failed {
		t.Fatal(text)
	}
	if size := len(strings.Join(got.Lines, "")); size > mcpLogBytes || size < mcpLogBytes-mcpLogLine || !got.Truncated {
		t.Errorf("%d bytes, truncated: %t", size, got.Truncated)
	}
}
