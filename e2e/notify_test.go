//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/internal/event"
)

// inbox is a receiver of notifications, and of heartbeats.
type inbox struct {
	mu     sync.Mutex
	bodies strings.Builder
	titles []string
	beats  int
	links  map[string]string // of the newest message, by command
	url    string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		in.mu.Lock()
		defer in.mu.Unlock()
		if r.Method == http.MethodGet {
			in.beats++
			return
		}
		in.bodies.Write(content)
		var message struct {
			Title   string `json:"title"`
			Actions []struct {
				Command string `json:"command"`
				URL     string `json:"url"`
			} `json:"actions"`
		}
		_ = json.Unmarshal(content, &message)
		in.titles, in.links = append(in.titles, message.Title), map[string]string{}
		for _, a := range message.Actions {
			in.links[a.Command] = a.URL
		}
	}))
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

// count is how many messages have a title with that part.
func (in *inbox) count(part string) (n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, title := range in.titles {
		if strings.Contains(title, part) {
			n++
		}
	}
	return n
}

// text is everything that it got.
func (in *inbox) text() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bodies.String()
}

func (in *inbox) heartbeats() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.beats
}

func (in *inbox) commands() (all []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for command := range in.links {
		all = append(all, command)
	}
	slices.Sort(all)
	return all
}

// notifications are what the log says was sent.
func (d *daemon) notifications() (all []event.Notification) {
	d.t.Helper()
	for _, r := range topic(d.t, d.broker, event.TopicNotifications) {
		if n, err := event.DecodeNotification(r.Value); err == nil && n.Outcome == event.NotificationSent {
			all = append(all, n)
		}
	}
	return all
}

// TestNotificationsArrive: a container is killed, and "healed in" arrives once,
// also over kill -9 of the daemon; a repair that waits for approval is asked for
// with its links; the heartbeat is called.
func TestNotificationsArrive(t *testing.T) {
	t.Parallel()
	notified, asks := container(t, docker, "notified"), container(t, docker, "asks")
	in := newInbox(t)
	d := configured(t, docker.Host(), "", yaml("notified", notified, "")+yaml("asks", asks, ", heal: {mode: approve}"))
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(text), "dashboard: {", "notify: {heartbeat: '"+in.url+"/beat', receivers: [{name: hook, url: '"+in.url+"/hook'}]}\ndashboard: {public_url: 'http://"+d.page+"', ", 1))
	d.start()
	d.up("notified")
	d.up("asks")
	d.until(time.Minute, "the heartbeat arrives", func() bool { return in.heartbeats() > 0 })

	docker.Docker(t, "kill", "notified")
	d.until(time.Minute, "the message arrives", func() bool { return in.count("notified: healed in ") == 1 })
	// What is killed before it has recorded that it sent, sends again.
	recorded := func(service, of string, n int) {
		t.Helper()
		d.until(time.Minute, of+" of "+service+" is recorded", func() bool {
			all := slices.DeleteFunc(d.notifications(), func(r event.Notification) bool { return r.Service != service || r.Event != of })
			return len(all) >= n
		})
	}
	recorded("notified", "resolved", 1)
	d.kill()
	d.start()
	d.up("notified")
	docker.Docker(t, "kill", "notified")
	d.until(time.Minute, "the second message arrives", func() bool { return in.count("notified: healed in ") >= 2 })

	docker.Docker(t, "kill", "asks")
	d.until(time.Minute, "the request arrives", func() bool { return in.count("asks: approve start?") == 1 })
	if got := in.commands(); !slices.Equal(got, []string{"approve", "deny", "hold", "silence"}) {
		t.Errorf("its links are %v", got)
	}
	recorded("notified", "resolved", 2)
	recorded("asks", "approval", 1)
	d.kill()
	d.start()
	d.up("notified")
	if code, answer := d.post("/api/v1/notify/test", `{"receiver":"hook"}`); code != http.StatusOK || answer != `[{"name":"hook","ok":true,"error":""}]`+"\n" {
		t.Errorf("a test message: %d %s", code, answer)
	}
	if got := in.count("notified: healed in "); got != 2 {
		t.Errorf("%d messages about two repairs", got)
	}
	if got := in.count("asks: approve"); got != 1 {
		t.Errorf("%d messages about one request", got)
	}
}
