package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestReadyAsksTheLogStreamThatRuns, which is named by --url, or by the file that
// LOGSTREAM_CONFIG names.
func TestReadyAsksTheLogStreamThatRuns(t *testing.T) {
	a, stop := started(t, smallSetup(t, t.TempDir()))
	page := a.dashboard.now().Addr()
	t.Setenv(configVariable, written(t, "dashboard: {listen: '"+page+"'}\nservices: [{name: a, url: 'http://a'}]\n"))
	until(t, time.Minute, "it is ready", func() bool {
		code, out, failed := logstream("ready")
		return code == exitDone && out == "ready\n" && failed == ""
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"ready"}, {"ready", "--url", "http://" + page}} {
		if code, out, failed := logstream(args...); code != exitFailed || out != "" || !strings.Contains(failed, "logstream: not ready: LogStream does not answer at http://"+page) {
			t.Errorf("%q after its end: exit %d, %q, %q", args, code, out, failed)
		}
	}
}

func TestReadySaysWhyItIsNot(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" || r.Header.Get("Authorization") != "Bearer a-token" {
			t.Errorf("%s, Authorization %q", r.URL, r.Header.Get("Authorization"))
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"ready":false,"error":"Kafka is unreachable"}`))
	}))
	defer server.Close()
	t.Setenv("LOGSTREAM_TOKEN", "a-token")
	if code, out, failed := logstream("ready", "--url", server.URL); code != exitFailed || out != "" || failed != "logstream: not ready: Kafka is unreachable\n" {
		t.Errorf("exit %d, %q, %q", code, out, failed)
	}
}
