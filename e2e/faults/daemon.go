//go:build e2e

package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"logstream/e2e/process"
	"logstream/internal/event"
)

// daemon is LogStream over a group of scenarios.
type daemon struct {
	process.Process
	dir    string
	page   string
	log    string
	binary string
}

// healerValues are the suite's: no model, and times that are short to wait
// for. What limits a whole host is off: many scenarios run on one.
const healerValues = `{mode: auto, decide: runbook, manual_grace: 1s, quiet: 5s, verify: {for: 4s, successes: 3}, budget: {attempts: 3, per_hour: 60, host_per_minute: 600, cooldown: 5s, min_healthy: 0%}}`

// configuration is the file over these services.
func (d *daemon) configuration(host string, services []string) string {
	broker, data := fmt.Sprintf("127.0.0.1:%d", freePort()), filepath.Join(d.dir, "data")
	return fmt.Sprintf(`bus: {embedded: {listen: %q, data: %q}}
docker: {host: %q}
healer: %s
dashboard: {listen: %q}
defaults: {interval: 1s, timeout: 800ms, failure_threshold: 2, success_threshold: 2}
services:
%s
`, broker, data, host, healerValues, d.page, strings.Join(services, "\n"))
}

func newDaemon(binary, dir string) (*daemon, error) {
	d := &daemon{dir: dir, binary: binary, page: fmt.Sprintf("127.0.0.1:%d", freePort()), log: filepath.Join(dir, "log")}
	return d, os.MkdirAll(dir, 0o700)
}

// accepts says why logstream does not accept a configuration.
func (d *daemon) accepts(text string) error {
	file := filepath.Join(d.dir, "one.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	if out, err := exec.Command(d.binary, "check", "--config", file).CombinedOutput(); err != nil {
		return fmt.Errorf("logstream check: %s", strings.TrimSpace(string(out)))
	}
	return nil
}

// start starts it, and waits until it owns its host.
func (d *daemon) start(text string) error {
	file := filepath.Join(d.dir, "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(d.binary, "run", "--config", file)
	cmd.Dir = d.dir
	if err := d.Start(cmd, d.log); err != nil {
		return err
	}
	return await(2*time.Minute, "the page of logstream answers", func() bool {
		var info struct {
			Active bool `json:"active"`
		}
		return d.get("/api/v1/info", &info) == nil && info.Active
	})
}

func (d *daemon) stop() error { return d.End(syscall.SIGTERM) }

// said is what it said last of the services whose names hold a name; of all where
// it is empty.
func (d *daemon) said(name string) string {
	text, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, name) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-60):], "")
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

// send sends a command over the API.
func (d *daemon) send(method, path, body string) error {
	request, err := http.NewRequest(method, "http://"+d.page+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return nil
}

// serviceView and incidentView are the parts of the API's objects that the suite reads.
type serviceView struct {
	Name         string    `json:"name"`
	Status       string    `json:"status"`
	Since        time.Time `json:"since"`
	Held         string    `json:"held"`
	OpenIncident string    `json:"open_incident"`
}

type incidentView struct {
	ID      string           `json:"id"`
	Service string           `json:"service"`
	State   string           `json:"state"`
	CauseID string           `json:"cause_id"`
	Held    string           `json:"held"`
	Opened  time.Time        `json:"opened"`
	Events  []event.Incident `json:"events"`
}

// status of the services, by name.
func (d *daemon) services() (map[string]serviceView, error) {
	var all []serviceView
	if err := d.get("/api/v1/services", &all); err != nil {
		return nil, err
	}
	by := map[string]serviceView{}
	for _, s := range all {
		by[s.Name] = s
	}
	return by, nil
}

// incidents of a service, oldest first, with their events.
func (d *daemon) incidents(name string) ([]incidentView, error) {
	var all []incidentView
	if err := d.get("/api/v1/incidents?limit=50&service="+name, &all); err != nil {
		return nil, err
	}
	list := make([]incidentView, len(all))
	for i, in := range all {
		one := &list[len(all)-1-i]
		if err := d.get("/api/v1/incidents/"+in.ID, one); err != nil {
			return nil, err
		}
	}
	return list, nil
}
