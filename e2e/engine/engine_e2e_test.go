//go:build e2e

package engine_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

// What the engine of a killed test left is removed by the next one.
func TestLeftoversAreSwept(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	left := fmt.Sprintf("/tmp/lse2e00test-%d", ended.Process.Pid)
	if err := os.MkdirAll(left+"/data", 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(left) })
	kinds, err := engine.Kinds()
	if err != nil {
		t.Fatal(err)
	}
	engine.Start(t, kinds[0])
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

// An engine starts, is killed and stopped, keeps its containers'
// files over that, and leaves nothing behind.
func TestEnginesComeAndGo(t *testing.T) {
	kinds, err := engine.Kinds()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) { comesAndGoes(t, kind) })
	}
}

func comesAndGoes(t *testing.T, kind engine.Kind) {
	began := time.Now()
	bridge := "" // registered first, so run when the engine was closed
	t.Cleanup(func() {
		if _, err := net.InterfaceByName(bridge); bridge != "" && err == nil {
			t.Errorf("the network's bridge %s is still there", bridge)
		}
	})
	e := engine.Start(t, kind)
	t.Logf("Docker %s answers after %v", e.Version, time.Since(began))
	images.Load(t, e, images.Webapp)
	own := hardwareAddress(t, e)
	for _, name := range []string{"one", "two", "three", "four", "five", "six"} { // one of so many would very likely lend it a lower address
		e.Docker(t, "run", "-d", "--name", name, images.Webapp.Name)
	}
	if got := hardwareAddress(t, e); got != own {
		t.Errorf("the hardware address of the engine's bridge changed from %s to %s", own, got)
	}

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
	bridge = "br-" + e.Docker(t, "network", "create", "kept")[:12]
	if _, err := net.InterfaceByName(bridge); err != nil {
		t.Errorf("the network's bridge: %v", err)
	}
}

// hardwareAddress is that of the bridge of an engine's containers.
func hardwareAddress(t *testing.T, e *engine.Engine) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if strings.HasPrefix(i.Name, "lse2e") && strings.Contains(e.Socket, "/"+i.Name+"-") {
			return i.HardwareAddr.String()
		}
	}
	t.Fatalf("no interface is the bridge of %s", e.Socket)
	return ""
}
