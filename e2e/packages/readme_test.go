//go:build e2e

package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

// commands are the command lines of README.md, with their further lines, in order.
func commands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, command := range regexp.MustCompile(`(?m)^\$ (?:.*\\\n)*.*$`).FindAllString(string(text), -1) {
		all = append(all, strings.TrimPrefix(command, "$ "))
	}
	return all
}

// typed is how each command of README.md begins, by the test that types it.
var typed = map[string][]string{
	"TestTheReadmesDemo":                    {"go run . run --demo"},
	"TestTheImageRepairsAnotherContainer":   {"make image", "mkdir -p ~/logstream && cd ~/logstream", "docker run --rm", "docker run -d"},
	"TestComposeRunsLogStreamBesideKafka":   {"export COMPOSE_PROFILES", "docker compose up"},
	"TestTheReadmesProgramRepairsContainer": {"go build", "cd \"$HOME", "./logstream init", "./logstream run"},
}

// TestEachCommandOfTheReadmeIsTyped fails where README.md has a command that no
// test types, or none of what a test types.
func TestEachCommandOfTheReadmeIsTyped(t *testing.T) {
	var begins []string
	for _, list := range typed {
		begins = append(begins, list...)
	}
	slices.Sort(begins)
	begins = slices.Compact(begins)
	for _, command := range commands(t) {
		i := slices.IndexFunc(begins, func(begin string) bool { return strings.HasPrefix(command, begin) })
		if i < 0 {
			t.Errorf("no test types the command %q", command)
			continue
		}
		begins = slices.Delete(begins, i, i+1)
	}
	if len(begins) > 0 {
		t.Errorf("README.md has no commands that begin with %q", begins)
	}
}

// readme is the one command of README.md that begins so, for the engine's socket.
func readme(t *testing.T, begins string, e *engine.Engine) string {
	t.Helper()
	var found []string
	for _, command := range commands(t) {
		if strings.HasPrefix(command, begins) {
			found = append(found, command)
		}
	}
	if len(found) != 1 {
		t.Fatalf("README.md has %d commands that begin with %q, want 1", len(found), begins)
	}
	return strings.NewReplacer("%g "+standardSocket, "%g "+e.Guarded(), "-v "+standardSocket+":", "-v "+e.Guarded()+":").Replace(found[0])
}

// checkout is a clone of this repository, with what is edited here.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copied := exec.CommandContext(t.Context(), "sh", "-c", `git clone -q . "$0" && git ls-files -z | xargs -0 cp -P --parents -t "$0"`, dir)
	copied.Dir = "../.."
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copying the repository: %v: %s", err, out)
	}
	return dir
}

// started is a command that runs until it is interrupted, as by Ctrl-C.
type started struct {
	t   *testing.T
	cmd *exec.Cmd
	log string // where its output goes
}

// start types a command that does not end by itself.
func start(t *testing.T, e *engine.Engine, dir, home, command string) started {
	t.Helper()
	s := started{t, exec.Command("sh", "-c", "exec "+command), filepath.Join(t.TempDir(), "output")}
	out, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, environment(e, home), out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
			_ = s.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", command, s.output())
		}
	})
	return s
}

// environment is that of a user whose home is another folder; Go still finds what
// it keeps in the real home.
func environment(e *engine.Engine, home string) []string {
	env := append(e.Environ(), "HOME="+home, "VERSION=v0.0.0-test", "DOCKER_BUILDKIT=0")
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		panic(err)
	}
	kept := strings.Fields(string(out))
	return append(env, "GOMODCACHE="+kept[0], "GOCACHE="+kept[1])
}

func (s started) output() string {
	content, _ := os.ReadFile(s.log)
	return string(content)
}

// page waits for the address of the dashboard that is printed.
func (s started) page() (address string) {
	s.t.Helper()
	printed := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)
	until(s.t, "the address of the dashboard is printed", func() bool {
		found := printed.FindStringSubmatch(s.output())
		if found != nil {
			address = found[1]
		}
		return found != nil
	})
	return address
}

// interrupt is Ctrl-C, which reaches all processes of the command.
func (s started) interrupt() {
	s.t.Helper()
	if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("after Ctrl-C: %v", err)
	}
}

// TestTheReadmesDemo presses Kill on the demo, and waits for the repair.
func TestTheReadmesDemo(t *testing.T) {
	e, err := engines.Default()
	if err != nil {
		t.Fatal(err)
	}
	demo := start(t, e, checkout(t), t.TempDir(), readme(t, "go run", e))
	page := demo.page()
	until(t, "payment-service is UP", func() bool { return status(page, "payment-service") == "UP" })
	post(t, page, "services/payment-service/chaos", `{"fault":"kill"}`)
	healed(t, page, "payment-service")
	_ = syscall.Kill(-demo.cmd.Process.Pid, syscall.SIGINT)
	_ = demo.cmd.Wait() // go run exits with 1 where it is interrupted
	if said := demo.output(); !strings.Contains(said, "stopping parts") || status(page, "payment-service") != "" {
		t.Error("it did not stop in order")
	}
}

// TestTheReadmesProgramRepairsContainer begins with the repository and one running
// container, and ends with its repair.
func TestTheReadmesProgramRepairsContainer(t *testing.T) {
	e, err := engines.Default()
	if err != nil {
		t.Fatal(err)
	}
	e.Docker(t, "run", "-d", "--name", "shop", "-p", fmt.Sprintf("127.0.0.1:%d:%s", engine.FreePort(t), images.Port), images.Webapp.Name)
	remove(t, e, "shop")
	home, dir := t.TempDir(), checkout(t)
	types(t, e, dir, home, readme(t, "go build", e)+" && "+readme(t, "cd \"$HOME", e))
	own := filepath.Join(home, "logstream")
	began := time.Now()
	types(t, e, own, home, readme(t, "./logstream init", e))
	run := start(t, e, own, home, readme(t, "./logstream run", e))
	page := run.page()
	until(t, "shop is UP", func() bool { return status(page, "shop") == "UP" })
	allowRepairs(t, own)
	until(t, "repairs are allowed", func() bool { return mode(page) == "auto" })
	e.Docker(t, "kill", "shop")
	healed(t, page, "shop")
	t.Logf("from init to the first repair: %.1f s", time.Since(began).Seconds())
	run.interrupt()
}

// allowRepairs edits config.yaml as README.md says it.
func allowRepairs(t *testing.T, folder string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	path := filepath.Join(folder, "config.yaml")
	content, unread := os.ReadFile(path)
	said := regexp.MustCompile("change `([^`]+)` to `([^`]+)` in `config.yaml`").FindSubmatch(text)
	if err := errors.Join(err, unread); err != nil || said == nil {
		t.Fatalf("README.md says no change of config.yaml: %v", err)
	}
	if bytes.Count(content, said[1]) != 1 {
		t.Fatalf("want %q once in what init wrote:\n%s", said[1], content)
	}
	if err := os.WriteFile(path, bytes.Replace(content, said[1], said[2], 1), 0o600); err != nil { // keeps the mode that it has
		t.Fatal(err)
	}
}

// mode is whether repairs are made, as the page at that address has it.
func mode(page string) string {
	var info struct{ Mode string }
	get(page, "info", &info)
	return info.Mode
}

// types types a command that ends by itself.
func types(t *testing.T, e *engine.Engine, dir, home, command string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "-c", command)
	cmd.Dir, cmd.Env = dir, environment(e, home)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	t.Logf("$ %s\n%s", command, out)
}

// post calls the API as the page does.
func post(t *testing.T, page, path, body string) {
	t.Helper()
	resp, err := http.Post("http://"+page+"/api/v1/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("POST %s: %s", path, resp.Status)
	}
}
