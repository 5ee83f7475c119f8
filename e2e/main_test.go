//go:build e2e

// Package e2e runs the product's scenarios on the real parts: the built binary,
// Docker engines of its own, Apache Kafka, Chromium, and a Kafka client that is
// not ours.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/raced"
)

var (
	binary  string         // logstream, built with the e2e tag, and with the race detector where the tests are
	engines engine.Set     // of our own, shared by the scenarios that leave them alone
	docker  *engine.Engine // the default one
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	if path := os.Getenv(asChromium); path != "" {
		return fail(becomeChromium(path))
	}
	dir, err := os.MkdirTemp("", "logstream-e2e-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "logstream")
	args := []string{"build", "-tags", "e2e", "-o", binary}
	if raced.Detector { // the program is as these tests are
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "logstream")...)
	if out, err := build.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("build logstream: %w: %s", err, out))
	}
	engines.Prepare = func(e *engine.Engine) error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		return images.LoadAll(ctx, e, images.Webapp, images.Quit, images.Image{Name: "logstream-webapp-2", Env: []string{"BUILD=2"}})
	}
	defer func() {
		if err := engines.Close(); err != nil {
			code = fail(err)
		}
	}()
	if docker, err = engines.Default(); err != nil {
		return fail(err)
	}
	if code = m.Run(); code != 0 {
		return code
	}
	if err := unused(); err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
