//go:build e2e

package faults

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"logstream/e2e/images"
)

// finishes is a job: it does its work, and ends.
var finishes = images.Image{Name: "logstream-webapp-done", Env: []string{"MODE=done"}}

// unusual are what real hosts have and no list of faults begins with.
var unusual = []Scenario{
	{Name: "on-failure-exhausted", Row: "crash loop, bad configuration", Containers: one("--restart", "on-failure:3"), Inject: visits("/exit?code=3&lasting"), NotFor: ownPolicy,
		Want: Want{End: []End{Escalated}, Cause: []string{"exits_at_start", "crash_loop"}, Within: 90 * time.Second, Stay: 20 * time.Second, Check: calledOnce}, Harmful: anything},
	{Name: "killed-with-on-failure", Row: "killed", Containers: one("--restart", "on-failure:3"), Inject: does("kill", "{}"), NotFor: ownPolicy,
		Want: Want{Actions: []string{"start"}, Cause: []string{"killed"}}},
	{Name: "exit-with-0-and-on-failure", Row: "crashed", Containers: one("--restart", "on-failure"), Inject: visits("/exit?code=0"), NotFor: ownPolicy,
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "crash-loop-under-always", Row: "crash loop, bad configuration", Containers: one("--restart", "always"), Inject: visits("/exit?code=78&lasting"), NotFor: ownPolicy,
		Want: Want{End: []End{Escalated}, Cause: []string{"crash_loop", "crash_loop_changed"}, Within: 90 * time.Second}, Harmful: anything},
	{Name: "job-that-was-done-before", Row: "crashed", Containers: []Container{{Image: finishes.Name, URL: None, Down: true}}, NotFor: onlyOurs,
		Want: Want{End: []End{Escalated, Held}, Gate: []string{"operator"}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "one-shot-job", Row: "crashed", Containers: []Container{{Image: finishes.Name, URL: None, Args: []string{"-e", "START=600"}}}, NotFor: onlyOurs, Inject: signals(syscall.SIGUSR2),
		Want: Want{End: []End{Escalated}, Cause: []string{"finished"}, Stay: 20 * time.Second, Check: calledOnce}, Harmful: anything},
	{Name: "killed-by-sigint", Row: "killed", Containers: one(), Inject: does("kill", "-s", "INT", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"killed"}}},
	{Name: "frozen-by-a-signal", Row: "hung: accepts, never answers", Containers: one(), Inject: does("kill", "-s", "STOP", "{}"),
		Want: Want{Actions: []string{"restart", "kill_start"}, Within: 90 * time.Second}},
	{Name: "not-executable", Row: "bad command", Containers: []Container{{Args: []string{"--entrypoint", "/etc"}, Down: true}},
		Want: Want{End: []End{Escalated}, Cause: []string{"bad_command", "start_refused"}}, Harmful: anything},
	{Name: "bind-mount-gone", Row: "volume full", Prepare: folder, Containers: one("--mount", "type=bind,src={dir}/folder,dst=/data"), Inject: then(folderGone, does("kill", "{}")),
		Want: Want{Actions: []string{"start start start"}, End: []End{Escalated}, Within: 90 * time.Second, Check: calledOnce}, Harmful: restarts},
	{Name: "network-gone", Row: "network lost", Prepare: network, Containers: one("--network", "{prefix}-net"), Inject: then(does("stop", "-t", "1", "{}"), does("network", "rm", "{prefix}-net")),
		Want: Want{Actions: []string{"start start start"}, End: []End{Escalated}, Within: 90 * time.Second, Check: calledOnce}, Harmful: restarts},
	{Name: "stopped-with-rm", Row: "removed", Containers: one("--rm"), Inject: does("stop", "-t", "1", "{}"), NotFor: ownPolicy,
		Want: Want{End: []End{Escalated, Held}, Gate: []string{"approval"}, Cause: []string{"container_missing"}}, Harmful: anything},
	{Name: "out-of-memory-of-a-child", Row: "out of memory, once", Containers: one("-m", "64m"), Inject: leaksBeside,
		Want: Want{End: []End{Quiet}, Stay: 15 * time.Second}, Harmful: anything},
	{Name: "stop-after-a-child-ran-out-of-memory", Row: "stopped", Containers: one("-m", "64m"), Inject: then(leaksBeside, does("stop", "{}")),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}},
	{Name: "blue-and-green", Row: "deployment under way", Containers: one(), NotFor: onlyOurs, Inject: func(s *Stage) error {
		c := s.Containers[0]
		return then(does("rename", "{}", "{prefix}-blue"), func(s *Stage) error { s.finally(func() { _ = s.docker("rm", "-f", "{prefix}-blue") }); return nil },
			does("stop", "{prefix}-blue"), func(s *Stage) error { return s.run(c) }, does("rm", "{prefix}-blue"))(s)
	},
		Want: Want{End: []End{Recovered, Quiet}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "compose-recreates-by-force", Row: "deployment under way", Containers: []Container{{Made: true}},
		Prepare: composed("1"), Inject: does("compose", "-f", "{dir}/compose.yaml", "up", "-d", "--force-recreate"),
		Want: Want{End: []End{Quiet, Recovered}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "compose-down-and-up", Row: "deployment under way", Containers: []Container{{Made: true}},
		Prepare: composed("1"), Inject: then(does("compose", "-f", "{dir}/compose.yaml", "down", "-t", "1"), does("compose", "-f", "{dir}/compose.yaml", "up", "-d")),
		Want: Want{End: []End{Quiet, Recovered}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "compose-pause", Row: "paused", Containers: []Container{{Made: true}, {Role: "second", Made: true}},
		Prepare: composed("1"), Inject: does("compose", "-f", "{dir}/compose.yaml", "pause"), NotFor: onlyOurs,
		Want: Want{End: []End{Held}, Gate: []string{"operator"}, Stay: 15 * time.Second}, Harmful: anything},
	{Name: "slow-start-of-a-healthcheck", Row: "gates", Containers: []Container{{Image: checked.Name, URL: None, Args: []string{"-e", "START=8", "--health-start-period", "20s"}}}, Inject: does("restart", "{}"),
		Want: Want{End: []End{Recovered, Quiet}, Stay: 25 * time.Second}, Harmful: anything},
	{Name: "dependency-of-another-name", Row: "dependency down", Containers: chain("api"), Prepare: network, Inject: does("network", "disconnect", "{prefix}-net", "{}"),
		Want: Want{Actions: []string{"connect"}, Cause: []string{"network_lost"}, Answers: []string{"", "api"}}, Harmful: []string{"api:restart", "restart"}},
	{Name: "paused-and-then-stopped", Row: "paused", Containers: one(), Inject: then(does("pause", "{}"), does("stop", "-t", "1", "{}")),
		Want: Want{Actions: []string{"start", "unpause start"}, Answers: []string{""}, Within: 90 * time.Second}, Harmful: []string{"recreate", "rollback"}},
}

// folder makes the folder that the container mounts.
func folder(s *Stage) error { return os.Mkdir(filepath.Join(s.dir, "folder"), 0o700) }

func folderGone(s *Stage) error { return os.Remove(filepath.Join(s.dir, "folder")) }

// leaksBeside lets a process beside the main one run out of the container's memory. The
// kernel may end the main one as well, since the other's memory is not free at once: that
// is another fault than the one that is meant.
func leaksBeside(s *Stage) error {
	running := func() (string, error) { return s.dockerSays("inspect", "-f", "{{.State.Status}} {{.State.Pid}}", "{}") }
	before, err := running()
	if err != nil {
		return err
	}
	err = s.docker("exec", "{}", "/webapp", "-leak")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 128+int(syscall.SIGKILL) {
		time.Sleep(time.Second) // Docker has seen it by then
		after, err := running()
		if err == nil && after != before {
			err = fmt.Errorf("%w: the kernel ended the server as well: it was %s, and is %s", errOtherFault, before, after)
		}
		return err
	}
	return fmt.Errorf("the process that leaks was not killed: %w", cmp.Or(err, errors.New("it ended with 0")))
}
