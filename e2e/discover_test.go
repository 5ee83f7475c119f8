//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/event"
)

// discoveredService is what this scenario reads of one service.
type discoveredService struct {
	apiService
	Group      string                  `json:"group"`
	Managed    bool                    `json:"managed"`
	Discovered bool                    `json:"discovered"`
	HeldReason string                  `json:"held_reason"`
	Container  *event.ServiceContainer `json:"container"`
	Config     *event.Definition       `json:"config"`
}

func (d *daemon) discovered(name string) (s discoveredService) {
	_ = d.get("/api/v1/services/"+url.PathEscape(name), &s)
	return s
}

// names are the services that are shown, in order.
func (d *daemon) names() string {
	var all []apiService
	_ = d.get("/api/v1/services", &all)
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// shown waits until exactly these services are, all UP.
func (d *daemon) shown(when, names string) {
	d.t.Helper()
	d.until(30*time.Second, when+": the services are "+names+", and UP", func() bool {
		if d.names() != names {
			return false
		}
		return !slices.ContainsFunc(strings.Fields(names), func(name string) bool { return d.service(name).Status != "UP" })
	})
}

// project is a Compose project that a scenario edits.
type project struct {
	t    *testing.T
	file string
}

// write has the labels of its two services.
func (p project) write(web, db string) {
	p.t.Helper()
	text := fmt.Sprintf(`
name: found
services:
  web: {image: logstream-webapp, labels: {%s}, depends_on: [db], stop_grace_period: 1s}
  db: {image: logstream-webapp, labels: {%s}, stop_grace_period: 1s}
  plain: {image: logstream-webapp, stop_grace_period: 1s}
`, web, db)
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) compose(args ...string) {
	p.t.Helper()
	docker.Docker(p.t, append([]string{"compose", "-f", p.file}, args...)...)
}

// TestDiscoveryFollowsAComposeProject brings a project up, scales it, kills with
// and without leave to repair, recreates it, changes its labels, and takes it
// down. Nothing is repaired that was not asked for.
func TestDiscoveryFollowsAComposeProject(t *testing.T) {
	t.Parallel()
	p := project{t, filepath.Join(t.TempDir(), "compose.yaml")}
	const web, db = "logstream.name: web, logstream.heal: auto", "logstream.enable: 'true'"
	p.write(web, db)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = docker.Command(ctx, nil, "compose", "-f", p.file, "down", "-v", "--remove-orphans")
	})
	d := configured(t, docker.Host(), "", "  []\n")
	content, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(content), "docker: {", "docker: {discover: labelled, ", 1))
	d.start()
	began := time.Now()

	p.compose("up", "-d")
	d.shown("up", "db/1 web/1")
	if s := d.discovered("web/1"); !s.Managed || !s.Discovered || s.Group != "web" || s.Config == nil || s.Config.Heal.Mode != "auto" ||
		!slices.Equal(s.Config.DependsOn, []string{"db/1"}) || s.Config.Container != "found-web-1" {
		t.Errorf("web/1 is shown as %+v, %+v", s, s.Config)
	}
	if s := d.discovered("db/1"); s.Group != "found" || s.Config == nil || s.Config.Heal.Mode != "observe" {
		t.Errorf("db/1 is shown as %+v, %+v", s, s.Config)
	}

	p.compose("up", "-d", "--scale", "web=2")
	p.compose("run", "-d", "--name", "one-off", "web")
	d.shown("scaled up, beside a one-off", "db/1 web/1 web/2")
	docker.Docker(t, "rm", "-f", "one-off")

	docker.Docker(t, "kill", "found-web-2")
	healed := d.newest(60*time.Second, url.QueryEscape("web/2"), "is resolved", resolved)
	if got := actions(healed); !slices.Equal(got, []string{"start"}) || how(healed) != "healed" {
		t.Errorf("web/2, killed: actions %v, how %q", got, how(healed))
	}
	docker.Docker(t, "kill", "found-db-1") // not at once with what depends on it, which would wait for it
	held := d.newest(30*time.Second, url.QueryEscape("db/1"), "is held by observe", heldBy("observe"))
	if s := d.discovered("db/1"); !strings.Contains(s.HeldReason, "label logstream.heal: auto") {
		t.Errorf("it is held with the reason %q", s.HeldReason)
	}

	// A start knows no container at first, and ends nothing for that.
	d.kill()
	d.start()
	d.until(30*time.Second, "both replicas are UP after a restart", func() bool { return d.isUp("web/1")() && d.isUp("web/2")() })
	if in := d.newest(30*time.Second, url.QueryEscape("db/1"), "is held again", heldBy("observe")); in.ID != held.ID || len(actions(in)) > 0 {
		t.Errorf("after a restart its incident is %s with the actions %v, before it was %s", in.ID, actions(in), held.ID)
	}
	docker.Docker(t, "start", "found-db-1")
	if in := d.newest(60*time.Second, url.QueryEscape("db/1"), "is resolved", resolved); how(in) != "recovered" || len(actions(in)) > 0 {
		t.Errorf("started by hand: actions %v, how %q", actions(in), how(in))
	}

	before := d.discovered("web/1").Container
	p.stays(d, []string{"web/1", "web/2", "db/1"}, func() { p.compose("up", "-d", "--force-recreate", "--scale", "web=2") })
	d.shown("recreated", "db/1 web/1 web/2")
	d.until(30*time.Second, "the new container is adopted", func() bool {
		now := d.discovered("web/1").Container
		return now != nil && before != nil && now.ID != before.ID
	})

	p.write(web+", logstream.group: front, logstream.intervall: 2s", "logstream.heal: auto, logstream.name: data")
	p.compose("up", "-d", "--scale", "web=2")
	d.shown("labels changed", "data/1 web/1 web/2")
	d.until(15*time.Second, "the wrong label is shown", func() bool {
		return strings.Contains(strings.Join(problems(d, "discovery"), "\n"), "label logstream.intervall is unknown; did you mean logstream.interval?")
	})
	if s := d.discovered("web/1"); s.Config == nil || s.Config.Heal.Mode != "observe" {
		t.Errorf("with a wrong label it is %+v", s.Config)
	}
	d.until(time.Minute, "nothing is open about it after its deployment", func() bool {
		s := d.service("data/1")
		return s.Status == "UP" && s.OpenIncident == ""
	})
	killed := time.Now()
	docker.Docker(t, "kill", "found-db-1")
	if in := d.newest(3*time.Minute, url.QueryEscape("data/1"), "is resolved", func(in apiIncident) bool { return resolved(in) && in.Resolved.After(killed) }); !slices.Equal(actions(in), []string{"start"}) || how(in) != "healed" {
		t.Errorf("data/1, killed: actions %v, how %q", actions(in), how(in))
	}

	p.write(web+", logstream.group: front", "logstream.heal: auto, logstream.name: data")
	p.compose("up", "-d", "--scale", "web=1")
	// Compose chooses which replica stays.
	left := "web/" + strings.TrimSpace(docker.Docker(t, "ps", "--filter", "label=com.docker.compose.project=found", "--filter", "label=com.docker.compose.service=web",
		"--format", `{{.Label "com.docker.compose.container-number"}}`))
	d.shown("labels corrected, and scaled down", "data/1 "+left)
	d.until(15*time.Second, "the problem is over", func() bool { return len(problems(d, "discovery")) == 0 })
	if s := d.discovered(left); s.Group != "front" || s.Config == nil || s.Config.Heal.Mode != "auto" {
		t.Errorf("%s is shown as %+v, %+v", left, s, s.Config)
	}

	p.compose("down")
	d.until(30*time.Second, "every service has left", func() bool { return d.names() == "" })
	repairs := 0
	for _, in := range d.incidents("") {
		repairs += len(actions(d.incident(in.ID)))
		if in.State != "resolved" {
			t.Errorf("after docker compose down incident %s of %s is %s", in.ID, in.Service, in.State)
		}
	}
	if repairs != 2 {
		t.Errorf("%d repairs were made, want the 2 that were asked for; the engine reports \n%s", repairs, strings.Join(engineReports(t, began), "\n"))
	}
}

// stays does something during which the services never leave the page.
func (p project) stays(d *daemon, names []string, do func()) {
	p.t.Helper()
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
			for _, name := range names {
				if s := d.service(name); s.Name == "" {
					p.t.Errorf("%s is not shown for a moment", name)
					return
				}
			}
		}
	})
	do()
	close(done)
	watching.Wait()
}

// TestDiscoverAllOnlyObserves: a container without labels is monitored by its
// state and its published port, and left as it is.
func TestDiscoverAllOnlyObserves(t *testing.T) {
	t.Parallel()
	docker := engine.Start(t, docker.Kind) // where nothing else is
	images.Load(t, docker, images.Webapp)
	at := container(t, docker, "stray")
	d := configured(t, docker.Host(), "", "  []\n")
	content, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(content), "docker: {", "docker: {discover: all, ", 1))
	d.start()
	d.up("stray")
	s := d.discovered("stray")
	if want := strings.Replace(at, "http://", "tcp://", 1); s.Config == nil || s.Config.URL != want || s.Config.Heal.Mode != "observe" || !s.Discovered {
		t.Errorf("it is shown as %+v, %+v; want %s and observe", s, s.Config, want)
	}
	docker.Docker(t, "kill", "stray")
	d.newest(30*time.Second, "stray", "is held by observe", heldBy("observe"))
	if state := docker.Docker(t, "inspect", "--format", "{{.State.Status}}", "stray"); state != "exited" {
		t.Errorf("it is %s", state)
	}
	docker.Docker(t, "rm", "stray")
	d.until(30*time.Second, "it has left, and its incident ended", func() bool {
		all := d.incidents("stray")
		return d.service("stray").Name == "" && len(all) == 1 && resolved(all[0])
	})
}
