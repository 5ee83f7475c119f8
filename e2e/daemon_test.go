//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/internal/event"
)

// daemon is one data directory and one configuration, under which logstream
// can be started, killed and started again.
type daemon struct {
	t      *testing.T
	dir    string
	config string
	page   string // its address
	broker string
	args   []string
	env    []string
	host   string // of its container engine; empty: the demo's processes
	engine string // and which one that is, once a recording asked for it
	tty    bool   // it runs on a terminal, as a person starts it

	program string // empty: binary

	keyboard io.Writer // of its terminal
	cmd      *exec.Cmd
	out      *lockedBuffer
	exited   chan struct{}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func freePort(t *testing.T) int { t.Helper(); return engine.FreePort(t) }

// configured is a daemon with the shipped file's values, the engine on host,
// and what extra adds to the healer's section; services is YAML. What fails again
// soon is restarted again: tests break one service more than once. Checks have 5 s, so
// that a container is not DOWN where the machine stands still.
func configured(t *testing.T, host, healer, services string) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: t.TempDir(), host: host}
	d.page = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d.broker = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d.config = filepath.Join(d.dir, "config.yaml")
	if !strings.Contains(healer, "decide:") {
		healer += ", decide: runbook" // whatever model this machine has
	}
	if !strings.Contains(healer, "verify:") {
		healer += ", verify: {for: 5s, successes: 3}" // half of the time: the demo's are the shipped ones
	}
	text := fmt.Sprintf(`
bus: {embedded: {listen: %q, data: %q}}
docker: {host: %q}
healer: {mode: auto, manual_grace: 1s, budget: {per_hour: 60, host_per_minute: 30, recurrence: {soon: 0s}}%s}
dashboard: {listen: %q}
defaults: {interval: 1s, timeout: 5s, failure_threshold: 2, success_threshold: 2}
services:
%s`, d.broker, filepath.Join(d.dir, "data"), host, healer, d.page, services)
	d.write(text)
	d.args = []string{"run", "--config", d.config}
	return d
}

func (d *daemon) write(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// start starts logstream and waits until its page answers.
func (d *daemon) start() *daemon {
	d.t.Helper()
	d.launch()
	d.until(60*time.Second, "the page answers", func() bool {
		response, err := http.Get("http://" + d.page + "/healthz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return d
}

func (d *daemon) launch() {
	d.t.Helper()
	d.cmd = exec.Command(cmp.Or(d.program, binary), d.args...)
	d.cmd.Dir = d.dir
	d.cmd.Env = slices.Concat(os.Environ(), d.recorded(), d.env)
	d.out = &lockedBuffer{}
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	d.exited = make(chan struct{})
	if d.tty {
		d.keyboard = onTerminal(d.t, d.cmd, d.out)
	}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	cmd, exited, out := d.cmd, d.exited, d.out
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	d.t.Cleanup(func() {
		select {
		case <-exited:
		default:
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-exited:
			case <-time.After(time.Minute):
				d.t.Error("logstream does not end on SIGTERM within a minute")
				_ = cmd.Process.Kill()
				<-exited
			}
		}
		if strings.Contains(out.String(), "WARNING: DATA RACE") {
			d.t.Error("the race detector found something")
		}
		if d.t.Failed() {
			d.t.Logf("logstream said:\n%s", tail(out.String(), 12000))
		}
	})
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// kill ends it at once.
func (d *daemon) kill() {
	d.t.Helper()
	_ = d.cmd.Process.Kill()
	<-d.exited
}

// stop ends it in order, and returns its exit code.
func (d *daemon) stop() int {
	d.t.Helper()
	_ = d.cmd.Process.Signal(os.Interrupt)
	return d.wait()
}

func (d *daemon) wait() int {
	d.t.Helper()
	select {
	case <-d.exited:
	case <-time.After(time.Minute):
		d.t.Fatal("logstream did not end within a minute")
	}
	return d.cmd.ProcessState.ExitCode()
}

// until waits for a condition, a minute at least: a machine may be slow. It asks
// twenty times a second: six tests that ask more often keep a core busy with that.
func (d *daemon) until(limit time.Duration, what string, is func() bool) {
	d.t.Helper()
	limit = max(limit, time.Minute)
	for end := time.Now().Add(limit); !is(); {
		if time.Now().After(end) {
			d.t.Fatalf("not within %s: %s\nservices: %s\nthe newest incident: %s", limit, what, d.raw("/api/v1/services"), d.newestWhole())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *daemon) raw(path string) string {
	response, err := http.Get("http://" + d.page + path)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

func (d *daemon) get(path string, into any) error {
	response, err := http.Get("http://" + d.page + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func (d *daemon) post(path, body string) (int, string) {
	d.t.Helper()
	return d.send(http.MethodPost, path, body)
}

func (d *daemon) send(method, path, body string) (int, string) {
	d.t.Helper()
	request, err := http.NewRequest(method, "http://"+d.page+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Origin", "http://"+d.page)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(answer)
}

// apiService and apiIncident are the parts of the API's objects that scenarios read.
type apiService struct {
	Name         string `json:"name"`
	Status       string `json:"status"`
	Held         string `json:"held"`
	OpenIncident string `json:"open_incident"`
	Owner        string `json:"owner"`
	Error        string `json:"error"`
}

type apiIncident struct {
	ID        string           `json:"id"`
	Service   string           `json:"service"`
	State     string           `json:"state"`
	Cause     string           `json:"cause"`
	CauseID   string           `json:"cause_id"`
	Action    string           `json:"action"`
	DecidedBy string           `json:"decided_by"`
	Attempts  int              `json:"attempts"`
	Held      string           `json:"held"`
	Opened    time.Time        `json:"opened"`
	Resolved  time.Time        `json:"resolved"` // zero: it is open
	Root      string           `json:"root"`
	Events    []event.Incident `json:"events"`
}

func (d *daemon) service(name string) apiService {
	var all []apiService
	if err := d.get("/api/v1/services", &all); err != nil {
		return apiService{}
	}
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	return apiService{}
}

func (d *daemon) isUp(name string) func() bool {
	return func() bool { return d.service(name).Status == "UP" }
}

func (d *daemon) up(name string) {
	d.t.Helper()
	d.until(60*time.Second, name+" is UP", d.isUp(name))
}

// incidents of a service, newest first.
func (d *daemon) incidents(name string) []apiIncident {
	var all []apiIncident
	_ = d.get("/api/v1/incidents?limit=100&service="+name, &all)
	return all
}

func (d *daemon) incident(id string) apiIncident {
	d.t.Helper()
	var one apiIncident
	if err := d.get("/api/v1/incidents/"+id, &one); err != nil {
		d.t.Fatal(err)
	}
	return one
}

// newest waits until is accepts the service's newest incident.
func (d *daemon) newest(limit time.Duration, name, what string, is func(apiIncident) bool) apiIncident {
	d.t.Helper()
	var found apiIncident
	d.until(limit, name+"'s newest incident "+what, func() bool {
		all := d.incidents(name)
		if len(all) == 0 {
			return false
		}
		found = all[0]
		return is(found)
	})
	// What is published of the service stands on another topic, and may be read later.
	whose, err := url.QueryUnescape(name)
	if err != nil {
		d.t.Fatal(err)
	}
	d.until(limit, name+" says so as well, or it is over", func() bool {
		all := d.incidents(name)
		return found.Held == "" || whose == event.ReservedService || d.service(whose).Held == found.Held || len(all) > 0 && all[0].Held != found.Held
	})
	return d.incident(found.ID)
}

func resolved(in apiIncident) bool { return in.State == "resolved" }

func heldBy(gate string) func(apiIncident) bool {
	return func(in apiIncident) bool { return in.Held == gate }
}

// how an incident ended.
func how(in apiIncident) string {
	for _, e := range in.Events {
		if data, is := e.Data.(event.Resolved); is {
			return data.How
		}
	}
	return ""
}

// actions of an incident, in order, without those that were found out of place
// before the call, and closed without one.
func actions(in apiIncident) []string {
	list := []string{}
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.ActionStarted:
			list = append(list, data.Action)
		case event.ActionFinished:
			if data.Outcome == event.OutcomeNotExecuted && len(list) > 0 {
				list = list[:len(list)-1]
			}
		}
	}
	return list
}

// running says whether a process lives.
func running(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// newestWhole is the newest incident with its events, for a failed test's log.
func (d *daemon) newestWhole() string {
	var all []apiIncident
	if err := d.get("/api/v1/incidents?limit=1", &all); err != nil || len(all) == 0 {
		return "none"
	}
	return d.raw("/api/v1/incidents/" + all[0].ID)
}
