//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/internal/event"
)

// container runs a service in a container of that name, and returns its url.
// It is removed with the test.
func container(t *testing.T, e *engine.Engine, name string, args ...string) string {
	t.Helper()
	port := freePort(t)
	run := append([]string{"run", "-d", "--name", name, "-p", fmt.Sprintf("127.0.0.1:%d:8080", port)}, args...)
	if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "logstream-webapp") }) {
		run = append(run, "logstream-webapp")
	}
	e.Docker(t, run...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = e.Command(ctx, nil, "rm", "-f", name)
	})
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// yaml is one service in the configuration's form.
func yaml(name, url, more string) string {
	return fmt.Sprintf("  - {name: %s, url: %q, container: %s%s}\n", name, url, name, more)
}

// engineTimes are the engine's own times of one kind of event of a container
// since then.
func engineTimes(t *testing.T, e *engine.Engine, name string, since time.Time, action string) (times []time.Time) {
	t.Helper()
	for _, event := range e.Events(t, since) {
		if event.Name == name && event.Action == action {
			times = append(times, event.At)
		}
	}
	return times
}

// engineActions counts the events that the engine itself reported of a container since then.
func engineActions(t *testing.T, e *engine.Engine, name string, since time.Time, action string) int {
	t.Helper()
	return len(engineTimes(t, e, name, since, action))
}

// fault is a way to break a real container.
type fault struct {
	name   string
	do     func(t *testing.T, docker *engine.Engine, name string)
	action string // that heals it, and the engine's event of it
	image  string
}

func dockerDoes(args ...string) func(*testing.T, *engine.Engine, string) {
	return func(t *testing.T, docker *engine.Engine, name string) { docker.Docker(t, append(args, name)...) }
}

var faults = []fault{
	{"stop", dockerDoes("stop"), "start", "logstream-webapp"},
	{"stop as nginx is stopped", dockerDoes("stop"), "start", "logstream-webapp-quit"},
	{"kill", dockerDoes("kill"), "start", "logstream-webapp"},
	{"pause", dockerDoes("pause"), "unpause", "logstream-webapp"},
	{"exit by itself", exits, "start", "logstream-webapp"},
}

// unhurried gives the verification of a repair a minute more, for a machine that stands
// still meanwhile.
const unhurried = ", start_period: 1m"

// isHealed breaks a service, and counts in the engine's own events.
func (f fault) isHealed(t *testing.T, docker *engine.Engine, d *daemon, name string) {
	t.Helper()
	d.up(name)
	since := time.Now()
	f.do(t, docker, name)
	in := d.newest(60*time.Second, name, "is resolved", func(in apiIncident) bool { return resolved(in) && in.Opened.After(since) })
	if got := actions(in); !slices.Equal(got, []string{f.action}) || how(in) != "healed" || in.DecidedBy != event.ByRunbook {
		t.Errorf("actions %v, how %q, decided by %q: want one %s, healed", got, how(in), in.DecidedBy, f.action)
	}
	if n := engineActions(t, docker, name, since, f.action); n != 1 {
		t.Errorf("the engine reports %d %s, want 1", n, f.action)
	}
	if n := engineActions(t, docker, name, since, "restart"); n != 0 && f.action != "restart" {
		t.Errorf("the engine reports %d restarts", n)
	}
	d.up(name)
}

// TestEachFaultIsHealedByTheRightActionOnce breaks real containers in each way.
func TestEachFaultIsHealedByTheRightActionOnce(t *testing.T) {
	t.Parallel()
	engines.Each(t, eachFaultIsHealed)
}

func eachFaultIsHealed(t *testing.T, docker *engine.Engine) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			name := "shop-" + strings.ReplaceAll(f.name, " ", "-")
			url := container(t, docker, name, f.image)
			f.isHealed(t, docker, configured(t, docker.Host(), "", yaml(name, url, "")).start(), name)
		})
	}
}

// fails makes the service answer with HTTP 500 until it is restarted.
func fails(t *testing.T, docker *engine.Engine, name string) { visit(t, docker, name, "/fail") }

// exits makes the service's process end by itself, through its own page.
func exits(t *testing.T, docker *engine.Engine, name string) {
	t.Helper()
	visit(t, docker, name, "/exit?code=3")
}

// visit requests a page of a service that breaks it.
func visit(t *testing.T, docker *engine.Engine, name, page string) {
	t.Helper()
	port := docker.Docker(t, "port", name, "8080/tcp")
	response, err := http.Get("http://" + strings.Fields(port)[0] + page)
	if err == nil {
		response.Body.Close()
	}
}

func TestHTTP500IsRestartedOnceAndThenEscalated(t *testing.T) {
	t.Parallel()
	engines.Each(t, http500)
}

func http500(t *testing.T, docker *engine.Engine) {
	url := container(t, docker, "flaky")
	lasting := container(t, docker, "lasting")
	mistyped := container(t, docker, "mistyped", "-e", "MODE=500") // as an address that is not the service's
	d := configured(t, docker.Host(), "", yaml("flaky", url, "")+yaml("lasting", lasting, "")+yaml("mistyped", mistyped, "")).start()
	d.up("flaky")
	d.up("lasting")
	since := time.Now()
	visit(t, docker, "lasting", "/fail?lasting=1")
	if response, err := http.Get(url + "/fail"); err == nil {
		response.Body.Close()
	}
	in := d.newest(60*time.Second, "flaky", "is resolved", resolved)
	if got := actions(in); !slices.Equal(got, []string{"restart"}) {
		t.Errorf("actions %v: want one restart", got)
	}
	if n := engineActions(t, docker, "flaky", since, "restart"); n != 1 {
		t.Errorf("the engine reports %d restarts, want 1", n)
	}
	escalated := func(in apiIncident) bool { return in.State == "escalated" }
	last := d.newest(90*time.Second, "lasting", "is escalated", escalated)
	if n := len(actions(last)); n < 1 || n > 2 {
		t.Errorf("%d actions before it was escalated: want one or two", n)
	}
	if never := d.newest(30*time.Second, "mistyped", "is escalated", escalated); len(actions(never)) != 0 || never.CauseID != "check_never_up" {
		t.Errorf("a check that was never UP: actions %v, cause %q", actions(never), never.CauseID)
	}
	before := len(actions(last))
	time.Sleep(20 * time.Second) // long enough for a loop to show
	if after := len(actions(d.incident(last.ID))); after != before {
		t.Errorf("%d actions after it was escalated", after-before)
	}
}

func TestASecondStopStands(t *testing.T) {
	t.Parallel()
	engines.Each(t, secondStop)
}

func secondStop(t *testing.T, docker *engine.Engine) {
	url := container(t, docker, "stubborn")
	d := configured(t, docker.Host(), "", yaml("stubborn", url, "")).start()
	d.up("stubborn")
	docker.Docker(t, "stop", "stubborn")
	d.newest(60*time.Second, "stubborn", "is resolved", resolved)
	docker.Docker(t, "stop", "stubborn")
	in := d.newest(30*time.Second, "stubborn", "is held by the operator gate", heldBy("operator"))
	if len(actions(in)) != 0 {
		t.Errorf("actions %v", actions(in))
	}
	d.until(30*time.Second, "the service is shown as held", func() bool { return d.service("stubborn").Held == "operator" })
	if !strings.Contains(d.raw("/api/v1/incidents/"+in.ID), "again within 10 minutes") {
		t.Error("the page does not say why")
	}
}

// TestAComposeDeploymentIsLeftAlone lets the real Compose recreate a service.
func TestAComposeDeploymentIsLeftAlone(t *testing.T) {
	t.Parallel()
	engines.Each(t, composeDeployment)
}

func composeDeployment(t *testing.T, docker *engine.Engine) {
	dir, port := t.TempDir(), freePort(t)
	compose := func(build string) {
		t.Helper()
		file := filepath.Join(dir, "compose.yaml")
		text := fmt.Sprintf("name: deployed\nservices:\n  web:\n    image: logstream-webapp\n    pull_policy: never\n    container_name: deployed-web\n    environment: {BUILD: %q}\n    ports: [\"127.0.0.1:%d:8080\"]\n", build, port)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		docker.Docker(t, "compose", "-f", file, "up", "-d")
	}
	compose("1")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = docker.Command(ctx, nil, "rm", "-f", "deployed-web")
	})
	d := configured(t, docker.Host(), "", yaml("deployed-web", fmt.Sprintf("http://127.0.0.1:%d", port), "")).start()
	d.up("deployed-web")
	for build := range 3 {
		compose(strconv.Itoa(build + 2))
		d.up("deployed-web")
	}
	d.until(90*time.Second, "nothing is open", func() bool { return d.service("deployed-web").OpenIncident == "" && d.isUp("deployed-web")() })
	for _, in := range d.incidents("deployed-web") {
		if whole := d.incident(in.ID); len(actions(whole)) != 0 {
			t.Errorf("a deployment: actions %v", actions(whole))
		}
	}
	if n := docker.Docker(t, "ps", "-aq", "--filter", "name=deployed-web"); len(strings.Fields(n)) != 1 {
		t.Errorf("after the deployments there are containers %q: want one", n)
	}
}

// TestARestartChangesNothing compares what the page shows before and after.
func TestARestartChangesNothing(t *testing.T) {
	t.Parallel()
	url := container(t, docker, "steady")
	d := configured(t, docker.Host(), "", yaml("steady", url, "")).start()
	d.up("steady")
	docker.Docker(t, "kill", "steady")
	d.newest(60*time.Second, "steady", "is resolved", resolved)
	d.until(10*time.Second, "nothing is open", func() bool { return d.service("steady").OpenIncident == "" })

	second := configured(t, docker.Host(), "", yaml("steady", url, ""))
	second.config, second.args = d.config, d.args // the same data directory
	second.launch()
	if code := second.wait(); code != 2 || !strings.Contains(second.out.String(), "in use") {
		t.Errorf("a second logstream on the same data directory: exit code %d, and it says %q", code, second.out)
	}

	before, incidents := d.service("steady"), without(t, d.raw("/api/v1/incidents"))
	d.kill()
	d.start()
	d.until(20*time.Second, fmt.Sprintf("it has read what is on the log, and all is as before: %+v, %s", before, incidents), func() bool {
		now, all := d.service("steady"), d.incidents("steady") // as far as it has read them
		if now.Status == "DOWN" || len(all) > 1 {
			t.Fatalf("before: %+v, %s\nafter: %+v, %+v", before, incidents, now, all)
		}
		return d.status("/readyz") == http.StatusOK && now == before && without(t, d.raw("/api/v1/incidents")) == incidents
	})
}

// without drops the fields that only age.
func without(t *testing.T, text string) string {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
