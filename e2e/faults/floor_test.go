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
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/e2e/engine"
	"logstream/internal/event"
)

// deploySecond is how long the gate deploy holds after any stop, in case a
// deployment goes on.
const deploySecond = time.Second

// longestStop is how long after LogStream's own start a kill may be the end of a stop
// that began before it: the stop time-out, and five seconds more.
const longestStop = 15 * time.Second

// quick is a fault whose repair is as fast as the engine.
type quick struct {
	name  string
	do    func(s *Stage, round int) error
	ends  []string // the engine's events of it, in any order: the last of them counts
	call  string   // that repairs it
	waits time.Duration
}

// quickest are those faults.
var quickest = []quick{
	{"crash", exitsWith, []string{"die"}, "start", 0},
	{"pause", commands("pause", "{}"), []string{"pause"}, "unpause", 0},
	{"kill", commands("kill", "{}"), []string{"die"}, "start", 0},
	{"stop", commands("stop", "{}"), []string{"die", "stop"}, "start", deploySecond},
}

func commands(args ...string) func(*Stage, int) error {
	return func(s *Stage, _ int) error { return s.docker(args...) }
}

// exitsWith ends the process with another exit code each time: the same one three
// times within seconds would be a configuration that is wrong, which no start repairs.
func exitsWith(s *Stage, round int) error {
	return s.visit("", fmt.Sprintf("/exit?code=%d", 2+round%100))
}

// BenchmarkRepair measures from the engine's own event to the first good answer: of
// a bare loop that calls the engine as soon as it reads the event, which is the
// floor, and of LogStream without a model and without grace, in turns. The second
// that the gate deploy holds a stop is taken off.
//
//	go test -tags e2e -run '^$' -bench Repair -benchtime 9x ./e2e/faults
func BenchmarkRepair(b *testing.B) {
	e, err := engines.Default()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	bare, err := newStage(Scenario{Name: "bare", Containers: one()}, logstream, e, dir)
	if err != nil {
		b.Fatal(err)
	}
	ours, err := newStage(Scenario{Name: "ours", Containers: []Container{{Config: "interval: 200ms, timeout: 200ms, heal: {manual_stop: always}"}}}, logstream, e, dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range []*Stage{bare, ours} {
		b.Cleanup(s.down)
		if err := s.up(); err != nil {
			b.Fatal(err)
		}
		s.probers[""].stop() // each is queried more often below
		delete(s.probers, "")
	}
	l := startLogStreamOver(b, ours, e, dir)
	loop := follow(b, e)
	time.Sleep(longestStop)
	for _, fault := range quickest {
		b.Run(fault.name, func(b *testing.B) {
			var floor, healed []time.Duration
			for round := 0; b.Loop(); round++ {
				_, took := loop.measure(b, bare, fault, round, true)
				floor = append(floor, took)
				at, took := loop.measure(b, ours, fault, round, false)
				healed = append(healed, took-fault.waits)
				quiet(b, l, ours, at)
				b.Log(steps(b, l, ours, at))
			}
			b.Logf("%s: floor %v, LogStream %v", fault.name, floor, healed)
			b.ReportMetric(0, "ns/op") // of a fault with its repair: it says nothing
			b.ReportMetric(milliseconds(median(floor)), "ms-floor")
			b.ReportMetric(milliseconds(median(healed)), "ms-median")
			b.ReportMetric(float64(median(healed))/float64(median(floor)), "x-floor")
		})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func startLogStreamOver(b *testing.B, s *Stage, e *engine.Engine, dir string) *daemon {
	b.Helper()
	d, err := newDaemon(binary, filepath.Join(dir, "l"))
	if err != nil {
		b.Fatal(err)
	}
	s.logs = d
	entries, err := s.services()
	if err != nil {
		b.Fatal(err)
	}
	text := d.configuration(e.Host(), entries)
	text = strings.Replace(text, healerValues, "{mode: auto, decide: runbook, manual_grace: 0s, quiet: 1s, verify: {for: 1s, successes: 2}, budget: {attempts: 3, per_hour: 1000, host_per_minute: 1000, cooldown: 1s}}", 1)
	if err := d.start(text); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := d.stop(); err != nil {
			b.Error(err)
		}
		if b.Failed() {
			b.Logf("logstream said:\n%s", d.said(""))
		}
	})
	if err := s.ready(); err != nil {
		b.Fatal(err)
	}
	return d
}

// steps are those of the newest incident, and how long after the engine's event each was taken.
func steps(b *testing.B, d *daemon, s *Stage, at time.Time) string {
	b.Helper()
	list, err := d.incidents(s.name(""))
	if err != nil || len(list) == 0 {
		b.Fatal(err, len(list))
	}
	var text strings.Builder
	for _, e := range list[len(list)-1].Events {
		fmt.Fprintf(&text, "%s +%s ", e.Type, e.Time.Sub(at).Round(100*time.Microsecond))
	}
	return text.String()
}

// quiet waits until LogStream is through with the fault of that time. What it published
// before may still say that nothing is open. Of a stop the incident opens at the die.
func quiet(b *testing.B, d *daemon, s *Stage, at time.Time) {
	b.Helper()
	if err := await(time.Minute, "the incident has ended", func() bool {
		list, err := d.incidents(s.name(""))
		if err != nil || len(list) == 0 {
			return false
		}
		events := list[len(list)-1].Events
		if events[0].Time.Before(at.Add(-deploySecond/2)) || events[len(events)-1].Type != event.TypeResolved {
			return false
		}
		services, err := d.services()
		one := services[s.name("")]
		return err == nil && one.Status == string(event.Up) && one.OpenIncident == ""
	}); err != nil {
		b.Fatal(err)
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

func follow(b *testing.B, e *engine.Engine) *bareLoop {
	b.Helper()
	l := &bareLoop{events: make(chan happened, 1000), client: http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
	}}}}
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://engine/events?filters="+url.QueryEscape(`{"type":["container"],"event":["die","stop","pause"]}`), nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := l.client.Do(request)
	if err != nil {
		b.Fatal(err)
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
// answer, and when that event was. With call, the loop itself repairs it.
func (l *bareLoop) measure(b *testing.B, s *Stage, fault quick, round int, call bool) (at time.Time, took time.Duration) {
	b.Helper()
	began := time.Now()
	var acts errgroup.Group
	acts.Go(func() error { return fault.do(s, round) })
	at = l.await(b, s, fault, began)
	if call {
		acts.Go(func() error {
			response, err := l.client.Post(fmt.Sprintf("http://engine/containers/%s/%s", s.name(""), fault.call), "", nil)
			if err != nil {
				return err
			}
			return response.Body.Close() // whether it answers says it all
		})
	}
	took = firstAnswer(b, s).Sub(at)
	if err := acts.Wait(); err != nil {
		b.Fatal(err)
	}
	return at, took
}

// await is the engine's time of the last event of a fault that began then. After a
// quick unpause the engine may report a pause again that never happened: one from
// before this fault is none of its.
func (l *bareLoop) await(b *testing.B, s *Stage, fault quick, began time.Time) time.Time {
	b.Helper()
	var at time.Time
	for n := 0; n < len(fault.ends); {
		select {
		case h := <-l.events:
			if h.name == s.name("") && h.at.After(began) && slices.Contains(fault.ends, h.action) {
				at = h.at
				n++
			}
		case <-time.After(patience):
			b.Fatalf("%s: no event of it within %s", fault.name, patience)
		}
	}
	return at
}

// firstAnswer is when the first good answer was there. It is asked for every few
// milliseconds, whether or not there is an answer to the last request: one that was
// sent while the container's network came up may hang for a second.
func firstAnswer(b *testing.B, s *Stage) time.Time {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	good := make(chan time.Time, 1)
	query := func() {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(s.Containers[0]), nil)
		if err != nil {
			return // unreachable: the address is well formed
		}
		response, err := client.Do(request)
		if err != nil {
			return
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			select {
			case good <- time.Now():
			default:
			}
		}
	}
	each := time.NewTicker(5 * time.Millisecond)
	defer each.Stop()
	for {
		go query()
		select {
		case at := <-good:
			return at
		case <-each.C:
		case <-ctx.Done():
			b.Fatalf("no good answer within %s", patience)
		}
	}
}
