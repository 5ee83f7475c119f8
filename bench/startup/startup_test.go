//go:build linux

package startup

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"logstream/bench/past"
	"logstream/bench/process"
	"logstream/internal/event"
)

// program builds logstream.
func program(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "logstream")
	build := exec.Command("go", "build", "-o", path, "logstream")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	return path
}

// instanceUnderTest is a logstream that runs.
type instanceUnderTest struct {
	tb    testing.TB
	page  string
	pid   int
	ready time.Duration // until it was ready and showed every service's uptime
	cpu   time.Duration // that it took until then: what else the machine does weighs less on it
	end   func()

	killed bool // it need not end well
}

// freeAddresses are two addresses of loopback at which nothing listens right now.
func freeAddresses(tb testing.TB) (one, other string) {
	tb.Helper()
	var all []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all[0], all[1]
}

// start starts logstream in dir, and waits until it is ready and known says so.
func start(tb testing.TB, program, dir string, p past.Past, known func(past.Past, []served) bool) *instanceUnderTest {
	tb.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	page, broker := freeAddresses(tb)
	var config strings.Builder
	fmt.Fprintf(&config, "instance: %s\nbus: {embedded: {listen: %q, data: %q}}\ndocker: {host: \"unix://%s/none.sock\"}\nhealer: {mode: observe, decide: runbook}\n", past.Instance, broker, dir, dir)
	fmt.Fprintf(&config, "dashboard: {listen: %q}\ndefaults: {interval: %s, timeout: 1s, failure_threshold: 2, success_threshold: 2}\nservices:\n", page, p.Interval)
	for i := range p.Services {
		fmt.Fprintf(&config, "  - {name: %s, url: %q}\n", p.Name(i), target.URL)
	}
	file := filepath.Join(tb.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(program, "run", "--config", file)
	out, err := os.Create(filepath.Join(filepath.Dir(file), "out"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	s := &instanceUnderTest{tb: tb, page: page, pid: cmd.Process.Pid}
	s.end = func() {
		s.end = func() {}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil && !s.killed {
			text, _ := os.ReadFile(out.Name())
			tb.Errorf("it ended with %v:\n%.2000s", err, text)
		}
		target.Close()
		out.Close()
	}
	tb.Cleanup(func() { s.end() })
	for {
		if response, err := http.Get("http://" + page + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK && known(p, get[[]served](s, "/api/v1/services")) {
				break
			}
		}
		if time.Since(began) > time.Minute {
			text, _ := os.ReadFile(out.Name())
			tb.Fatalf("not ready after a minute:\n%.2000s", text)
		}
		time.Sleep(50 * time.Millisecond) // each request costs what is measured
	}
	s.ready, s.cpu = time.Since(began), s.cpuTime()
	return s
}

// served is a service as the API has it.
type served struct {
	Name   string             `json:"name"`
	Uptime map[string]float64 `json:"uptime"`
	KnownS map[string]float64 `json:"known_s"`
}

type chartPoint struct {
	At    time.Time    `json:"t"`
	Saw   event.Status `json:"status"`
	MS    float64      `json:"latency_ms"`
	MinMS *float64     `json:"min_ms"`
	MaxMS *float64     `json:"max_ms"`
}

func get[T any](s *instanceUnderTest, path string) T {
	s.tb.Helper()
	response, err := http.Get("http://" + s.page + path)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer response.Body.Close()
	var v T
	if err := json.NewDecoder(response.Body).Decode(&v); err != nil || response.StatusCode != http.StatusOK {
		s.tb.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	return v
}

// rssMB is how much memory it takes now.
func (s *instanceUnderTest) rssMB() float64 {
	s.tb.Helper()
	mb, err := process.Memory(s.pid, "VmRSS")
	if err != nil {
		s.tb.Fatal(err)
	}
	return mb
}

// cpuTime is how much it has used so far.
func (s *instanceUnderTest) cpuTime() time.Duration {
	s.tb.Helper()
	used, err := process.CPU(s.pid)
	if err != nil {
		s.tb.Fatal(err)
	}
	return used
}

// whole says whether the uptime of every service is that of the whole past.
func whole(p past.Past, services []served) bool {
	for _, v := range services {
		if v.KnownS["30d"] < 0.99*min(p.Lasts, 30*24*time.Hour).Seconds()-120 || v.KnownS["24h"] < 0.99*min(p.Lasts, 24*time.Hour).Seconds()-120 ||
			v.KnownS["1h"] < 0.9*min(p.Lasts, time.Hour).Seconds() {
			return false
		}
	}
	return len(services) == p.Services
}

// check compares what is served with what was simulated.
func check(p past.Past, s *instanceUnderTest, left past.Left) {
	for i, v := range get[[]served](s, "/api/v1/services") {
		down := (1 - v.Uptime["30d"]) * v.KnownS["30d"]
		if want := left.Down[i].Seconds(); p.Lasts < 30*24*time.Hour && math.Abs(down-want) > 0.02*want+10 {
			s.tb.Errorf("%s was down for %.0f s, and %.0f were simulated", v.Name, down, want)
		}
	}
	for _, window := range []time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour} {
		began := time.Now()
		points := get[struct{ Points []chartPoint }](s, "/api/v1/services/service-001/history?window="+window.String()).Points
		s.tb.Logf("history of %s: %d points in %s", window, len(points), time.Since(began).Round(time.Millisecond))
		covers := min(window, p.Lasts)
		if len(points) > 500 || len(points) < 3 {
			s.tb.Errorf("%d points of %s", len(points), window)
			continue
		}
		if first := time.Since(points[0].At); first < covers*19/20-2*time.Hour*time.Duration(btoi(window > 24*time.Hour))-2*time.Minute {
			s.tb.Errorf("the history of %s begins %s ago", window, first)
		}
		measured, simulated := 0, 0
		for _, point := range points {
			if point.At.After(p.Until) || p.IsDown(1, point.At) {
				continue // while the past was written and the program started nothing was measured, nor while it was down
			}
			simulated++
			if point.MinMS != nil && *point.MinMS <= point.MS && point.MS <= *point.MaxMS && point.MS > 0 {
				measured++
			}
		}
		if measured < simulated*9/10 || simulated < 3 {
			s.tb.Errorf("%d of %d points of %s have a latency", measured, simulated, window)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestAStartHasTheWholePast is the benchmark with a small past: what is measured
// there depends on the machine, and what is true here does not.
func TestAStartHasTheWholePast(t *testing.T) {
	binary := program(t) // before the past is written: it would be minutes old where that takes so long
	p := past.Past{Services: 3, Interval: 10 * time.Second, Lasts: 31 * time.Hour, Until: time.Now().Add(-time.Second)}
	dir := filepath.Join(t.TempDir(), "data")
	left := p.Write(t, dir)
	s := start(t, binary, dir, p, whole)
	check(p, s, left)
	if err := syscall.Kill(s.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.killed = true
	s.end()
	again := start(t, binary, dir, p, whole) // nothing is counted twice
	check(p, again, left)
}

// BenchmarkStartup starts on a week of 10 services and on a day of 500, each
// checked each 2 s, and beside them with an empty log.
func BenchmarkStartup(b *testing.B) {
	binary := program(b)
	for _, p := range []past.Past{
		{Services: 10, Interval: 2 * time.Second, Lasts: 7 * 24 * time.Hour},
		{Services: 500, Interval: 2 * time.Second, Lasts: 24 * time.Hour},
	} {
		b.Run(fmt.Sprintf("%d-services-%dd", p.Services, p.Lasts/(24*time.Hour)), func(b *testing.B) {
			for b.Loop() {
				measure(b, binary, p)
			}
			b.ReportMetric(0, "ns/op") // the writing of the past
		})
	}
}

func measure(b *testing.B, binary string, p past.Past) {
	b.Helper()
	const settled = 30 * time.Second // that both run after they were ready, before their memory is compared
	p.Until = time.Now().Add(-time.Second)
	dir := filepath.Join(b.TempDir(), "data")
	left := p.Write(b, dir)
	b.Logf("records %v\nbatches %v", left.Records, left.Batches)
	p.Lasts -= time.Since(p.Until) // which is unknown: nothing ran while it was written
	full := start(b, binary, dir, p, whole)
	check(p, full, left)
	time.Sleep(settled)
	fullMB := full.rssMB()
	full.end()
	empty := start(b, binary, filepath.Join(b.TempDir(), "data"), p, func(p past.Past, all []served) bool { return len(all) == p.Services })
	time.Sleep(settled)
	emptyMB := empty.rssMB()
	empty.end()
	b.ReportMetric(full.ready.Seconds(), "s-start")
	b.ReportMetric(empty.ready.Seconds(), "s-start-empty")
	b.ReportMetric(full.cpu.Seconds(), "cpu-s-start")
	b.ReportMetric(empty.cpu.Seconds(), "cpu-s-start-empty")
	b.ReportMetric(fullMB, "MB")
	b.ReportMetric(fullMB-emptyMB, "MB-over-empty")
}
