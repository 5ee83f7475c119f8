//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// command runs the binary in dir to its end, with the engine at host as its own.
func command(t *testing.T, dir, host string, args ...string) (code int, out, failed string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "DOCKER_HOST="+host)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// examined are the results of doctor --json, as level and message, by part.
func examined(t *testing.T, dir, host string) (int, map[string]string) {
	t.Helper()
	code, out, failed := command(t, dir, host, "doctor", "--json")
	var all []struct{ Part, Level, Message, Fix string }
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("exit %d, %v, %s%s", code, err, out, failed)
	}
	by := map[string]string{}
	for _, r := range all {
		by[r.Part] += fmt.Sprintf("%s %s [%s]\n", r.Level, r.Message, r.Fix)
	}
	return code, by
}

// TestFromInitToTheFirstRepair begins with a Compose project and the binary: init
// finds what runs, doctor agrees with what there is, and after one edit a killed
// container is repaired.
func TestFromInitToTheFirstRepair(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	p := project{t, filepath.Join(dir, "compose.yaml")}
	text := fmt.Sprintf(`
name: first
services:
  web: {image: logstream-webapp, ports: ["127.0.0.1:%d:8080"], depends_on: [db], stop_grace_period: 1s, restart: unless-stopped,
        healthcheck: {test: [CMD, /webapp, -check], interval: 1s}}
  db: {image: logstream-webapp, labels: {docker-volume-backup.stop-during-backup: "true"}, stop_grace_period: 1s}
`, port)
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = docker.Command(ctx, nil, "compose", "-f", p.file, "down", "-v", "--remove-orphans")
	})
	p.compose("up", "-d")
	d := &daemon{t: t}
	web := fmt.Sprintf("http://127.0.0.1:%d", port)
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if response, err := http.Get(web); err == nil {
			response.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("web does not answer")
		}
	}

	code, out, failed := command(t, dir, docker.Host(), "init")
	if code != 0 || failed != "" || !strings.Contains(out, "first-web-1") || !strings.Contains(out, web+" + HEALTHCHECK") || !strings.Contains(out, "stops are left to docker-volume-backup") {
		t.Fatalf("init: exit %d\n%s%s", code, out, failed)
	}
	path := filepath.Join(dir, "config.yaml")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  mode: observe ", docker.Host() + "   # as DOCKER_HOST had it", "container: first-web-1\n    group: first\n    depends_on: [db]\n", "container: first-db-1\n    group: first\n    heal: {manual_stop: ignore}"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("config.yaml does not have %q:\n%s", want, content)
		}
	}
	if code, _, failed := command(t, dir, docker.Host(), "init"); code != 2 || !strings.Contains(failed, "config.yaml exists and is not overwritten") {
		t.Errorf("a second init: exit %d, %s", code, failed)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
		t.Errorf("it changed the file: %v", err)
	}
	if code, out, failed := command(t, dir, docker.Host(), "check"); code != 0 || failed != "" {
		t.Errorf("check: exit %d\n%s%s", code, out, failed)
	}

	// Another healer beside it, which doctor names.
	docker.Docker(t, "tag", "logstream-webapp", "willfarrell/autoheal")
	docker.Docker(t, "run", "-d", "--name", "first-autoheal", "willfarrell/autoheal")
	code, by := examined(t, dir, docker.Host())
	docker.Docker(t, "rm", "-f", "first-autoheal")
	docker.Docker(t, "rmi", "willfarrell/autoheal")
	for part, want := range map[string]string{"config": "ok config.yaml is valid", "docker": "(chosen by docker.host in config.yaml)", "rights": "ok all ", "containers": "Docker restarts 1 of them itself",
		"rivals": "warn container first-autoheal (willfarrell/autoheal) restarts containers, too", "kafka": "ok no Kafka is needed", "data": "ok the data directory"} {
		if !strings.Contains(by[part], want) {
			t.Errorf("doctor says of %s: %q, want %q", part, by[part], want)
		}
	}
	if code != 0 {
		t.Errorf("doctor: exit %d, %v", code, by)
	}
	behind := t.TempDir()
	if err := os.WriteFile(filepath.Join(behind, "config.yaml"), []byte("services: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, by = examined(t, behind, "unix://"+refusing(t, docker.Guarded(), "/restart"))
	if want := "fail the engine's proxy refuses calls that repairs make: POST /containers/{id}/restart ["; code != 1 || !strings.HasPrefix(by["rights"], want) || strings.Count(by["rights"], "\n") != 1 {
		t.Errorf("behind a proxy: exit %d, %q", code, by["rights"])
	}

	// The one edit, and addresses that no other test has.
	d.page, d.broker, d.dir, d.config = fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t)), dir, path
	edited := strings.Replace(string(content), "mode: observe", "mode: auto", 1)
	for key, address := range map[string]string{"dashboard:\n  listen: ": d.page, "embedded:\n    listen: ": d.broker} {
		before, after, is := strings.Cut(edited, key)
		if !is {
			t.Fatalf("config.yaml has no %q", key)
		}
		_, rest, _ := strings.Cut(after, "\n")
		edited = before + key + address + "\n" + rest
	}
	d.write(strings.Replace(edited, "interval: 10s", "interval: 1s\n  keep_alive: 5s", 1))
	d.args, d.env = []string{"run"}, []string{"DOCKER_HOST="} // the file names the engine
	d.start()
	d.up("web")
	if _, by := examined(t, dir, docker.Host()); !strings.Contains(by["ports"], "in use by the running instance (pid ") || !strings.HasPrefix(by["topics"], "ok ") {
		t.Errorf("while it runs doctor says %v", by)
	}
	docker.Docker(t, "kill", "first-web-1")
	in := d.newest(90*time.Second, "web", "is resolved", resolved)
	if got := actions(in); how(in) != "healed" || !slices.Equal(got, []string{"start"}) {
		t.Errorf("web, killed: actions %v, how %q", got, how(in))
	}
	docker.Docker(t, "stop", "first-db-1")
	d.newest(60*time.Second, "db", "is held", func(in apiIncident) bool { return in.Held == "operator" })
}

// refusing is the socket of a proxy that answers 403 to what ends so.
func refusing(t *testing.T, engine, end string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "refusing")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	relay := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", engine)
	}}
	relay.Transport = transport
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, end) {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		relay.ServeHTTP(w, r)
	})}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
		transport.CloseIdleConnections()
		_ = os.RemoveAll(dir)
	})
	return socket
}
