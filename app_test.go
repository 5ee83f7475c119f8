package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/healer"
	"logstream/internal/config"
	"logstream/internal/health"
)

// TestStartupFailures: what a person has to change first ends the start with one
// clear error and exit code 2.
func TestStartupFailures(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	held := t.TempDir()
	holder, err := open(t.Context(), smallSetup(t, held), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := holder.bus.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	const services = "\nservices: [{name: a, url: 'http://localhost:1'}]\n"
	free := "bus: {embedded: {listen: '127.0.0.1:0', data: " + t.TempDir() + "}}\n"
	for name, c := range map[string]struct{ content, want string }{
		"page's port":    {free + "dashboard: {listen: '" + taken.Addr().String() + "'}" + services, "another program is listening there: stop it, or set another port in dashboard.listen"},
		"page's address": {free + "dashboard: {listen: '203.0.113.1:5000', token: a-token-of-some-length}" + services, "listen on 203.0.113.1:5000: cannot assign requested address; this machine does not have that address"},
		"log's port":     {"bus: {embedded: {listen: '" + taken.Addr().String() + "', data: " + t.TempDir() + "}}" + services, taken.Addr().String()},
		"data directory": {"bus: {embedded: {listen: '127.0.0.1:0', data: " + held + "}}" + services, "data directory " + held + " is in use by another logstream"},
		"engine":         {free + "docker: {host: 'carrier-pigeon://coop'}" + services, "carrier-pigeon"},
		"unknown key":    {"servics: []\n", "servics: unknown key; did you mean services?"},
		"listen to all":  {"dashboard: {listen: '203.0.113.1:5000'}" + services, "is reachable from other machines"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, failed := logstream("run", "--config", written(t, c.content))
			if code != exitStartupFailure || out != "" || !strings.Contains(failed, c.want) || strings.Count(failed, "\n") != 1 {
				t.Errorf("exit %d, %q, %s", code, out, failed)
			}
		})
	}
	if code, _, failed := logstream("run", "--config", filepath.Join(held, "none.yaml")); code != exitStartupFailure || !strings.Contains(failed, "does not exist") {
		t.Errorf("a missing file: exit %d, %s", code, failed)
	}
}

// TestWarningsAreShownAtStart, before a port or the data directory is opened.
func TestWarningsAreShownAtStart(t *testing.T) {
	path := written(t, "docker: {host: 'carrier-pigeon://coop'}\nbus: {brokers: 'kafka.invalid:9092', sasl: {mechanism: PLAIN, username: a, password: hunter2}}\nservices: [{name: a, url: 'http://localhost:1'}]\n")
	_, _, failed := logstream("run", "--config", path)
	if first, _, _ := strings.Cut(failed, "\n"); !strings.Contains(first, ":2:56: warning: bus.sasl.mechanism: \"PLAIN\" sends the password unencrypted") || strings.Contains(failed, "hunter2") {
		t.Errorf("printed was %s", failed)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// smallSetup is the demo, on any ports, in dir.
func smallSetup(t *testing.T, dir string) setup {
	t.Helper()
	s, err := demoSetup(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.config.Dashboard.Listen, s.config.Bus.Embedded.Listen = "127.0.0.1:0", "127.0.0.1:0"
	return s
}

// started runs an app until the returned function stops it.
func started(t *testing.T, s setup) (*app, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	a, err := open(ctx, s, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := a.run(ctx); ended <- err }()
	stop := func() error { cancel(); err := <-ended; ended <- err; return err }
	t.Cleanup(func() { _ = stop() })
	return a, stop
}

// until waits for a condition, a minute at least: a machine may be slow.
func until(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	limit = max(limit, time.Minute)
	for end := time.Now().Add(limit); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// statuses are those that a page shows, by service.
func statuses(page string) map[string]string {
	response, err := http.Get("http://" + page + "/api/v1/services")
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var all []struct{ Name, Status string }
	if json.NewDecoder(response.Body).Decode(&all) != nil {
		return nil
	}
	by := map[string]string{}
	for _, s := range all {
		by[s.Name] = s.Status
	}
	return by
}

// TestRunsAndStops is the whole demo in this process: it comes up, and stops
// in order, well within its bound, with every child gone.
func TestRunsAndStops(t *testing.T) {
	s := smallSetup(t, t.TempDir())
	a, stop := started(t, s)
	until(t, 20*time.Second, "all are UP", func() bool {
		by := statuses(a.dashboard.now().Addr())
		return by["payment-service"] == "UP" && by["inventory-service"] == "UP" && by["database"] == "UP"
	})
	if left := a.running.names(); len(left) != 9 {
		t.Errorf("running are %v", left)
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if left := a.running.names(); len(left) != 0 {
		t.Errorf("still running: %v", left)
	}
	for _, service := range a.configured() {
		if response, err := http.Get(service.URL); err == nil {
			response.Body.Close()
			t.Errorf("%s still answers", service.Name)
		}
	}
}

// TestPartsThatDoNotStopAreNamed: a stop does not wait for them for ever.
func TestPartsThatDoNotStopAreNamed(t *testing.T) {
	var log bytes.Buffer
	a := &app{log: slog.New(slog.NewTextHandler(&log, nil)), registry: &health.Registry{}}
	release := make(chan struct{})
	var group errgroup.Group
	ctx, ending := context.WithCancel(t.Context())
	a.keep(ctx, &group, "snail", func(context.Context) error { <-release; return nil })
	ending()
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.ended(now, &group); err == nil || !strings.HasSuffix(err.Error(), ": snail") || !strings.Contains(log.String(), "snail") {
		t.Errorf("got %v, and the log says %s", err, &log)
	}
	close(release)
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestFreePortsDiffer(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	if port > 65000 {
		port -= 1000
	}
	free, err := freePorts(port, port, port)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{taken.Addr().String(): port == taken.Addr().(*net.TCPAddr).Port}
	for _, address := range free {
		if seen[address] {
			t.Errorf("%s is given twice, or taken: %v", address, free)
		}
		seen[address] = true
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("%s is not free: %v", address, err)
			continue
		}
		l.Close()
	}
}

func TestProtected(t *testing.T) {
	c := config.Config{Healer: healer.Default()}
	c.Bus.Brokers = []string{"kafka:9092", "127.0.0.1:9093", "localhost:9094", "[::1]:9095", "broker.shop:9092", "192.0.2.1:9096"}
	const brokers = "kafka :9093 :9094 :9095 broker.shop"
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"http://localhost:11434": brokers + " :11434", "http://localhost": brokers + " :80", "https://[::1]/ollama": brokers + " :443",
		"http://ollama:11434": brokers + " ollama", "http://ollama": brokers + " ollama", "http://" + name + ":11434": brokers + " :11434",
	} {
		c.Healer.Decide, c.Healer.LLM.URL = "", address
		if got := strings.Join(protected(c), " "); got != want {
			t.Errorf("with a model at %s: %q, want %q", address, got, want)
		}
		c.Healer.Decide = healer.DecideRunbook
		if got := strings.Join(protected(c), " "); got != brokers {
			t.Errorf("without a model: %q", got)
		}
	}
}
