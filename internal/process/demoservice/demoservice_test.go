package demoservice

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func get(t *testing.T, s *service, path string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	var body map[string]any
	if w.Code != http.StatusNotFound {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("GET %s answers %q: %v", path, w.Body, err)
		}
	}
	return w.Code, body
}

func TestAnswersUntilItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := newService(option{name: "payment-service", data: t.TempDir()}, &log)
		for range 20 {
			begun := time.Now()
			code, body := get(t, s, "/")
			if code != http.StatusOK || body["service"] != "payment-service" || body["receipt"] == "" {
				t.Fatalf("GET / answers %d %v", code, body)
			}
			if took := time.Since(begun); took < leastWait || took > leastWait+jitter {
				t.Errorf("GET / took %v", took)
			}
		}
		if code, _ := get(t, s, "/healthz"); code != http.StatusOK {
			t.Errorf("GET /healthz answers %d", code)
		}
		if code, _ := get(t, s, "/else"); code != http.StatusNotFound {
			t.Errorf("GET /else answers %d", code)
		}
		if strings.Contains(log.String(), "ERROR") {
			t.Errorf("the log has an error: %s", log.String())
		}

		if err := faults["fail"](s, t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/healthz"} {
			if code, _ := get(t, s, path); code != http.StatusInternalServerError {
				t.Errorf("GET %s answers %d when failing", path, code)
			}
		}
		if n := strings.Count(log.String(), "ERROR"); n != 2 {
			t.Errorf("the log has %d errors, want that of the fault and that of the request: %s", n, log.String())
		}
	})
}

func TestFaultsAreReadFromStandardInput(t *testing.T) {
	for _, test := range []struct {
		name, faults string
		code         int
		failing      bool
		log          string
	}{
		{"leaves when its parent does", "", exitDone, false, ""},
		{"fails, and stays until the parent leaves", "fail\n", exitDone, true, "ERROR"},
		{"exits", "exit\nfail\n", exitFailed, false, "panic: "},
		{"doesn't know the rest", "exit now\nrm -rf /\n\nEXIT\n", exitDone, false, ""},
		{"reads no endless line", strings.Repeat("x", 100_000), exitDone, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			s := newService(option{name: "payment-service", data: t.TempDir()}, &log)
			if code := s.runFaults(t.Context(), strings.NewReader(test.faults)); code != test.code {
				t.Errorf("exits with %d, want %d", code, test.code)
			}
			if s.failing.Load() != test.failing {
				t.Errorf("failing is %v", s.failing.Load())
			}
			if test.log == "" && log.Len() > 0 || !strings.Contains(log.String(), test.log) {
				t.Errorf("the log is %q, want %q in it", log.String(), test.log)
			}
		})
	}
}
