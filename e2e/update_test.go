//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

// A user replaces a service's container by one of another image.

// verifyDeploy runs logstream verify-deploy beside a daemon.
func (d *daemon) verifyDeploy(name string) (code int, said string) {
	d.t.Helper()
	out, err := exec.Command(binary, "verify-deploy", name, "--for", "2m", "--url", "http://"+d.page).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return code, string(out)
}

func TestUpdatesAreJudgedAndBadOnesRolledBack(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		const name = "act-update"
		broken := images.Image{Name: "logstream-webapp-500", Env: []string{"MODE=500"}}
		images.Load(t, docker, broken)
		url := container(t, docker, name)
		d := configured(t, docker.Host(), ", update: {watch: 30s}", yaml(name, url, ", heal: {actions: [rollback]}")).start()
		d.up(name)
		d.remembers(docker, name)
		port := url[strings.LastIndex(url, ":")+1:]
		deploy := func(image string) {
			docker.Docker(t, "rm", "-f", name)
			docker.Docker(t, "run", "-d", "--name", name, "-p", "127.0.0.1:"+port+":8080", image)
		}
		t.Cleanup(func() {
			kept, _ := docker.Command(context.Background(), nil, "ps", "-aq", "--filter", "name="+name+"-logstream-kept-")
			for _, id := range strings.Fields(kept) {
				_, _ = docker.Command(context.Background(), nil, "rm", "-f", id)
			}
		})

		deploy("logstream-webapp-2")
		good := of(t, docker, name, ".Image")
		if code, said := d.verifyDeploy(name); code != 0 || !strings.Contains(said, "image logstream-webapp-2") || !strings.Contains(said, ": good. ") {
			t.Errorf("verify-deploy of a good image: exit %d: %s", code, said)
		}

		deploy(broken.Name) // bad for its errors, or rolled back before enough of them were counted
		if code, said := d.verifyDeploy(name); code != 1 || !strings.Contains(said, "image "+broken.Name) ||
			!strings.Contains(said, "bad. error rate 100%, before ") && !strings.Contains(said, "bad. LogStream rolled the image back.") {
			t.Errorf("verify-deploy of a bad image: exit %d: %s", code, said)
		}
		in := d.newest(2*time.Minute, name, "is rolled back", resolved)
		if got := actions(in); len(got) != 1 || got[0] != "rollback" || how(in) != "healed" {
			t.Errorf("actions %v, how %q", got, how(in))
		}
		d.up(name)
		if now := of(t, docker, name, ".Image"); now != good {
			t.Errorf("it runs %s, and was good with %s", now, good)
		}
	})
}
