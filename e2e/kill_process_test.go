//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logstream/internal/process"
	"logstream/internal/process/demoservice"
	"logstream/internal/process/remote"
)

// childRepairs are the actions that the process runtime supports, with the
// method that each calls and what makes it needed: a fault, or an operator.
var childRepairs = []struct{ action, method, fault string }{
	{"start", "Start", "kill"},
	{"unpause", "Unpause", "pause"},
	{"restart", "Restart", "fail"},
	{"kill_start", "KillStart", ""},
}

// atOnce is how many logstreams run beside each other. All 44 keep the other tests' parts
// from the processors for minutes: a Kafka then takes longer than that to start.
const atOnce = 8

// TestKilledAtEachBoundaryOfEachAction over child processes, which outlive
// logstream as an engine's containers do.
func TestKilledAtEachBoundaryOfEachAction(t *testing.T) {
	t.Parallel()
	var (
		children []process.Child
		cases    []*killCase
	)
	program, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "runtime.sock")
	for _, at := range boundaries {
		for _, a := range childRepairs {
			name := strings.ReplaceAll(a.action+"-"+at.name, "_", "-")
			address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
			children = append(children, process.Child{Name: name, Path: program, Env: os.Environ(),
				Args: []string{demoservice.Argument, name, address, "data=" + filepath.Join(dir, name)}})
			d := configured(t, "", quickly, yaml(name, "http://"+address, ""))
			d.env = []string{"LOGSTREAM_E2E_RUNTIME=" + socket}
			cases = append(cases, &killCase{service: name, action: a.action, at: at, d: d})
		}
	}
	runtime, calls := served(t, socket, children)
	for i, c := range cases {
		a := childRepairs[i%len(childRepairs)]
		child, err := runtime.Find(t.Context(), c.service)
		if err != nil {
			t.Fatal(err)
		}
		c.ready = func() bool { return strings.Contains(c.d.raw("/api/v1/services"), `"ran":true`) }
		c.provoke = func() {
			if a.fault == "" {
				c.heal()
			} else if _, err := process.NewInjector(runtime).Inject(t.Context(), child.ID, a.fault); err != nil {
				t.Fatal(err)
			}
		}
		c.calls = func() int { return calls.Calls(a.method, child.ID) }
	}
	for some := range slices.Chunk(cases, atOnce) {
		survive(t, some, func() {})
	}
}

// served runs the children in this process, and serves them at the socket.
func served(t *testing.T, socket string, children []process.Child) (*process.Runtime, *remote.Server) {
	t.Helper()
	runtime := process.New(slog.New(slog.DiscardHandler), children)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runtime.Run(ctx) }()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return runtime, remote.Serve(l, runtime)
}
