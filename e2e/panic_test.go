//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/internal/event"
)

// listener is a WebSocket client that stays, and checks that seq has no gap.
type listener struct {
	t       *testing.T
	conn    *websocket.Conn
	dropped chan error
}

func listen(t *testing.T, d *daemon) *listener {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+d.page+"/ws", map[string][]string{"Origin": {"http://" + d.page}})
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t: t, conn: conn, dropped: make(chan error, 1)}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		var last int64
		for {
			var frame struct {
				Type string `json:"type"`
				Seq  int64  `json:"seq"`
			}
			if err := conn.ReadJSON(&frame); err != nil {
				l.dropped <- err
				return
			}
			if last != 0 && frame.Type == "events" && frame.Seq != last+1 {
				t.Errorf("seq went from %d to %d", last, frame.Seq)
			}
			last = frame.Seq
		}
	}()
	return l
}

// TestAPanicInTheMiddleOfAnIncident makes each actor, and a worker of each,
// panic while an incident is open.
func TestAPanicInTheMiddleOfAnIncident(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"monitor", "healer", "chaos", "dashboard", "rollup", "bus", "monitor-worker", "healer-worker", "chaos-worker", "dashboard-worker", "rollup-worker"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			switches := t.TempDir()
			name := "panic-" + part
			url, other := container(t, docker, name), container(t, docker, "beside-"+part)
			d := configured(t, docker.Host(), "", yaml(name, url, "")+yaml("beside-"+part, other, ", chaos: true"))
			d.env = append(d.env, "LOGSTREAM_E2E_PANICS="+switches)
			d.start()
			d.up(name)
			l := listen(t, d)
			began := time.Now()
			docker.Docker(t, "kill", name)
			d.until(10*time.Second, "an incident is open", func() bool { return len(d.incidents(name)) > 0 })
			flag := filepath.Join(switches, part)
			if err := os.WriteFile(flag, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(part, "chaos") || strings.HasPrefix(part, "dashboard") {
				d.post("/api/v1/services/beside-"+part+"/chaos", `{"fault":"kill"}`) // gives its worker something to do
			}
			d.until(20*time.Second, "the panic was logged with its stack", func() bool {
				out := d.out.String()
				return (strings.Contains(out, "panic in") || strings.Contains(out, "request panicked")) && strings.Contains(out, "goroutine ")
			})
			in := d.newest(90*time.Second, name, "is resolved", resolved)
			if got := actions(in); !slices.Equal(got, []string{"start"}) {
				t.Errorf("actions %v: want one start", got)
			}
			if n := engineActions(t, docker, name, began, "start"); n != 1 {
				t.Errorf("the engine reports %d starts, want 1", n)
			}
			d.up(name)
			select {
			case err := <-l.dropped:
				if !strings.HasPrefix(part, "dashboard") {
					t.Errorf("the connected page was dropped: %v", err)
				}
			default:
			}
			noGap(t, d, name, began)
		})
	}
}

// noGap reads the health log and checks that the scheduled checks went on. How soon
// an actor is started again is what internal/supervise tests; here the machine itself
// may stand still for some seconds.
func noGap(t *testing.T, d *daemon, name string, began time.Time) {
	t.Helper()
	end := time.Now()
	client, err := kgo.NewClient(kgo.SeedBrokers(d.broker), kgo.ConsumeTopics(event.TopicHealth), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	last := began
	for last.Before(end) {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			h, err := event.DecodeHealthLog(r.Value)
			if err != nil || h.Service != name || h.Check != "http" || h.Time().Before(began) {
				return
			}
			if gap := h.Time().Sub(last); gap > 10*time.Second {
				t.Errorf("no check of %s between %s and %s", name, last.Format(time.TimeOnly), h.Time().Format(time.TimeOnly))
			}
			last = h.Time()
		})
	}
}
