package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logstream/internal/config"
	"logstream/internal/container"
	"logstream/internal/service"
)

// shelf is an engine that is only read: its containers, and where their ports are.
type shelf struct {
	list   []container.Listed
	ports  map[string][]string
	states map[string]container.State
}

func (s shelf) List(context.Context) ([]container.Listed, error) { return s.list, nil }

func (s shelf) Ports(_ context.Context, id string) ([]string, error) { return s.ports[id], nil }

func (s shelf) Inspect(_ context.Context, id string) (container.State, error) {
	return s.states[id], nil
}

func running(name string, change func(*container.Listed)) container.Listed {
	c := container.Listed{Name: name, ID: "id-" + name, Status: container.Running}
	if change != nil {
		change(&c)
	}
	return c
}

// compose is the only replica of a service of the project shop.
func compose(of string, dependsOn ...string) container.Listed {
	return running("shop-"+of+"-1", func(c *container.Listed) {
		c.Project, c.Service, c.Number, c.DependsOn = "shop", of, 1, dependsOn
	})
}

// TestInitOfWhatRuns has real servers behind the published ports.
func TestInitOfWhatRuns(t *testing.T) {
	answers := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	page, login, secure := httptest.NewServer(answers(200)), httptest.NewServer(answers(401)), httptest.NewUnstartedServer(answers(200))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it is spoken to without TLS first
	secure.StartTLS()
	defer page.Close()
	defer login.Close()
	defer secure.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0") // a database: a request would spoil its log
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	spoken := make(chan net.Conn, 1)
	go func() {
		if conn, err := mute.Accept(); err == nil {
			spoken <- conn
		}
	}()
	at := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	_, port, _ := net.SplitHostPort(mute.Addr().String())
	engine := shelf{
		list: []container.Listed{
			compose("web", "db", "gone"), compose("db"), running("login", nil), running("secure", nil), running("worker", nil),
			running("off", func(c *container.Listed) { c.Status = container.Exited }),
			running("me", func(c *container.Listed) { c.Self = true }),
			running("labelled", func(c *container.Listed) { c.Labels = map[string]string{"logstream.heal": "auto"} }),
			running("backed-up", func(c *container.Listed) { c.StoppedBy = "docker-volume-backup" }),
		},
		ports:  map[string][]string{"id-shop-web-1": {at(login), at(page)}, "id-shop-db-1": {mute.Addr().String()}, "id-login": {at(login)}, "id-secure": {at(secure)}},
		states: map[string]container.State{"id-shop-db-1": {Published: port + ":5432"}, "id-worker": {Health: container.Healthy}},
	}
	file, err := newConfig(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	content, err := validatedNew(&file)
	if err != nil {
		t.Fatal(err)
	}
	c, report := config.Parse("config.yaml", content, os.LookupEnv)
	if len(report.Errors)+len(report.Warnings) > 0 {
		t.Fatalf("%v\n%s", report, file.Bytes())
	}
	if c.Healer.Mode != service.Observe || c.Docker.Discover != "labelled" {
		t.Errorf("mode %s, discover %s", c.Healer.Mode, c.Docker.Discover)
	}
	got := map[string]string{}
	for _, s := range c.Services {
		got[s.Name] = fmt.Sprintf("%s %s %s %v %v %s", s.Container, s.URL, s.Expect.Status, s.TLS.Insecure, s.DependsOn, s.Heal.ManualStop)
	}
	for name, want := range map[string]string{
		"web":       "shop-web-1 " + page.URL + " 200-399 false [db] heal",
		"db":        "shop-db-1 tcp://" + mute.Addr().String() + " 200-399 false [] heal",
		"login":     "login " + login.URL + " 200-499 false [] heal",
		"secure":    "secure " + secure.URL + " 200-399 true [] heal",
		"worker":    "worker  200-399 false [] heal",
		"backed-up": "backed-up  200-399 false [] ignore",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	if len(got) != 0 {
		t.Errorf("there are also %v", got)
	}
	select {
	case conn := <-spoken:
		t.Errorf("the database was spoken to from %s", conn.RemoteAddr())
	default:
	}
	if len(file.LeftOut) != 1 || file.LeftOut[0].Container != "labelled" {
		t.Errorf("left out are %+v", file.LeftOut)
	}
}

func TestInitOverwritesNothingAndSaysWhyItCannot(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	there := written(t, "services: []\n")
	code, out, failed := logstream("init", "--config", there)
	if code != exitStartupFailure || out != "" || failed != "logstream: "+there+" exists and is not overwritten; give another file with --config\n" {
		t.Errorf("exit %d, %s%s", code, out, failed)
	}
	path := filepath.Join(dir, "new.yaml")
	code, out, failed = logstream("init", "--config", path)
	if code != exitFailed || out != "" || strings.Count(failed, "\n") != 1 || !strings.Contains(failed, "nothing listens at unix:///nowhere/docker.sock") {
		t.Errorf("without an engine: exit %d, %s%s", code, out, failed)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it wrote a file")
	}
	t.Setenv("DOCKER_HOST", "ssh://somewhere")
	if code, _, failed = logstream("init", "--config", path); code != exitStartupFailure || !strings.Contains(failed, "ssh is not supported") {
		t.Errorf("with an address that cannot be used: exit %d, %s", code, failed)
	}
}

// FuzzInit: whatever containers are called, what is made of them is a valid
// configuration that repairs nothing and has no other service.
func FuzzInit(f *testing.F) {
	for _, name := range []string{"web", "a\n- name: b", "${HOME}", "logstream", "true", "a/b", "\"", "x: {", "\x00", "#", "\u2028"} {
		f.Add(name, "shop", name)
	}
	f.Fuzz(func(t *testing.T, name, project, of string) {
		engine := shelf{list: []container.Listed{running(name, func(c *container.Listed) {
			c.Project, c.Service, c.Number, c.StoppedBy = project, of, 1, name
		})}}
		file, err := newConfig(t.Context(), engine)
		if err != nil {
			t.Fatal(err)
		}
		content, err := validatedNew(&file)
		if err != nil {
			t.Fatal(err)
		}
		c, report := config.Parse("config.yaml", content, func(string) (string, bool) { return "", false })
		if len(report.Errors) > 0 || len(c.Services) != len(file.Services) || c.Healer.Mode != service.Observe {
			t.Fatalf("%v\n%s", report, content)
		}
		for i, s := range c.Services {
			if want := file.Services[i]; s.Name != want.Name || s.Container != want.Container || s.Heal.Mode != "" {
				t.Errorf("%+v became %+v", want, s)
			}
		}
	})
}

// TestInitSaysWhyItCannotReadTheEngine: the fact, its reason, and what to type next.
func TestInitSaysWhyItCannotReadTheEngine(t *testing.T) {
	absent := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	t.Setenv("DOCKER_HOST", absent)
	cmd := initCommand()
	cmd.Flags().String("config", filepath.Join(t.TempDir(), "config.yaml"), "")
	cmd.SetArgs(nil)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	want := "init: Docker is unreachable: nothing listens at " + absent + "; logstream doctor prints how to fix it"
	if err := cmd.Execute(); err == nil || err.Error() != want {
		t.Errorf("it says %v, want %s", err, want)
	}
}
