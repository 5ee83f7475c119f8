//go:build e2e

package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

// patience bounds what a scenario waits for before it is broken.
const patience = 90 * time.Second

// Stage is a scenario while it runs: its containers under one policy.
type Stage struct {
	Scenario
	policy   string
	engine   *engine.Engine
	logs     *daemon // LogStream; nil under another policy
	dir      string  // for files of its own
	ports    map[string]int
	probers  map[string]*prober
	injected time.Time

	answering map[string]time.Time // at the end: the roles that answer, and since when
	checked   error                // what Want.Check said then

	mu   sync.Mutex
	undo []func() // what has to be undone after it, the newest first
}

// nextPort gives out ports from below those that the kernel gives to connections.
var nextPort atomic.Int32

// freePort is a port that nothing has now, of a run beside this one neither.
func freePort() int {
	for range 8192 {
		port := 24_000 + (os.Getpid()%32*256+int(nextPort.Add(1)))%8192
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = listener.Close() // it never served
			return port
		}
	}
	panic("no port from 24000 to 32191 is free on 127.0.0.1")
}

func newStage(s Scenario, policy string, e *engine.Engine, dir string) (*Stage, error) {
	s.Containers = slices.Clone(s.Containers) // which Prepare may change
	stage := &Stage{Scenario: s, policy: policy, engine: e, ports: map[string]int{}, probers: map[string]*prober{}}
	stage.dir = filepath.Join(dir, s.Name)
	for _, c := range s.Containers {
		stage.ports[c.Role] = freePort()
	}
	return stage, os.MkdirAll(stage.dir, 0o700)
}

// name is that of the container with that role.
func (s *Stage) name(role string) string { return s.container(s.policy, role) }

// names replaces {role} by the container's name, {} by the first one's, and {dir}
// by the scenario's own folder.
func (s *Stage) names(text string) string {
	pairs := []string{"{dir}", s.dir, "{prefix}", s.container(s.policy, "x")}
	for _, c := range s.Containers {
		pairs = append(pairs, "{"+c.Role+"}", s.name(c.Role), "{"+c.Role+":port}", strconv.Itoa(s.ports[c.Role]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// docker runs the docker command, past the policy; names are replaced.
func (s *Stage) docker(args ...string) error {
	_, err := s.dockerSays(args...)
	return err
}

func (s *Stage) dockerSays(args ...string) (string, error) {
	replaced := make([]string, len(args))
	for i, arg := range args {
		replaced[i] = s.names(arg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return s.engine.Command(ctx, nil, replaced...)
}

// finally undoes something once the scenario is over.
func (s *Stage) finally(undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undo = append(s.undo, undo)
}

// image is an image's name under this policy: docker-autoheal sees nothing but
// HEALTHCHECKs, so it gets images with one.
func (s *Stage) image(name string) string {
	if name == "" {
		name = images.Webapp.Name
	}
	if s.policy == autoheal && name != brokenCheck.Name && name != checked.Name {
		name += "-checked"
	}
	return name
}

// runArgs are the arguments of docker run for a container, without run -d.
func (s *Stage) runArgs(c Container) []string {
	args := []string{"--name", s.name(c.Role)}
	if s.policy == autoheal {
		args = append(args, "--label", "autoheal="+filepath.Base(filepath.Dir(s.dir))) // its group's
	}
	if !c.Alone {
		args = append(args, "-p", fmt.Sprintf("127.0.0.1:%d:8080", s.ports[c.Role]))
	}
	if policy := restartPolicy(s.policy); policy != "" && !slices.Contains(c.Args, "--restart") {
		args = append(args, "--restart", policy)
	}
	return slices.Concat(args, c.Args, []string{s.image(c.Image)}, c.Cmd)
}

// up makes the containers, in their order, and starts querying them.
func (s *Stage) up() error {
	if s.Prepare != nil {
		if err := s.Prepare(s); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	for _, c := range s.Containers {
		if !c.Made {
			if err := s.run(c); err != nil {
				return err
			}
		}
		if !c.Alone || c.URL != None {
			s.probers[c.Role] = startProber(s.url(c))
		}
	}
	return nil
}

// run makes one container.
func (s *Stage) run(c Container) error {
	verb := []string{"run", "-d"}
	if c.Create {
		verb = []string{"create"}
	}
	err := s.docker(append(verb, s.runArgs(c)...)...)
	if err != nil && c.Down {
		return nil // such as a command that does not exist
	}
	return err
}

// replace makes the first container anew, from another image or with other
// arguments, as a deployment by hand does.
func (s *Stage) replace(change func(*Container)) error {
	c := s.Containers[0]
	change(&c)
	c.Down = true // it may not start
	return errors.Join(s.docker("stop", "{}"), s.docker("rm", "{}"), s.run(c))
}

// url is where a container's service is queried from this machine.
func (s *Stage) url(c Container) string {
	scheme := "http"
	if c.URL == TLS {
		scheme = "https"
	}
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, s.ports[c.Role])
}

// visit requests the path of a service that breaks it.
func (s *Stage) visit(role, path string) error {
	for _, c := range s.Containers {
		if c.Role != role {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(c)+path, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		if strings.HasPrefix(path, "/exit") || strings.HasPrefix(path, "/panic") {
			return nil // it ends while it answers
		}
		return err
	}
	return fmt.Errorf("there is no container %q", role)
}

// signal sends a signal to a container's main process, as the kernel would: the
// engine knows nothing of it.
func (s *Stage) signal(role string, signal syscall.Signal) error {
	text, err := s.dockerSays("inspect", "-f", "{{.State.Pid}}", s.name(role))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 2 {
		return fmt.Errorf("the main process of %s is %q", s.name(role), text)
	}
	return syscall.Kill(pid, signal)
}

// down removes everything that the scenario made.
func (s *Stage) down() {
	for _, p := range s.probers {
		p.stop()
	}
	s.mu.Lock()
	undo := s.undo
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, c := range s.Containers {
		_, _ = s.engine.Command(ctx, nil, "rm", "-f", "-v", s.name(c.Role))
	}
	for _, u := range slices.Backward(undo) {
		u()
	}
}

// await waits until a condition holds.
func await(limit time.Duration, what string, is func() bool) error {
	for end := time.Now().Add(limit); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not within %s: %s", limit, what)
		}
	}
	return nil
}

// The injections that need no more than a line.

func does(args ...string) func(*Stage) error {
	return func(s *Stage) error { return s.docker(args...) }
}

func visits(path string) func(*Stage) error {
	return func(s *Stage) error { return s.visit("", path) }
}

func signals(signal syscall.Signal) func(*Stage) error {
	return func(s *Stage) error { return s.signal("", signal) }
}

// then does one after another.
func then(acts ...func(*Stage) error) func(*Stage) error {
	return func(s *Stage) error {
		for _, act := range acts {
			if err := act(s); err != nil {
				return err
			}
		}
		return nil
	}
}

// after waits first.
func after(d time.Duration, act func(*Stage) error) func(*Stage) error {
	return func(s *Stage) error {
		time.Sleep(d)
		return act(s)
	}
}
