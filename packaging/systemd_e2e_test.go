//go:build e2e

package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const installed = "/usr/local/bin/logstream"

// TestSystemdTakesTheUnit has systemd itself read the unit, and judge what the
// service could still do: 0 is nothing, 100 is everything.
func TestSystemdTakesTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("systemd-analyze is not installed: make deps")
	}
	unit, err := os.ReadFile("logstream.service")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(unit), "ExecStart="+installed+" "); n != 1 {
		t.Fatalf("%d times ExecStart=%s, want 1", n, installed)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "logstream.service")
	here := strings.ReplaceAll(string(unit), "ExecStart="+installed, "ExecStart="+self) // a program that is there
	if err := os.WriteFile(path, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput()
	if strings.Contains(string(out), path) || err != nil { // it exits with 0 after a key that it does not know
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=20", path).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
