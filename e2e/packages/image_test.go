//go:build e2e

package packages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

const standardSocket = "/var/run/docker.sock"

// TestTheImageRepairsAnotherContainer as README.md has it run: it is not root, its
// file system is read only, and it turns healthy.
func TestTheImageRepairsAnotherContainer(t *testing.T) {
	engines.Each(t, imageRepairs)
}

func imageRepairs(t *testing.T, e *engine.Engine) {
	hasOnlyTheProgram(t, e)
	port := engine.FreePort(t)
	e.Docker(t, "run", "-d", "--name", "shop", "-p", fmt.Sprintf("127.0.0.1:%d:%s", port, images.Port), images.Webapp.Name)
	remove(t, e, "shop")
	home, dir := t.TempDir(), checkout(t)
	types(t, e, dir, home, readme(t, "make image", e)+" && "+readme(t, "mkdir -p ~/logstream && cd", e)+" && "+readme(t, "docker run --rm", e)) // init
	own := filepath.Join(home, "logstream")
	page := listens(t, filepath.Join(own, "config.yaml"))
	remove(t, e, "logstream")
	types(t, e, own, home, readme(t, "docker run -d", e))

	until(t, "the container is healthy", isHealthy(t, e, "logstream"))
	until(t, "shop is UP", func() bool { return status(page, "shop") == "UP" })
	allowRepairs(t, own)
	until(t, "repairs are allowed", func() bool { return mode(page) == "auto" })
	e.Docker(t, "kill", "shop")
	healed(t, page, "shop")
	until(t, "shop is UP again", func() bool { return status(page, "shop") == "UP" })
	runsAsIsSaid(t, e)

	if got := e.Docker(t, "exec", "logstream", "logstream", "check"); got != "/etc/logstream/config.yaml is valid: 1 service" {
		t.Errorf("logstream check inside: %s", got)
	}
	e.Docker(t, "stop", "logstream")
	if code := e.Docker(t, "inspect", "-f", "{{.State.ExitCode}}", "logstream"); code != "0" {
		t.Errorf("docker stop: exit code %s", code)
	}
	e.Docker(t, "start", "logstream")
	until(t, "it is healthy again", isHealthy(t, e, "logstream"))
	healed(t, page, "shop") // its volume has kept what happened
	if got := e.Docker(t, "inspect", "-f", "{{.State.Running}}", "shop"); got != "true" {
		t.Errorf("shop runs: %s", got)
	}
}

// listens is the address of the dashboard in what init wrote.
func listens(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	listen := regexp.MustCompile(`(?s)dashboard:.*?listen: (127\.0\.0\.1:\d+)`).FindSubmatch(content)
	if listen == nil || bytes.Count(content, []byte("mode: observe")) != 1 {
		t.Fatalf("init wrote:\n%s", content)
	}
	return string(listen[1])
}

// mostBytes is what the image may have: the program has 36 MB, and Docker 29 adds
// the layer's compressed copy.
const mostBytes = 60 << 20

func hasOnlyTheProgram(t *testing.T, e *engine.Engine) {
	t.Helper()
	var image []struct {
		Size         int64
		Architecture string
		Config       struct {
			User    string
			Volumes map[string]any
		}
	}
	if err := json.Unmarshal([]byte(e.Docker(t, "image", "inspect", "logstream")), &image); err != nil || len(image) != 1 {
		t.Fatal(err, image)
	}
	is := image[0]
	t.Logf("the image has %.1f MB (%s)", float64(is.Size)/1e6, is.Architecture)
	user, _, _ := strings.Cut(is.Config.User, ":")
	if id, err := strconv.Atoi(user); err != nil || id == 0 || is.Size > mostBytes || is.Config.Volumes["/var/lib/logstream"] == nil {
		t.Errorf("the image has %d bytes, the user %q and the volumes %v", is.Size, is.Config.User, is.Config.Volumes)
	}
	// Time zones are in the program: the image has no file of them.
	zone := write(t, "config.yaml", "healer: {maintenance: [{cron: 0 3 * * 0, for: 2h, time_zone: Europe/Rome}]}\nservices: [{name: a, url: 'http://a'}]\n")
	if got := e.Docker(t, "run", "--rm", "-v", zone+":/etc/logstream:ro", "logstream", "check"); !strings.Contains(got, "is valid") {
		t.Errorf("logstream check: %s", got)
	}
	var build struct{ Version, Commit, Date string }
	out := e.Docker(t, "run", "--rm", "logstream", "version", "--json")
	if err := json.Unmarshal([]byte(out), &build); err != nil || build.Version != "v0.0.0-test" || len(build.Commit) != 40 || !strings.HasSuffix(build.Date, "Z") {
		t.Errorf("logstream version --json: %v: %s", err, out)
	}
}

// runsAsIsSaid looks at the process itself, from outside of the container.
func runsAsIsSaid(t *testing.T, e *engine.Engine) {
	t.Helper()
	pid := e.Docker(t, "inspect", "-f", "{{.State.Pid}}", "logstream")
	of, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Uid:\t65532\t65532\t65532\t65532", "CapEff:\t0000000000000000"} {
		if !strings.Contains(string(of), want+"\n") {
			t.Errorf("the process has no %q:\n%s", want, of)
		}
	}
	mounts, err := os.ReadFile(filepath.Join("/proc", pid, "mounts"))
	if err != nil || !regexp.MustCompile(`(?m)^\S+ / \S+ ro,`).Match(mounts) || !regexp.MustCompile(`(?m)^\S+ /etc/logstream \S+ ro,`).Match(mounts) {
		t.Errorf("its files can be written: %v\n%s", err, mounts)
	}
}
