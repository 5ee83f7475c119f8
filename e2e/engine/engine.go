//go:build e2e

// Package engine gives the end-to-end tests a Docker engine: the one that
// runs, or one of their own that a test may kill and start again. An engine of
// our own shares nothing with another on the machine: it has its own folders,
// its own containerd, control group and bridge, and leaves the firewall alone.
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

// Engine is a Docker engine.
type Engine struct {
	Socket string // path of its unix socket; empty where it is not on one
	host   string // as DOCKER_HOST wants it
	own    *own   // nil: it ran before we came
}

// Host is the engine's address, such as unix:///var/run/docker.sock.
func (e *Engine) Host() string { return e.host }

// Start gives the test the engine that runs, or one of our own that ends with
// the test.
func Start(t testing.TB) *Engine {
	t.Helper()
	return closing(t, Open)
}

// StartOwn gives the test an engine of our own, which Stop and Kill work on.
func StartOwn(t testing.TB) *Engine {
	t.Helper()
	return closing(t, OpenOwn)
}

func closing(t testing.TB, open func() (*Engine, error)) *Engine {
	t.Helper()
	e, err := open()
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

// Open is the engine that runs, or else one of our own, for TestMain. Close it.
func Open() (*Engine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	host := currentHost(ctx)
	e := &Engine{host: host, Socket: socketOf(host)}
	if _, err := e.Command(ctx, nil, "version", "--format", "{{.Server.Version}}"); err == nil {
		return e, nil
	}
	return OpenOwn()
}

// OpenOwn starts an engine of our own, for TestMain. Close it.
func OpenOwn() (*Engine, error) {
	o, err := newOwn()
	if err != nil {
		return nil, err
	}
	e := &Engine{host: "unix://" + o.socket, Socket: o.socket, own: o}
	if err := e.Run(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Own reports whether the engine is ours to stop.
func (e *Engine) Own() bool { return e.own != nil }

// Run starts an engine of our own (again), and returns when it answers.
func (e *Engine) Run() error {
	if e.own == nil {
		return errors.New("start the engine: it isn't ours: use StartOwn")
	}
	if err := e.own.run(); err != nil {
		return err
	}
	return e.own.await(e.answers)
}

// Stop ends the engine as an administrator does: it stops its containers first.
func (e *Engine) Stop() error {
	if e.own == nil {
		return errors.New("stop the engine: it isn't ours: use StartOwn")
	}
	return e.own.dockerd.stop()
}

// Kill ends the engine with SIGKILL; its containers live on.
func (e *Engine) Kill() error {
	if e.own == nil {
		return errors.New("kill the engine: it isn't ours: use StartOwn")
	}
	return e.own.dockerd.kill()
}

// Pid is that of an engine of our own, to freeze it for example.
func (e *Engine) Pid() int { return e.own.dockerd.pid() }

// Close ends an engine of our own with all its containers, and removes what it
// left. One that ran before is left alone.
func (e *Engine) Close() error {
	if e.own == nil {
		return nil
	}
	return e.own.close(e.removeAll)
}

// removeAll removes every container; what it cannot is killed later.
func (e *Engine) removeAll() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ids, err := e.Command(ctx, nil, "ps", "-aq")
	if fields := strings.Fields(ids); err == nil && len(fields) > 0 {
		_, _ = e.Command(ctx, nil, append([]string{"rm", "-f"}, fields...)...)
	}
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
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = e.Environ()
	cmd.Stdin = input
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); errors.Is(err, exec.ErrNotFound) {
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
	return append(env, "DOCKER_HOST="+e.host)
}

// answers reports whether the engine answers now.
func (e *Engine) answers() bool {
	client := http.Client{
		Timeout: time.Second,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
		}},
	}
	response, err := client.Get("http://engine/_ping")
	if err != nil {
		return false
	}
	_ = response.Body.Close() // its status says it all
	return response.StatusCode == http.StatusOK
}

// currentHost is the address that the docker command would use.
func currentHost(ctx context.Context) string {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host
	}
	out, err := exec.CommandContext(ctx, "docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}").Output()
	if host := strings.TrimSpace(string(out)); err == nil && host != "" {
		return host
	}
	return "unix:///var/run/docker.sock"
}

func socketOf(host string) string {
	socket, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return ""
	}
	return socket
}
