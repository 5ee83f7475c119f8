//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/event"
)

// TestNewErrorsInTheLogOfAnUpdateCallAPerson: the new image answers as before, and
// logs a dozen kinds of errors that the image before did not. verify-deploy names
// one, and nothing is done to the service.
func TestNewErrorsInTheLogOfAnUpdateCallAPerson(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		const name = "update-log"
		noisy := images.Image{Name: "logstream-webapp-noisy", Env: []string{"MODE=noisy"}}
		images.Load(t, docker, noisy)
		url := container(t, docker, name)
		d := configured(t, docker.Host(), ", update: {watch: 30s}", yaml(name, url, ", heal: {actions: [rollback]}")).start()
		d.up(name)
		d.remembers(docker, name)
		id := of(t, docker, name, ".Id")
		d.until(4*time.Minute, "its log is known for longer than a watch", func() bool {
			s := d.published()[name]
			return s.Status == event.Up && time.Since(s.Since) > 130*time.Second // learned after one and two minutes, but for the last one
		})
		if now := of(t, docker, name, ".Id"); now != id {
			t.Fatal("another container is in its place")
		}
		docker.Docker(t, "rm", "-f", name)
		docker.Docker(t, "run", "-d", "--name", name, "-p", "127.0.0.1:"+url[strings.LastIndex(url, ":")+1:]+":8080", noisy.Name)
		if code, said := d.verifyDeploy(name); code != 1 || !strings.Contains(said, "bad. its log has 12 error messages that it did not have before, such as ") || !strings.Contains(said, "_total does not exist") {
			t.Errorf("verify-deploy: exit %d: %s", code, said)
		}
		in := d.newest(time.Minute, name, "is escalated", func(in apiIncident) bool { return in.State == "escalated" })
		if got := actions(in); len(got) != 0 || in.CauseID != "bad_update" {
			t.Errorf("actions %v for %s", got, in.CauseID)
		}
	})
}
