//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"logstream/e2e/images"
	"logstream/e2e/kafka"
	"logstream/internal/event"
)

const composeFile = "../docker-compose.yml"

// portVariables name the ports of this machine that it takes.
var portVariables = []string{"KAFKA_PORT", "PAYMENT_PORT", "INVENTORY_PORT", "OLLAMA_PORT"}

// composed is what these tests need of the file as Compose itself reads it.
type composed struct {
	Services map[string]struct {
		Image         string `json:"image"`
		ContainerName string `json:"container_name"`
		Restart       string `json:"restart"`
		Ports         []struct {
			HostIP    string `json:"host_ip"`
			Published string `json:"published"`
		} `json:"ports"`
	} `json:"services"`
}

func readComposed(t *testing.T, args ...string) composed {
	t.Helper()
	var c composed
	out := docker.Docker(t, slices.Concat([]string{"compose", "-f", composeFile}, args, []string{"config", "--format", "json"})...)
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatalf("docker compose config: %v: %s", err, out)
	}
	return c
}

// TestComposeReadsTheShippedFile asks the real Compose what the file says.
func TestComposeReadsTheShippedFile(t *testing.T) {
	version, err := kafka.Version()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range portVariables {
		t.Setenv(name, "")
	}
	ports := map[string]string{"kafka": "9092", "payment-service": "8080", "inventory-service": "8081"}
	for _, profile := range []string{"", "llm"} {
		c := readComposed(t, "--profile", profile)
		if profile == "llm" {
			ports["ollama"] = "11434"
		}
		if len(c.Services) != len(ports) {
			t.Errorf("profile %q: %d services, want %d: %+v", profile, len(c.Services), len(ports), c)
		}
		for name, port := range ports {
			s := c.Services[name]
			if s.ContainerName != name || len(s.Ports) != 1 || s.Ports[0].HostIP != "127.0.0.1" || s.Ports[0].Published != port {
				t.Errorf("%s: %+v, want its name, and its port on loopback", name, s)
			}
			if tag := s.Image[strings.LastIndex(s.Image, ":")+1:]; tag == s.Image || tag == "latest" {
				t.Errorf("the image %s is not pinned", s.Image)
			}
			if strings.HasSuffix(name, "-service") && s.Restart != "no" {
				t.Errorf("%s is restarted by Docker: %q", name, s.Restart)
			}
		}
		if image := c.Services["kafka"].Image; image != "apache/kafka:"+version {
			t.Errorf("Kafka is %s, and the tests run %s", image, version)
		}
	}
}

// TestComposeTheWalkThrough is what a reader of docs/tutorial.md does, with the shipped
// files: Compose brings Kafka and the services up, logstream runs on a terminal,
// docker stop is typed three times, and all is taken down and brought up again
// while logstream runs. Kafka has kept what happened, until its volume goes, too.
func TestComposeTheWalkThrough(t *testing.T) {
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what) }
	ports := map[string]string{}
	for _, name := range portVariables {
		_, port, _ := net.SplitHostPort(kafka.Free(t))
		ports[name] = port
		t.Setenv(name, port)
	}
	c := readComposed(t)
	if err := kafka.LoadImage(t.Context(), docker, c.Services["kafka"].Image); err != nil {
		t.Fatal(err)
	}
	// What nginx is to this scenario: something that answers on port 80 and is stopped by SIGQUIT.
	images.Load(t, docker, images.Image{Name: c.Services["payment-service"].Image, StopSignal: "SIGQUIT", Env: []string{"ADDR=:80"}})
	step("the images are made")

	compose := func(args ...string) { docker.Docker(t, append([]string{"compose", "-f", composeFile}, args...)...) }
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if t.Failed() {
			logs := exec.CommandContext(ctx, "docker", "logs", "--tail", "50", "kafka")
			logs.Env = docker.Environ()
			said, _ := logs.CombinedOutput()
			t.Logf("Kafka said:\n%s", tail(string(said), 6000))
		}
		_, _ = docker.Command(ctx, nil, "compose", "-f", composeFile, "--profile", "llm", "down", "-v")
	})
	compose("up", "-d", "--wait")
	step("docker compose up -d --wait")

	d := shipped(t, map[string]string{
		"http://localhost:8080": "http://localhost:" + ports["PAYMENT_PORT"],
		"http://localhost:8081": "http://localhost:" + ports["INVENTORY_PORT"],
	})
	d.env = append(d.env, "LOGSTREAM_KAFKA=127.0.0.1:"+ports["KAFKA_PORT"])
	d.tty = true
	d.start()
	for _, name := range demoServices {
		d.up(name)
	}
	d.until(20*time.Second, "it is ready", func() bool { return d.status("/readyz") == http.StatusOK })
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "a green card", card+` === "UP"`)
	sees(t, ctx, "the live connection", `document.documentElement.dataset.conn === "live"`)
	step("all is green")

	since := time.Now()
	var healed []string
	for round := range 3 {
		// What the page shows is gathered while it changes.
		eval[bool](t, ctx, `(window.cards = [], window.agent = [], window.gather ??= setInterval(() => {
			const state = document.querySelector('[data-agent-state]')?.dataset.agentState, status = `+card+`;
			if (status !== cards.at(-1)) cards.push(status);
			if (state !== agent.at(-1)) agent.push(state);
		}, 10), true)`)
		typed := time.Now()
		docker.Docker(t, "stop", "payment-service")
		sees(t, ctx, "a red card", `cards.includes("DOWN")`)
		picture(t, ctx, fmt.Sprintf("compose-%d-down", round+1))
		sees(t, ctx, "FIXING", `agent.includes("FIXING")`)
		d.until(30*time.Second, fmt.Sprintf("stop %d opens an incident", round+1), func() bool { return len(d.incidents("payment-service")) == round+1 })
		sees(t, ctx, "a green card again", card+` === "UP" && cards.includes("DOWN")`)
		green := time.Since(typed)
		in := d.newest(60*time.Second, "payment-service", "is resolved", resolved)
		healed = append(healed, in.ID)
		if got := actions(in); !slices.Equal(got, []string{"start"}) || how(in) != "healed" {
			t.Errorf("stop %d: actions %v, how %q: want one start, healed", round+1, got, how(in))
		}
		for _, want := range []event.Type{event.TypeOpened, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified, event.TypeResolved} {
			if !slices.ContainsFunc(in.Events, func(e event.Incident) bool { return e.Type == want }) {
				t.Errorf("stop %d: the incident has no %s", round+1, want)
			}
		}
		d.up("payment-service")
		sees(t, ctx, "WATCHING again", `agent.at(-1) === "WATCHING"`)
		step(fmt.Sprintf("stop %d: green %.1f s after it was typed; the card showed %v, the agent %v; %s", round+1, green.Seconds(),
			eval[[]string](t, ctx, "cards"), eval[[]string](t, ctx, "agent"), timeline(in, typed)))
	}
	d.until(5*time.Second, "the terminal prints of the last repair", func() bool { return strings.Count(d.out.String(), "✅ ") == 3 })
	wantLines(t, d.terminalLines("payment-service"))
	if got, want := engineReports(t, since), slices.Repeat([]string{"payment-service stop", "payment-service start"}, 3); !slices.Equal(got, want) {
		t.Errorf("the engine reports %v, want %v", got, want)
	}

	compose("down")
	step("docker compose down")
	if got := engineReports(t, since); strings.Count(strings.Join(got, ","), "payment-service start") != 3 {
		t.Errorf("docker compose down, and it was started once more: %v", got)
	}
	compose("up", "-d", "--wait")
	d.until(60*time.Second, "it is ready again", func() bool { return len(problems(d, "bus")) == 0 && d.status("/readyz") == http.StatusOK })
	for _, name := range demoServices {
		d.up(name)
	}
	step("docker compose up -d --wait once more, and all is green")
	for _, id := range healed {
		if events := readIncident(t, "127.0.0.1:"+ports["KAFKA_PORT"], id); len(events) < 7 {
			t.Errorf("after docker compose down and up, Kafka has %d events of %s", len(events), id)
		}
	}
	// Other containers know it by another address. It is asked from its own one: where a firewall
	// forbids what an engine that leaves it alone forwards, no two containers reach each other.
	read := docker.Docker(t, "exec", "kafka", "java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", "/opt/kafka/libs/*",
		"org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", "kafka:19092", "--topic", event.TopicIncidents, "--from-beginning", "--max-messages", "1")
	if !strings.Contains(read, `"type":"claim"`) {
		t.Errorf("a container in the network reads as the first event: %s", read)
	}
	step("a container in the network has read it")
	all := d.incidents("")
	if len(all) < len(healed) {
		t.Errorf("the page shows %d incidents: it has forgotten some of %d", len(all), len(healed))
	}
	for _, in := range all {
		if !slices.Contains(healed, in.ID) && in.Attempts > 0 {
			t.Errorf("docker compose down and up: %s took %d attempts to repair %s", in.ID, in.Attempts, in.Service)
		}
	}
	if _, err := d.keyboard.Write([]byte{3}); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	if code := d.wait(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
	step("Ctrl-C")

	// The model's part comes and goes with its profile.
	images.Load(t, docker, images.Image{Name: readComposed(t, "--profile", "llm").Services["ollama"].Image, Env: []string{"ADDR=:11434"}})
	compose("--profile", "llm", "up", "-d", "--wait")
	compose("exec", "-T", "ollama", "/webapp", "-check")
	compose("--profile", "llm", "down", "-v")
	for _, list := range [][]string{{"ps", "-aq"}, {"volume", "ls", "-q"}, {"network", "ls", "-q"}} {
		if left := docker.Docker(t, append(list, "--filter", "label=com.docker.compose.project=logstream")...); left != "" {
			t.Errorf("docker compose down -v leaves: docker %s lists %s", strings.Join(list, " "), left)
		}
	}
	step("docker compose down -v")
}

// shipped is a daemon with the shipped config.yaml, of which only places are
// changed: those of this machine's ports, and what change says.
func shipped(t *testing.T, change map[string]string) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: t.TempDir(), host: docker.Host()}
	d.page, d.broker = fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d.config = filepath.Join(d.dir, "config.yaml")
	d.args = []string{"run"} // as in docs/tutorial.md: config.yaml is where it runs, and its data beside it
	d.env = []string{"DOCKER_HOST=" + docker.Host()}
	content, err := os.ReadFile("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	places := map[string]string{"listen: 127.0.0.1:5000": "listen: " + d.page, "listen: 127.0.0.1:9092": "listen: " + d.broker}
	for _, list := range []map[string]string{places, change} {
		for from, to := range list {
			if strings.Count(text, from) != 1 {
				t.Fatalf("config.yaml has %q %d times: want it once", from, strings.Count(text, from))
			}
			text = strings.Replace(text, from, to, 1)
		}
	}
	d.write(text)
	return d
}

// timeline is when each event of an incident was written, in seconds since then.
func timeline(in apiIncident, since time.Time) string {
	var parts []string
	for _, e := range in.Events {
		parts = append(parts, fmt.Sprintf("%s %.1f", e.Type, e.Time.Sub(since).Seconds()))
	}
	return strings.Join(parts, ", ")
}

// wantLines compares what the terminal printed of payment-service, three times.
func wantLines(t *testing.T, lines []string) {
	t.Helper()
	var icons []string
	for _, line := range lines {
		_, line, _ = strings.Cut(line, " ")                                        // the time
		if icon, _, _ := strings.Cut(line, " "); strings.Contains("🔴🤖⚡🟢✅", icon) { // and whatever holds it, which is printed or not
			icons = append(icons, icon)
		}
	}
	icons = slices.Compact(icons) // a slow check between makes it green twice
	want := append([]string{"🟢"}, slices.Repeat([]string{"🔴", "🤖", "⚡", "🟢", "✅"}, 3)...)
	text := strings.Join(lines, "\n")
	if !slices.Equal(icons, want) {
		t.Errorf("the terminal printed %v, want %v:\n%s", icons, want, text)
	}
	for _, line := range []string{"🔴 payment-service is DOWN", "⚡ docker start payment-service\n", "✅ payment-service healed in "} {
		if n := strings.Count(text+"\n", line); n != 3 {
			t.Errorf("the terminal prints %q %d times, want 3:\n%s", line, n, text)
		}
	}
	t.Logf("the terminal printed:\n%s", text)
}

// engineReports is what the engine itself says was done since then to any
// container: what started, stopped, was paused, restarted, killed. A stop's own
// signal and end, and checks, are no acts of their own.
func engineReports(t *testing.T, since time.Time) []string {
	t.Helper()
	var acts []string
	for _, event := range docker.Events(t, since) {
		if event.Action != "kill" && event.Action != "die" && !strings.HasPrefix(event.Action, "exec_") && !strings.HasPrefix(event.Action, "health_status") {
			acts = append(acts, event.Name+" "+event.Action)
		}
	}
	return acts
}
