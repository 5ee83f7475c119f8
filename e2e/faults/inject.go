//go:build e2e

package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"logstream/e2e/faults/peers"
	"logstream/internal/event"
)

// healedOnce waits until the first container's incident is over.
func healedOnce(s *Stage) error {
	if s.logs == nil {
		return nil
	}
	return await(time.Minute, "it is healed", func() bool {
		v, err := s.view()
		return err == nil && v.ended(Healed, nil)
	})
}

// answersAgain waits until the first container's service is well again.
func answersAgain(s *Stage) error {
	time.Sleep(2 * time.Second) // until it was noticed
	if err := await(time.Minute, "it answers", func() bool { _, is := s.probers[""].since(); return is }); err != nil {
		return err
	}
	s.injected = time.Now()
	return s.ready()
}

// logs has the first container log that.
func logs(line string) func(*Stage) error {
	return func(s *Stage) error {
		response, err := client.Post(s.url(s.Containers[0])+"/log", "text/plain", strings.NewReader(line))
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
}

// takePort stops the container and listens on its port.
func takePort(s *Stage) error {
	if err := s.docker("stop", "{}"); err != nil {
		return err
	}
	var listener net.Listener
	err := await(5*time.Second, "its port is free", func() (is bool) {
		var err error
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.ports[""]))
		return err == nil
	})
	if err == nil {
		s.finally(func() { _ = listener.Close() })
	}
	return err
}

// portIsTaken: the other container still has the port.
func portIsTaken(s *Stage) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.ports[""]))
	if err == nil {
		return errorsJoinf(listener.Close(), "the port's owner is gone")
	}
	return nil
}

func errorsJoinf(err error, text string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s", text)
}

// composed has Compose make the containers, or make them anew.
func composed(build string) func(*Stage) error {
	return func(s *Stage) error {
		text := "name: " + s.name("") + "\nservices:\n"
		for i, c := range s.Containers {
			text += fmt.Sprintf("  s%d:\n    image: %s\n    pull_policy: never\n    container_name: %s\n    environment: {BUILD: %q, STOP: %q}\n    ports: [\"127.0.0.1:%d:8080\"]\n",
				i, s.image(c.Image), s.name(c.Role), build, map[bool]string{true: "ignore"}[c.Role == deaf], s.ports[c.Role])
			if policy := restartPolicy(s.policy); policy != "" {
				text += "    restart: " + policy + "\n"
			}
		}
		if err := os.WriteFile(filepath.Join(s.dir, "compose.yaml"), []byte(text), 0o600); err != nil {
			return err
		}
		s.finally(func() { _ = s.docker("compose", "-f", "{dir}/compose.yaml", "down", "-t", "1") })
		return s.docker("compose", "-f", "{dir}/compose.yaml", "up", "-d")
	}
}

// deaf is the role of a container of composed that ends only by a kill.
const deaf = "deaf"

// network makes the scenario's network.
func network(s *Stage) error { return networkOf("")(s) }

func networkOf(subnet string) func(*Stage) error {
	return func(s *Stage) error {
		args := []string{"network", "create", "{prefix}-net"}
		if subnet != "" {
			args = append(args, "--subnet", subnet)
		}
		s.finally(func() { _ = s.docker("network", "rm", "{prefix}-net") })
		return s.docker(args...)
	}
}

// hasNetwork: the first container is in its network, as before.
func hasNetwork(alias, address string) func(*Stage) error {
	return func(s *Stage) error {
		got, err := s.dockerSays("inspect", "-f", `{{range .NetworkSettings.Networks}}{{.Aliases}} {{.IPAMConfig}} {{.IPAddress}}{{end}}`, "{}")
		if err != nil {
			return err
		}
		if !strings.Contains(got, alias) || !strings.Contains(got, address) {
			return fmt.Errorf("its network has %q: want alias %s, address %q", got, alias, address)
		}
		return nil
	}
}

// hasVariable: the first container has that in its environment.
func hasVariable(entry string) func(*Stage) error {
	return func(s *Stage) error {
		got, err := s.dockerSays("inspect", "-f", "{{.Config.Env}}", "{}")
		if err != nil || strings.Contains(got, entry) {
			return err
		}
		return fmt.Errorf("its environment is %s: want %s", got, entry)
	}
}

// hasFile: there is such a file in the scenario's folder.
func hasFile(name string) func(*Stage) error {
	return func(s *Stage) error {
		_, err := os.Stat(filepath.Join(s.dir, name))
		return err
	}
}

// volume mounts a file system of a megabyte for the scenario.
func volume(s *Stage) error {
	dir := filepath.Join(s.dir, "volume")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	s.finally(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir)
}

// readOnly is what the kernel does to a file system with errors.
func readOnly(s *Stage) error {
	return command("mount", "-o", "remount,ro", filepath.Join(s.dir, "volume"))
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// renameBack gives the first container its name again once the scenario is over.
func renameBack(s *Stage) error {
	s.finally(func() { _ = s.docker("rm", "-f", "{prefix}-renamed") })
	return nil
}

// sendsCommand sends LogStream a command.
func sendsCommand(method, path, body string) func(*Stage) error {
	return func(s *Stage) error {
		if s.logs == nil {
			return nil
		}
		if err := s.logs.send(method, s.names(path), body); err != nil {
			return err
		}
		time.Sleep(time.Second) // until it is carried out
		return nil
	}
}

// foreign has another program say that the first service is DOWN.
func foreign(s *Stage) error {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	s.finally(cancel)
	say := func() error {
		body := fmt.Sprintf(`{"service":%q,"status":"DOWN","code":0,"latency_ms":5,"check":"http","instance":"elsewhere","error":"seen from elsewhere"}`, s.name(""))
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.logs.page+"/api/v1/health-logs", strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	go func() {
		for ctx.Err() == nil && say() == nil {
			time.Sleep(time.Second)
		}
	}()
	return say()
}

// besideAutoheal runs docker-autoheal's policy on the same engine.
func besideAutoheal(s *Stage) error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		peers.Autoheal(ctx, s.engine.Socket, "autoheal=true")
	}()
	s.finally(func() { cancel(); <-ended })
	return nil
}

// seenWithin is how soon after an event of the engine LogStream no longer begins what
// the event forbids: it is read, and compared with the pins before each call.
const seenWithin = 500 * time.Millisecond

// notRestartedAgain: LogStream began no action on the first container once the first
// restart of it, by either healer, had begun: a restart begins with a kill. That the
// other healer restarts it while, or after, LogStream does cannot be prevented.
func notRestartedAgain(s *Stage) error {
	events, err := s.engine.AllEvents(context.Background(), s.injected)
	if err != nil {
		return err
	}
	v, err := s.view()
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Name != s.name("") || e.Action != "kill" {
			continue
		}
		for _, c := range v.claims() {
			if c.role == "" && c.outcome != event.OutcomeNotExecuted && c.at.After(e.At.Add(seenWithin)) {
				return fmt.Errorf("LogStream began %s at %s, and a restart had begun at %s", c.action, c.at.Format(time.StampMilli), e.At.Format(time.StampMilli))
			}
		}
		return nil
	}
	return errors.New("it was never restarted")
}

var cuts atomic.Int32

// cut has what this machine sends to the containers arrive nowhere, for that
// long: all time out, and the engine and the containers are well.
func cut(d time.Duration) func(*Stage) error {
	return func(s *Stage) error {
		nowhere := fmt.Sprintf("lscut%d", cuts.Add(1)) // more than one may be cut off at once
		lines := []string{"link add " + nowhere + " type veth peer name " + nowhere + "p", "link set " + nowhere + "p up", "link set " + nowhere + " up"}
		for _, c := range s.Containers {
			address, err := s.dockerSays("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.name(c.Role))
			if err != nil {
				return err
			}
			lines = append(lines, "neigh replace "+address+" lladdr 02:00:00:00:00:99 dev "+nowhere+" nud permanent", "route add "+address+"/32 dev "+nowhere)
		}
		defer func() { _ = exec.Command("ip", "link", "del", nowhere).Run() }() // with its routes
		ip := exec.Command("ip", "-batch", "-")
		ip.Stdin = strings.NewReader(strings.Join(lines, "\n"))
		if out, err := ip.CombinedOutput(); err != nil {
			return fmt.Errorf("ip -batch: %w: %s", err, out)
		}
		time.Sleep(d)
		return nil
	}
}

// blindIncident: there is one incident of the fleet, and it is over.
func blindIncident(s *Stage) error {
	all, err := s.logs.incidents("logstream")
	if err != nil {
		return err
	}
	if len(all) != 1 || all[0].State != "resolved" {
		return fmt.Errorf("%d incidents of the fleet: want one, which is over", len(all))
	}
	return nil
}

// engineRestarts ends the engine as an administrator does, and starts it again.
func engineRestarts(s *Stage) error {
	if err := s.engine.Stop(); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	return s.engine.Run()
}

// engineKilled kills the engine, and starts it again after a while.
func engineKilled(s *Stage) error {
	if err := s.engine.Kill(); err != nil {
		return err
	}
	time.Sleep(10 * time.Second)
	return s.engine.Run()
}

// permuted are these actions in any order.
func permuted(acts ...string) []string {
	if len(acts) == 1 {
		return acts
	}
	var list []string
	for i, act := range acts {
		for _, rest := range permuted(slices.Concat(acts[:i], acts[i+1:])...) {
			list = append(list, act+" "+rest)
		}
	}
	return list
}
