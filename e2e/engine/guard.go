//go:build e2e

package engine

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"logstream/e2e/sockproxy"
	"logstream/internal/docker/rights"
)

// callsDir names the folder in which each engine leaves which calls were made of
// it: what none made is reported by a test of internal/docker/rights.
const callsDir = "LOGSTREAM_E2E_CALLS"

// guard is a proxy before the engine's socket that lets through the calls of the
// list, as the proxy of docker-compose.yml does. Everything that is LogStream's
// goes through it, and what it refuses fails the tests.
type guard struct {
	proxy *sockproxy.Proxy

	mu      sync.Mutex
	made    map[string]bool
	refused map[string]bool
}

func newGuard(socket, target string) (*guard, error) {
	g := &guard{made: map[string]bool{}, refused: map[string]bool{}}
	var err error
	g.proxy, err = sockproxy.New(socket, target, g.allows)
	if err != nil {
		return nil, err
	}
	return g, g.proxy.Vanish() // until the engine runs
}

func (g *guard) allows(method, path string) bool {
	call, is := rights.Find(method, path)
	g.mu.Lock()
	defer g.mu.Unlock()
	if is {
		g.made[call.String()] = true
		return true
	}
	g.refused[method+" "+path] = true
	return false
}

// open lets calls through, with the rights of the engine's own socket.
func (g *guard) open(socket, target string) error {
	if err := g.proxy.Listen(); err != nil {
		return err
	}
	of, err := os.Stat(target)
	if err != nil {
		return fmt.Errorf("guard the engine's socket: %w", err)
	}
	owner := of.Sys().(*syscall.Stat_t)
	return errors.Join(os.Chown(socket, int(owner.Uid), int(owner.Gid)), os.Chmod(socket, of.Mode().Perm()))
}

// close ends it, and says what it refused.
func (g *guard) close() error {
	err := g.proxy.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	if dir := os.Getenv(callsDir); dir != "" {
		file, failed := os.CreateTemp(dir, "*.calls")
		if failed == nil {
			_, failed = file.WriteString(strings.Join(slices.Sorted(maps.Keys(g.made)), "\n") + "\n")
			failed = errors.Join(failed, file.Close())
		}
		err = errors.Join(err, failed)
	}
	if len(g.refused) > 0 {
		err = errors.Join(err, fmt.Errorf("calls were made of the engine that are not in internal/docker/rights: %s", strings.Join(slices.Sorted(maps.Keys(g.refused)), ", ")))
	}
	return err
}

// Guarded is the path of the socket that LogStream uses: the calls of
// internal/docker/rights are let through, and no others.
func (e *Engine) Guarded() string { return filepath.Join(filepath.Dir(e.Socket), "guard.sock") }
