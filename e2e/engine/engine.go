//go:build e2e

// Package engine gives the end-to-end tests Docker engines of their own, of
// each kind that LogStream has to be right on, which a test may kill and start
// again. They share nothing with another engine on the machine: each has its
// own folders, its own containerd, control group and bridge, and leaves the
// firewall alone.
package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startTimeout is how long the engine may take until it answers.
const startTimeout = 60 * time.Second

// commandTimeout bounds one docker command.
const commandTimeout = 2 * time.Minute

// Engine is a Docker engine of the tests' own.
type Engine struct {
	Kind    Kind
	Version string // of the engine and its API, such as "20.10.24 (API 1.41)"
	Socket  string // path of its unix socket, for the tests' own calls

	guard    *guard
	own      *own
	recorded recording
}

// Host is the engine's address for LogStream, such as unix:///var/run/docker.sock.
func (e *Engine) Host() string { return "unix://" + e.Guarded() }

// Start gives the test an engine that ends with the test, to stop or to kill.
func Start(t testing.TB, kind Kind) *Engine {
	t.Helper()
	e, err := open(kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// open starts an engine and says which. Close it.
func open(kind Kind) (*Engine, error) {
	o, err := newOwn(kind)
	if err != nil {
		return nil, err
	}
	e := &Engine{Kind: kind, Socket: o.socket, own: o}
	if e.guard, err = newGuard(e.Guarded(), e.Socket); err != nil {
		return nil, errors.Join(err, o.close(func() {}))
	}
	if err := e.Run(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	if e.Version, err = e.Command(ctx, nil, "version", "--format", "{{.Server.Version}} (API {{.Server.APIVersion}})"); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	fmt.Fprintf(os.Stderr, "the %s engine is Docker %s\n", kind, e.Version)
	return e, nil
}

// Run starts the engine (again) unless it runs, and returns when it answers
// and its events are recorded.
func (e *Engine) Run() error {
	ran := e.own.dockerd.running()
	if !ran {
		e.recorded.awaitEnd()
	}
	if err := e.own.run(); err != nil {
		return err
	}
	if err := e.own.await(e.answers); err != nil || ran {
		return err
	}
	if err := e.guard.open(e.Guarded(), e.Socket); err != nil {
		return err
	}
	return e.record()
}

// Stop ends the engine as an administrator does: it stops its containers first.
func (e *Engine) Stop() error { return errors.Join(e.own.dockerd.stop(), e.guard.proxy.Vanish()) }

// Kill ends the engine with SIGKILL; its containers live on.
func (e *Engine) Kill() error { return errors.Join(e.own.dockerd.kill(), e.guard.proxy.Vanish()) }

// Pid is that of the engine, to freeze it for example.
func (e *Engine) Pid() int { return e.own.dockerd.pid() }

// Close ends the engine with all its containers, and removes what it left. An
// error says also which calls LogStream made that are not in the list.
func (e *Engine) Close() error { return errors.Join(e.guard.close(), e.own.close(e.removeAll)) }

// removeAll removes every container, and then every network: the bridge of one
// that stays is the machine's, outlives the engine, and keeps its addresses from
// all later ones. What it cannot remove is killed later.
func (e *Engine) removeAll() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ids, err := e.Command(ctx, nil, "ps", "-aq")
	if fields := strings.Fields(ids); err == nil && len(fields) > 0 {
		_, _ = e.Command(ctx, nil, append([]string{"rm", "-f"}, fields...)...)
	}
	_, _ = e.Command(ctx, nil, "network", "prune", "-f")
}

// Docker runs the docker command against this engine and returns its standard
// output, trimmed. A command that fails ends the test.
func (e *Engine) Docker(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	out, err := e.Command(ctx, nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Command runs the docker command with that standard input (nil: none), and
// returns its standard output, trimmed.
func (e *Engine) Command(ctx context.Context, input io.Reader, args ...string) (string, error) {
	if chooses(args) {
		done, err := choosing()
		if err != nil {
			return "", err
		}
		defer done()
	}
	var out, problems bytes.Buffer
	run := func() error {
		out.Reset()
		problems.Reset()
		cmd := exec.CommandContext(ctx, "docker", args...)
		cmd.Env = e.Environ()
		cmd.Stdin = input
		cmd.Stdout, cmd.Stderr = &out, &problems
		cmd.WaitDelay = time.Second
		return cmd.Run()
	}
	err := run()
	for range 2 {
		if err != nil && args[0] == "pause" { // a kernel with much work may not freeze a process in the time that runc gives it
			err = run()
		}
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", errNotInstalled
	} else if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(problems.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// Environ is the process's environment with this engine in it.
func (e *Engine) Environ() []string {
	var env []string
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); name != "DOCKER_HOST" && name != "DOCKER_CONTEXT" {
			env = append(env, entry)
		}
	}
	return append(env, "DOCKER_HOST=unix://"+e.Socket)
}

// answers reports whether the engine answers now.
func (e *Engine) answers() bool {
	client := http.Client{Timeout: time.Second, Transport: e.transport()}
	response, err := client.Get("http://engine/_ping")
	if err != nil {
		return false
	}
	_ = response.Body.Close() // its status says it all
	return response.StatusCode == http.StatusOK
}

// transport reaches the engine, with a connection for each request.
func (e *Engine) transport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
	}}
}
