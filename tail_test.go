package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/internal/event"
)

// watched is output that is read while it is written.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *watched) has(texts ...string) func() bool {
	return func() bool {
		for _, text := range texts {
			if !strings.Contains(w.String(), text) {
				return false
			}
		}
		return true
	}
}

// tailing runs logstream tail until the test, or the returned function, ends it.
func tailing(t *testing.T, args ...string) (out, failed *watched, stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	out, failed = &watched{}, &watched{}
	ended := make(chan int, 1)
	go func() { ended <- execute(ctx, out, failed, append([]string{"tail"}, args...)) }()
	stop = sync.OnceValue(func() int { cancel(); return <-ended })
	t.Cleanup(func() { stop() })
	return out, failed, stop
}

// TestTailFollowsARepair over the demo's real processes: a kill is printed from
// the failure to the verification, for people and as records.
func TestTailFollowsARepair(t *testing.T) {
	a, stopApp := started(t, quickly(smallSetup(t, t.TempDir())))
	page := "http://" + a.dashboard.now().Addr()
	until(t, 40*time.Second, "all are UP", a.areUp("payment-service", "inventory-service", "database"))
	people, failed, stopPeople := tailing(t, "--url", page)
	records, _, stopRecords := tailing(t, "payment-service", "--json", "--url", page)
	others, _, stopOthers := tailing(t, "database", "--checks", "--url", page)
	until(t, 20*time.Second, "checks are printed", func() bool {
		return records.has(`"check":"http"`)() && others.has("database tcp UP")() || others.has("database http UP")()
	})

	resp, err := http.Post(page+"/api/v1/services/payment-service/chaos", "application/json", strings.NewReader(`{"fault":"kill"}`))
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	until(t, 60*time.Second, "the repair is printed", people.has("🔴 payment-service is DOWN", "⚡", "🟢 payment-service is UP", "✅ payment-service healed in"))
	until(t, 20*time.Second, "its records are printed", records.has(`"type":"resolved"`))
	for line := range strings.Lines(records.String()) {
		_, notHealth := event.DecodeHealthLog([]byte(line))
		if _, err := event.DecodeIncident([]byte(line)); err != nil && notHealth != nil {
			t.Errorf("%s is no record: %v, %v", line, err, notHealth)
		}
	}
	if strings.Contains(records.String(), `"database"`) || strings.Contains(others.String(), "payment-service") || strings.Contains(people.String(), "http UP") {
		t.Error("a tail prints what was not asked for")
	}
	for _, stop := range []func() int{stopRecords, stopOthers} {
		if code := stop(); code != exitDone {
			t.Errorf("after Ctrl-C: exit %d", code)
		}
	}
	if err := stopApp(); err != nil {
		t.Fatal(err)
	}
	until(t, 20*time.Second, "it connects again", failed.has("connecting again"))
	if code := stopPeople(); code != exitDone {
		t.Errorf("after Ctrl-C: exit %d", code)
	}
}

func TestTailSaysWhyItCannot(t *testing.T) {
	a, _ := started(t, smallSetup(t, t.TempDir()))
	page := "http://" + a.dashboard.now().Addr()
	until(t, 20*time.Second, "the services are known", func() bool { return len(statuses(a.dashboard.now().Addr())) == 3 })
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"tail", "payment-servise", "--url", page}, exitStartupFailure, `logstream: tail: unknown service "payment-servise"; did you mean "payment-service"?` + "\n"},
		{[]string{"tail", "--url", "http://127.0.0.1:1"}, exitFailed, "logstream: tail: LogStream does not answer at http://127.0.0.1:1: "},
	} {
		if code, out, failed := logstream(c.args...); code != c.code || out != "" || !strings.HasPrefix(failed, c.says) || strings.Count(failed, "\n") != 1 {
			t.Errorf("%v: exit %d, %s%s", c.args, code, out, failed)
		}
	}
}
