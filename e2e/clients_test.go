//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"logstream/e2e/kafka"
	"logstream/internal/event"
)

// consumeCommands are the commands of docs/events.md for other Kafka clients, in order, word
// for word but for the broker's address, which is this daemon's.
func (d *daemon) consumeCommands() (incidents, healthLogs, publish string) {
	d.t.Helper()
	text, err := os.ReadFile("../docs/events.md")
	if err != nil {
		d.t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(string(text)) {
		if command, is := strings.CutPrefix(strings.TrimSpace(line), "$ "); is {
			if strings.Count(command, "127.0.0.1:9092") != 1 {
				d.t.Fatalf("docs/events.md: %s does not name the broker once", command)
			}
			commands = append(commands, strings.Replace(command, "127.0.0.1:9092", d.broker, 1))
		}
	}
	if len(commands) != 3 {
		d.t.Fatalf("docs/events.md has %d commands, want 3: %q", len(commands), commands)
	}
	return commands[0], commands[1], commands[2]
}

// typed starts a command line in a shell, with what is in the folder tools at hand.
// It ends with the test.
func typed(t *testing.T, line, tools string) (cmd *exec.Cmd, out *lockedBuffer) {
	t.Helper()
	out = &lockedBuffer{}
	said := &lockedBuffer{} // beside its output: its two streams come in pieces, in any order
	cmd = exec.Command("bash", "-c", line)
	if tools != "" {
		cmd.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"))
	}
	cmd.Stdout, cmd.Stderr = out, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("%s\nprinted:\n%s\nand said:\n%s", line, tail(out.String(), 4000), tail(said.String(), 2000))
		}
	})
	return cmd, out
}

// runs types a command line, waits for its end, and returns what it printed.
func runs(t *testing.T, line, tools string) string {
	t.Helper()
	cmd, out := typed(t, line, tools)
	timer := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return out.String()
}

// observed is how many observations of a service with that code the API shows.
func (d *daemon) observed(name string, code int) int {
	var one struct {
		Observations []struct {
			Code int `json:"code"`
		} `json:"observations"`
	}
	if err := d.get("/api/v1/services/"+name, &one); err != nil {
		return 0
	}
	n := 0
	for _, o := range one.Observations {
		if o.Code == code {
			n++
		}
	}
	return n
}

// TestKcatReadsAndPublishes types the lines of docs/events.md, with the embedded broker:
// kcat reads a whole incident, and what it publishes turns the card red, where
// nothing is repaired because our own check sees nothing.
func TestKcatReadsAndPublishes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Fatal("kcat is not installed: make deps")
	}
	url := container(t, docker, "web")
	d := configured(t, docker.Host(), "", yaml("web", url, "")).start()
	incidents, _, publish := d.consumeCommands()
	d.up("web")
	docker.Docker(t, "kill", "web")
	in := d.newest(60*time.Second, "web", "is resolved", resolved)

	var read []event.Type
	for line := range strings.Lines(runs(t, incidents, "")) {
		if !strings.HasPrefix(line, "{") {
			continue // kcat's own words
		}
		e, err := event.DecodeIncident([]byte(line))
		if err != nil {
			t.Errorf("kcat read %s: %v", line, err)
		}
		if e.ID == in.ID {
			read = append(read, e.Type)
		}
	}
	var shown []event.Type
	for _, e := range in.Events {
		shown = append(shown, e.Type)
	}
	if !slices.Equal(read, shown) {
		t.Errorf("kcat read the events %v, and the page has %v", read, shown)
	}

	for n := range 2 { // as many as failure_threshold
		runs(t, publish, "")
		d.until(10*time.Second, "what kcat published is in the API", func() bool { return d.observed("web", 500) == n+1 })
	}
	d.until(10*time.Second, "the card is red", func() bool { return d.service("web").Status == "DOWN" })
	held := d.newest(10*time.Second, "web", "is held by the gate unconfirmed", heldBy("unconfirmed"))
	if held.ID == in.ID || len(actions(held)) != 0 {
		t.Errorf("%s: actions %v on a foreign source's report", held.ID, actions(held))
	}
}

// TestConsoleConsumerAndProducer does the same with Kafka's own tools: the
// consumer reads our checks and goes on to read what the producer and kcat write.
func TestConsoleConsumerAndProducer(t *testing.T) {
	t.Parallel()
	tools := kafka.Tools(t)
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(web.Close)
	d := configured(t, docker.Host(), "", fmt.Sprintf("  - {name: web, url: %q}\n", web.URL)).start()
	_, healthLogs, publish := d.consumeCommands()
	d.up("web")
	_, consumed := typed(t, healthLogs, tools)
	contains := func(parts ...string) func() bool {
		return func() bool {
			for line := range strings.Lines(consumed.String()) {
				if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
					return true
				}
			}
			return false
		}
	}
	d.until(30*time.Second, "the consumer reads our checks", contains(`"service":"web"`, `"status":"UP"`, `"check":"http"`))
	runs(t, fmt.Sprintf(`echo '{"timestamp":%d,"service":"web","status":"DOWN","code":503}' | kafka-console-producer.sh --bootstrap-server %s --topic system-logs`,
		time.Now().Unix(), d.broker), tools)
	d.until(10*time.Second, "what the producer wrote is in the API", func() bool { return d.observed("web", 503) == 1 })
	d.until(10*time.Second, "the consumer reads what the producer wrote", contains(`"code":503`))
	runs(t, publish, tools)
	d.until(10*time.Second, "the consumer reads what kcat wrote", contains(`"code":500`))
}

// TestKafkaPythonReadsHealthLogs runs a consumer on plain kafka-python, which
// has no zstd, beside a daemon with the default compression.
func TestKafkaPythonReadsHealthLogs(t *testing.T) {
	t.Parallel()
	reads := func(t *testing.T, prepare func(*daemon)) {
		web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		t.Cleanup(web.Close)
		d := configured(t, docker.Host(), "", fmt.Sprintf("  - {name: web, url: %q, interval: 100ms}\n", web.URL))
		prepare(d)
		d.start()
		d.up("web")
		worker := kafka.PythonWorker(t, d.broker)
		out := &lockedBuffer{}
		worker.Stdout, worker.Stderr = out, out
		if err := worker.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan struct{})
		go func() { _ = worker.Wait(); close(exited) }()
		t.Cleanup(func() {
			_ = worker.Process.Kill()
			<-exited
			if t.Failed() {
				t.Logf("the worker printed:\n%s", tail(out.String(), 4000))
			}
		})
		d.until(30*time.Second, "the worker reads our checks", func() bool {
			select {
			case <-exited:
				t.Fatal("the worker ended")
			default:
			}
			n := 0
			for line := range strings.Lines(out.String()) {
				var log struct {
					Timestamp       float64
					Service, Status string
					Code            int
				}
				if json.Unmarshal([]byte(line), &log) == nil && log.Service == "web" && log.Status == "UP" && log.Code == http.StatusOK &&
					time.Since(time.UnixMicro(int64(log.Timestamp*1e6))).Abs() < time.Minute {
					n++
				}
			}
			return n >= 20
		})
	}
	t.Run("embedded broker", func(t *testing.T) {
		t.Parallel()
		reads(t, func(*daemon) {})
	})
	t.Run("Apache Kafka", func(t *testing.T) {
		t.Parallel()
		k := kafka.Start(t, "")
		reads(t, func(d *daemon) { d.onKafka(k) })
	})
}
