//go:build e2e

package faults

import (
	"syscall"
	"time"

	"logstream/e2e/images"
)

// The images of the scenarios, beside the web application.
var (
	checked     = images.Image{Name: "logstream-webapp-checked", Health: []string{"/webapp", "-check"}}
	brokenCheck = images.Image{Name: "logstream-webapp-broken-check", Health: []string{"/nope"}}
	exits       = images.Image{Name: "logstream-webapp-exits", Env: []string{"MODE=exit"}}
	serves500   = images.Image{Name: "logstream-webapp-500", Env: []string{"MODE=500"}}
)

// one is a scenario's only container.
func one(args ...string) []Container { return []Container{{Args: args}} }

// noise are services that have nothing to do with any scenario.
var noise = Scenario{Name: "noise", Containers: []Container{
	{Role: "a"}, {Role: "b"}, {Role: "flapping", Config: "heal: {mode: observe}"},
}}

// Actions, and what is wrong with them.
var (
	anything = []string{"start", "restart", "unpause", "kill_start", "recreate", "rollback"}
	restarts = []string{"restart", "kill_start", "recreate", "rollback"}
)

// onlyOurs are scenarios of something that no peer has.
var onlyOurs = map[string]string{
	autoheal: "it has no such setting", poc: "it has no such setting",
	unlessStopped: "it has no such setting", always: "it has no such setting",
}

// ownPolicy are scenarios whose container has a restart policy of its own.
var ownPolicy = map[string]string{unlessStopped: "the scenario sets the policy", always: "the scenario sets the policy"}

// ended are containers that end, and those that were never right.
var ended = []Scenario{
	{Name: "stop", Row: "stopped", Quick: true, Containers: one(), Inject: does("stop", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}},
	{Name: "stop-by-sigquit", Row: "stopped", Containers: []Container{{Image: images.Quit.Name}}, Inject: does("stop", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}},
	{Name: "stop-without-grace", Row: "stopped", Containers: one(), Inject: does("stop", "-t", "0", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}},
	{Name: "stop-of-a-deaf-process", Row: "stopped", Containers: one("-e", "STOP=ignore"), Inject: does("stop", "-t", "2", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}},
	{Name: "stop-with-a-policy", Row: "stopped", Containers: one("--restart", "unless-stopped"), Inject: does("stop", "{}"), NotFor: ownPolicy,
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}}},
	{Name: "stop-again", Row: "stopped", Quick: true, Containers: one(), Inject: then(does("stop", "{}"), healedOnce, does("stop", "{}")),
		Want: Want{Actions: []string{"start"}, End: []End{Held}, Gate: []string{"operator"}}, NotFor: onlyOurs},
	{Name: "stop-that-is-meant", Row: "stopped", Containers: []Container{{Config: "heal: {manual_stop: ignore}"}}, Inject: does("stop", "{}"), NotFor: onlyOurs,
		Want: Want{End: []End{Held}, Gate: []string{"operator"}}, Harmful: anything},
	{Name: "never-started", Row: "stopped", Containers: []Container{{Create: true, Down: true}},
		Want: Want{End: []End{Held}, Gate: []string{"operator"}, Within: 20 * time.Second}, Harmful: anything},
	{Name: "restart-by-hand", Row: "stopped", Containers: one(), Inject: does("restart", "{}"),
		Want: Want{End: []End{Recovered}, Stay: 15 * time.Second}, Harmful: anything},
	{Name: "kill", Row: "killed", Quick: true, Containers: one(), Inject: does("kill", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"killed"}}},
	{Name: "kill-by-sigterm", Row: "killed", Containers: one(), Inject: does("kill", "-s", "TERM", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"killed"}}},
	{Name: "kill-with-a-policy", Row: "killed", Containers: one("--restart", "always"), Inject: does("kill", "{}"), NotFor: ownPolicy,
		Want: Want{Actions: []string{"start"}, Cause: []string{"killed"}}},
	{Name: "signal-of-a-log-rotation", Row: "killed", Containers: one(), Inject: does("kill", "-s", "USR1", "{}"),
		Want: Want{End: []End{Quiet}, Stay: 12 * time.Second}, Harmful: anything},
	{Name: "exit", Row: "crashed", Quick: true, Containers: one(), Inject: visits("/exit?code=3"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "exit-with-127-after-a-while", Row: "crashed", Containers: one(), Inject: after(15*time.Second, visits("/exit?code=127")),
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "exit-with-0", Row: "crashed", Containers: one(), Inject: visits("/exit?code=0"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "panic", Row: "crashed", Containers: one(), Inject: visits("/panic"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "main-process-killed", Row: "crashed", Containers: one(), Inject: signals(syscall.SIGKILL),
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "crash-with-a-policy", Row: "crashed", Containers: one("--restart", "unless-stopped"), Inject: visits("/exit?code=3"), NotFor: ownPolicy,
		Want: Want{End: []End{Recovered}, Stay: 15 * time.Second}, Harmful: anything},
	{Name: "crash-without-a-check", Row: "crashed", Containers: []Container{{URL: None}}, Inject: visits("/exit?code=3"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"exited"}}},
	{Name: "pause", Row: "paused", Quick: true, Containers: one(), Inject: does("pause", "{}"),
		Want: Want{Actions: []string{"unpause"}, Cause: []string{"paused"}}, Harmful: restarts},
	{Name: "pause-that-is-meant", Row: "paused", Containers: []Container{{Config: "heal: {manual_stop: ignore}"}}, Inject: does("pause", "{}"), NotFor: onlyOurs,
		Want: Want{End: []End{Held}, Gate: []string{"operator"}}, Harmful: anything},
	{Name: "pause-for-a-backup", Row: "paused", Containers: one(), Inject: then(does("pause", "{}"), after(500*time.Millisecond, does("unpause", "{}"))),
		Want: Want{End: []End{Recovered}, Stay: 15 * time.Second}, Harmful: anything},
	{Name: "out-of-memory", Row: "out of memory, once", Quick: true, Containers: one("-m", "48m"), Inject: visits("/leak"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"oom"}}},
	{Name: "out-of-memory-with-a-ceiling", Row: "out of memory, again and again",
		Containers: []Container{{Args: []string{"-m", "48m"}, Config: "heal: {actions: [raise_memory], max_memory: 256MiB}"}}, Inject: visits("/leak?mb=80&lasting"),
		Want: Want{Actions: []string{"start raise_memory", "start start raise_memory", "raise_memory"}, Cause: []string{"oom_again", "oom_loop"}, Within: 2 * time.Minute}},
	{Name: "out-of-memory-again", Row: "out of memory, again and again", Containers: one("-m", "48m"), Inject: visits("/leak?mb=80&lasting"),
		Want: Want{Actions: []string{"start", "start start", "start start start"}, End: []End{Escalated, Held}, Gate: []string{"approval"}, Cause: []string{"oom_again", "oom_loop"}, Within: 2 * time.Minute}},
	{Name: "out-of-memory-with-a-policy", Row: "out of memory, again and again", Containers: one("-m", "48m", "--restart", "always"), Inject: visits("/leak?mb=80&lasting"), NotFor: ownPolicy,
		Want: Want{End: []End{Escalated}, Within: 90 * time.Second}, Harmful: anything},
	{Name: "removed", Row: "removed", Containers: one(), Inject: does("rm", "-f", "{}"),
		Want: Want{End: []End{Escalated, Held}, Gate: []string{"approval"}, Cause: []string{"container_missing"}}, Harmful: anything},
	{Name: "removed-and-recreated", Row: "removed", Containers: []Container{{Args: []string{"-e", "COLOUR=blue"}, Config: "heal: {actions: [recreate]}"}}, Inject: does("rm", "-f", "{}"),
		Want: Want{Actions: []string{"recreate"}, Cause: []string{"container_missing"}, Check: hasVariable("COLOUR=blue")}},
	{Name: "port-taken", Row: "host port taken", Containers: one(), Inject: takePort,
		Want: Want{Actions: []string{"start", ""}, End: []End{Escalated}, Cause: []string{"port_taken"}, Within: 90 * time.Second, Check: portIsTaken}, Harmful: restarts},
}
