//go:build e2e

package engine_test

import (
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

// An engine of our own starts, is killed and stopped, keeps its containers'
// files over that, and leaves nothing behind.
func TestOwnEngineComesAndGoes(t *testing.T) {
	began := time.Now()
	e := engine.StartOwn(t)
	t.Logf("the engine answers after %v", time.Since(began))
	images.Load(t, e, images.Webapp)
	e.Docker(t, "run", "-d", "--name", "one", images.Webapp.Name)

	if err := e.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Command(t.Context(), nil, "ps"); err == nil {
		t.Fatal("a killed engine answers")
	}
	again := time.Now()
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	t.Logf("after a kill it answers again after %v", time.Since(again))
	e.Docker(t, "start", "one")

	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	again = time.Now()
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	t.Logf("after a stop it answers again after %v", time.Since(again))
	if got := e.Docker(t, "inspect", "-f", "{{.State.Status}}", "one"); got != "exited" {
		t.Errorf("the container is %s after its engine was stopped and started, want exited", got)
	}
	e.Docker(t, "run", "-d", "--name", "frozen", images.Webapp.Name)
	e.Docker(t, "pause", "frozen")
}
