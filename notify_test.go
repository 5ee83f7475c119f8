package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/internal/config"
	"logstream/internal/service"
	"logstream/notify"
)

// inbox is a webhook that keeps what it gets.
type inbox struct {
	mu  sync.Mutex
	all []map[string]any
	url string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		message := map[string]any{"method": r.Method}
		_ = json.Unmarshal(content, &message)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.all = append(in.all, message)
	}))
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

// has says whether a message of an event whose title has a part arrived.
func (in *inbox) has(event, title string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, m := range in.all {
		said, _ := m["title"].(string)
		if m["event"] == event && strings.Contains(said, title) {
			return true
		}
	}
	return false
}

func (in *inbox) calls(method string) (n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, m := range in.all {
		if m["method"] == method {
			n++
		}
	}
	return n
}

// TestNotifications has the demo heal a service that was killed, sends test
// messages from the command line, and takes over another receiver on a reload.
func TestNotifications(t *testing.T) {
	hook, beats, later := newInbox(t), newInbox(t), newInbox(t)
	s := smallSetup(t, t.TempDir())
	s.config.Notify.Receivers = []notify.Receiver{{Name: "hook", URL: hook.url}, {Name: "gone", URL: "http://127.0.0.1:1/hunter2hunter2"}}
	s.config.Notify.Heartbeat, s.config.Dashboard.PublicURL = beats.url, "https://status.test"
	a, _ := started(t, s)
	page := "http://" + a.dashboard.now().Addr()
	until(t, time.Minute, "payment-service is UP", func() bool { return statuses(a.dashboard.now().Addr())["payment-service"] == "UP" })
	until(t, time.Minute, "the heartbeat arrives", func() bool { return beats.calls(http.MethodGet) == 1 })

	for _, c := range []struct {
		code        int
		out, failed string
		args        []string
	}{
		{exitDone, "hook  sent\n", "", []string{"hook"}},
		{exitFailed, "gone  failed: dial tcp 127.0.0.1:1: connect: connection refused", "notify: 1 of 2 test messages failed", nil},
		{exitFailed, `{"name":"hook","ok":true,"error":""}`, "notify: 1 of 2 test messages failed", []string{"--json"}},
		{exitStartupFailure, "", `notify: unknown receiver "hok"; did you mean hook?`, []string{"hok"}},
	} {
		code, out, failed := logstream(append([]string{"notify", "test", "--url", page}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(failed, c.failed) || strings.Contains(out+failed, "hunter2") {
			t.Errorf("%q: exit %d, %s%s", c.args, code, out, failed)
		}
	}
	if !hook.has("test", "Test message of LogStream") {
		t.Error("the test message did not arrive")
	}

	kill := func() {
		t.Helper()
		resp, err := http.Post(page+"/api/v1/services/payment-service/chaos", "application/json", strings.NewReader(`{"fault":"kill"}`))
		if err != nil || resp.StatusCode != http.StatusAccepted {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	kill()
	until(t, time.Minute, "the message arrives", func() bool { return hook.has("resolved", "payment-service: healed in ") })

	var info string
	until(t, time.Minute, "the receiver that fails is shown", func() bool {
		resp, err := http.Get(page + "/api/v1/info")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		content, _ := io.ReadAll(resp.Body)
		info = string(content)
		return strings.Contains(info, `"part":"notify"`) && strings.Contains(info, "notifications fail: gone: dial tcp")
	})
	if strings.Contains(info, "hunter2") {
		t.Errorf("a secret is shown: %s", info)
	}

	next := a.config
	next.Notify.Receivers = append([]notify.Receiver{{Name: "later", URL: later.url}}, next.Notify.Receivers[:1]...)
	if err := a.reload(next); err != nil {
		t.Fatal(err)
	}
	until(t, time.Minute, "the new receiver takes a test", func() bool {
		code, _, _ := logstream("notify", "test", "later", "--url", page)
		return code == exitDone
	})
	if later.has("resolved", "") {
		t.Error("a new receiver gets what was before it")
	}
	kill()
	until(t, time.Minute, "the message arrives there", func() bool { return later.has("resolved", "payment-service: healed in ") })
	next.Notify.Receivers = nil
	if err := a.reload(next); err != nil {
		t.Fatal(err)
	}
	until(t, time.Minute, "no receiver is left", func() bool {
		code, _, failed := logstream("notify", "test", "--url", page)
		return code == exitFailed && strings.Contains(failed, "no receiver is configured: add one under notify.receivers")
	})
}

// link is the address of an action in the newest message that has it, at the page.
func (in *inbox) link(command, public, page string) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, m := range slices.Backward(in.all) {
		actions, _ := m["actions"].([]any)
		for _, a := range actions {
			if of := a.(map[string]any); of["command"] == command {
				return strings.Replace(of["url"].(string), public, page, 1)
			}
		}
	}
	return ""
}

// TestApprovingFromAMessage has a repair wait, presses the link of its message
// twice, and gets the message that it was healed.
func TestApprovingFromAMessage(t *testing.T) {
	hook := newInbox(t)
	s := smallSetup(t, t.TempDir())
	s.config.Healer.Mode = service.Approve
	s.config.Notify.Receivers = []notify.Receiver{{Name: "hook", URL: hook.url}}
	s.config.Dashboard.PublicURL = "https://status.test"
	a, _ := started(t, s)
	page := "http://" + a.dashboard.now().Addr()
	until(t, time.Minute, "payment-service is UP", func() bool { return statuses(a.dashboard.now().Addr())["payment-service"] == "UP" })
	resp, err := http.Post(page+"/api/v1/services/payment-service/chaos", "application/json", strings.NewReader(`{"fault":"kill"}`))
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	until(t, time.Minute, "the request arrives", func() bool { return hook.has("approval", "payment-service: approve start?") })
	address := hook.link("approve", "https://status.test", page)
	press := func() (int, string) {
		t.Helper()
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		field := regexp.MustCompile(`name="confirm" value="([^"]+)"`).FindSubmatch(content)
		if field == nil {
			return resp.StatusCode, string(content)
		}
		ask, err := http.NewRequest(http.MethodPost, address, strings.NewReader(url.Values{"confirm": {string(field[1])}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		ask.Header.Set("Origin", page)
		if resp, err = http.DefaultClient.Do(ask); err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		content, _ = io.ReadAll(resp.Body)
		return resp.StatusCode, string(content)
	}
	if status, said := press(); status != http.StatusOK && status != http.StatusAccepted {
		t.Fatalf("the link: %d %s", status, said)
	}
	if status, _ := press(); status != http.StatusGone && status != http.StatusConflict {
		t.Errorf("the link once more: %d", status)
	}
	until(t, time.Minute, "the message arrives", func() bool { return hook.has("resolved", "payment-service: healed in ") })
}

func TestAReceiverFromTheEnvironmentAndAFile(t *testing.T) {
	t.Setenv("HOOK", "https://example.com/hunter2")
	path := written(t, "notify: {receivers: [{name: a, url: '${HOOK}'}, {name: b, url_file: '"+written(t, "https://example.com/b\n")+"'}]}\nservices: [{name: web, url: 'http://a'}]")
	c, report := config.Load(path)
	if len(report.Errors) > 0 || c.Notify.Receivers[0].URL != "https://example.com/hunter2" || c.Notify.Receivers[1].URL != "https://example.com/b" {
		t.Errorf("%+v %v", c.Notify, report)
	}
}
