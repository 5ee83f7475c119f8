//go:build e2e

package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
)

// How far above the engine's own floor a repair may be, and how often each is
// measured.
const (
	mostOfFloor = 1.5
	repetitions = 7
)

// deploySecond is how long the gate deploy holds after any stop, in case a
// deployment goes on.
const deploySecond = time.Second

// quick is a fault whose repair is as fast as the engine.
type quick struct {
	name   string
	do     func(*Stage) error
	ends   []string // the engine's events of it: the last of them counts
	call   string   // that repairs it
	waits  time.Duration
	events int // how many of ends come
}

var quickest = []quick{
	{"kill", does("kill", "{}"), []string{"die"}, "start", 0, 1},
	{"crash", visits("/exit?code=3"), []string{"die"}, "start", 0, 1},
	{"pause", does("pause", "{}"), []string{"pause"}, "unpause", 0, 1},
	{"stop", does("stop", "{}"), []string{"die", "stop"}, "start", deploySecond, 2},
}

// TestMeasureRepairsAgainstTheEnginesFloor measures from the engine's own event to
// the first good answer: of a bare loop that calls the engine as soon as it reads
// the event, which is the floor, and of LogStream without a model and without
// grace, in turns.
func TestMeasureRepairsAgainstTheEnginesFloor(t *testing.T) {
	if !*all {
		t.Skip("with -all alone: it takes minutes")
	}
	e, err := engines.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bare, err := newStage(Scenario{Name: "bare", Containers: one()}, logstream, e, dir)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := newStage(Scenario{Name: "ours", Containers: []Container{{Config: "interval: 200ms, timeout: 200ms, heal: {manual_stop: always}"}}}, logstream, e, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Stage{bare, ours} {
		if err := s.up(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.down)
		s.probers[""].stop() // each is asked more often below
		delete(s.probers, "")
	}
	l := startLogStreamOver(t, ours, e, dir)
	loop := follow(t, e)
	for _, fault := range quickest {
		t.Run(fault.name, func(t *testing.T) {
			var floor, healed []time.Duration
			for range rounds() {
				floor = append(floor, loop.measure(t, bare, fault, true))
				healed = append(healed, loop.measure(t, ours, fault, false)-fault.waits)
				quiet(t, l, ours)
			}
			ratio := float64(median(healed)) / float64(median(floor))
			t.Logf("%s: the engine's floor %s, LogStream %s (medians of %d), ratio %.2f; all: %v and %v",
				fault.name, median(floor).Round(time.Millisecond), median(healed).Round(time.Millisecond), len(floor), ratio, floor, healed)
			if ratio >= mostOfFloor {
				t.Errorf("%s: %.2f times the engine's floor: want less than %.1f", fault.name, ratio, mostOfFloor)
			}
		})
	}
}

// rounds is how often each is measured: LOGSTREAM_ROUNDS, or few.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("LOGSTREAM_ROUNDS")); err == nil {
		return max(n, repetitions)
	}
	return repetitions
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func startLogStreamOver(t *testing.T, s *Stage, e *engine.Engine, dir string) *daemon {
	t.Helper()
	d, err := newDaemon(binary, filepath.Join(dir, "l"))
	if err != nil {
		t.Fatal(err)
	}
	s.logs = d
	entries, err := s.services()
	if err != nil {
		t.Fatal(err)
	}
	text := d.configuration(e.Host(), entries)
	text = strings.Replace(text, healerValues, "{mode: auto, decide: runbook, manual_grace: 0s, quiet: 1s, verify: {for: 1s, successes: 2}, budget: {attempts: 3, per_hour: 1000, host_per_minute: 1000, cooldown: 1s}}", 1)
	if err := d.start(text); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("logstream said:\n%s", d.said(""))
		}
	})
	if err := s.ready(); err != nil {
		t.Fatal(err)
	}
	return d
}

// quiet waits until LogStream is through with the last fault.
func quiet(t *testing.T, d *daemon, s *Stage) {
	t.Helper()
	if err := await(time.Minute, "nothing is open", func() bool {
		services, err := d.services()
		one := services[s.name("")]
		return err == nil && one.Status == "UP" && one.OpenIncident == ""
	}); err != nil {
		t.Fatal(err)
	}
}

// happened is an event of the engine, as the bare loop reads it.
type happened struct {
	name, action string
	at           time.Time
}

// bareLoop reads the engine's events, and calls the engine at once.
type bareLoop struct {
	client http.Client
	events chan happened
}

func follow(t *testing.T, e *engine.Engine) *bareLoop {
	t.Helper()
	l := &bareLoop{events: make(chan happened, 1000), client: http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
	}}}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://engine/events?filters="+url.QueryEscape(`{"type":["container"],"event":["die","stop","pause"]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := l.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			var sent struct {
				Action   string
				Actor    struct{ Attributes map[string]string }
				TimeNano int64
			}
			if json.Unmarshal(lines.Bytes(), &sent) == nil {
				l.events <- happened{sent.Actor.Attributes["name"], sent.Action, time.Unix(0, sent.TimeNano)}
			}
		}
	}()
	return l
}

// measure is the time from the engine's last event of a fault to the first good
// answer. With call, the loop itself repairs it.
func (l *bareLoop) measure(t *testing.T, s *Stage, fault quick, call bool) time.Duration {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- fault.do(s) }()
	var at time.Time
	for n := 0; n < fault.events; {
		select {
		case h := <-l.events:
			if h.name == s.name("") && slices.Contains(fault.ends, h.action) {
				at = h.at
				n++
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: no event of it within 30 s", fault.name)
		}
	}
	if call {
		response, err := l.client.Post(fmt.Sprintf("http://engine/containers/%s/%s", s.name(""), fault.call), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close() // whether it answers says it all
	}
	client := http.Client{Timeout: 100 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	answers := func() bool {
		response, err := client.Get(s.url(s.Containers[0]))
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	for end := time.Now().Add(30 * time.Second); !answers(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: it does not answer within 30 s", fault.name)
		}
	}
	took := time.Since(at)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return took
}
