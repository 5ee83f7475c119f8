//go:build e2e

// Package packages tests what people install: the image, as its README's command
// starts it, and the Compose profile, each on Docker engines of the tests' own.
package packages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

var engines engine.Set // with the image logstream, built as make image does

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	engines.Prepare = func(e *engine.Engine) error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
		defer cancel()
		return errors.Join(images.LoadAll(ctx, e, images.Webapp), buildImage(ctx, e))
	}
	defer func() {
		if err := engines.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// buildImage has the engine build the shipped Dockerfile.
func buildImage(ctx context.Context, e *engine.Engine) error {
	cmd := exec.CommandContext(ctx, "../../scripts/image.sh")
	cmd.Env = append(e.Environ(), "VERSION=v0.0.0-test", "DOCKER_BUILDKIT=0") // the builder that each engine has
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/image.sh: %w: %s", err, out)
	}
	return nil
}

// until waits for a condition for three minutes: a machine may be slow.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within three minutes: %s", what)
		}
	}
}

// remove removes a container and its volumes with the test, and logs what it
// printed where the test failed.
func remove(t *testing.T, e *engine.Engine, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if t.Failed() {
			logs := exec.CommandContext(ctx, "docker", "logs", "--tail", "60", name)
			logs.Env = e.Environ()
			said, _ := logs.CombinedOutput()
			t.Logf("%s printed:\n%s", name, said)
		}
		_, _ = e.Command(ctx, nil, "rm", "-f", "-v", name)
	})
}

// write writes a file that the image's user can read, and returns its folder.
func write(t *testing.T, name, content string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, 0o644), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// status is a service's, as the page at that address has it.
func status(page, service string) string {
	var one struct {
		Status string `json:"status"`
	}
	get(page, "services/"+service, &one)
	return one.Status
}

// get asks the API; into stays as it is where there is no answer.
func get(page, path string, into any) {
	resp, err := http.Get("http://" + page + "/api/v1/" + path)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		_ = json.NewDecoder(resp.Body).Decode(into) // what is not complete is asked for again
	}
}

// healed waits until a service has an incident that was repaired by a start, once.
func healed(t *testing.T, page, service string) {
	t.Helper()
	var all []struct {
		State    string `json:"state"`
		Action   string `json:"action"`
		Attempts int    `json:"attempts"`
	}
	until(t, "an incident of "+service+" is resolved", func() bool {
		get(page, "incidents?service="+service, &all)
		return len(all) > 0 && all[0].State == "resolved"
	})
	if len(all) != 1 || all[0].Action != "start" || all[0].Attempts != 1 {
		t.Errorf("the incidents are %+v, want one that one start repaired", all)
	}
}

// isHealthy says whether the engine's HEALTHCHECK of a container is good.
func isHealthy(t *testing.T, e *engine.Engine, name string) func() bool {
	return func() bool {
		return strings.TrimSpace(e.Docker(t, "inspect", "-f", "{{.State.Health.Status}}", name)) == "healthy"
	}
}
