package runbook

import (
	"slices"

	"logstream/healer/history"
	"logstream/internal/service"
)

// The exit codes of a command that cannot be run.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// containerCauses are those of a service whose container is not there.
var containerCauses = []cause{
	{
		id:         "no_container",
		match:      func(f Facts) bool { return f.Container == "" },
		present:    "The checks fail, and no container is configured.",
		past:       "The checks failed, and no container was configured.",
		confidence: 1,
		why:        "without a container there is nothing that LogStream can repair",
		legal:      []option{person, nothing},
	},
	{
		id:         "container_missing",
		match:      func(f Facts) bool { return f.Missing },
		present:    "The container {container} does not exist.",
		past:       "The container {container} did not exist.",
		confidence: 1,
		why:        "LogStream does not recreate removed containers; create it again, for example with docker compose up -d",
		legal:      []option{person, nothing},
		wrong:      []option{{service.ActionStart, "there is nothing to start"}},
	},
}

var notRunning = []option{{service.ActionRestart, "it is not running: starting it is enough"}}

// endedCauses are those of a container that does not run. How it ended comes
// from the engine's events; a stop with an exit code of 127 is a stop.
var endedCauses = []cause{
	{
		id:         "stopped",
		match:      ended(history.EndStopped),
		present:    "The container was stopped from outside.",
		past:       "The container had been stopped from outside.",
		confidence: 0.97,
		why:        "its events show a stop, which a crash does not",
		legal:      []option{start, person, nothing},
		wrong:      notRunning,
	},
	{
		id:         "killed",
		match:      ended(history.EndKilled),
		present:    "The container was killed from outside.",
		past:       "The container had been killed from outside.",
		confidence: 0.97,
		why:        "its events show a kill and no stop",
		legal:      []option{start, person, nothing},
		wrong:      notRunning,
	},
	{
		id:         "oom",
		match:      ended(history.EndOOM),
		present:    "The container ran out of memory and was killed.",
		past:       "The container had run out of memory and had been killed.",
		confidence: 0.95,
		why:        "its events show that it was out of memory just before it ended",
		legal:      []option{start, person, nothing},
		wrong:      notRunning,
	},
	{
		id: "bad_command",
		match: func(f Facts) bool {
			return ended(history.EndByItself)(f) && (f.ExitCode == exitNotExecutable || f.ExitCode == exitNotFound)
		},
		present:    "The container's command cannot be run.",
		past:       "The container's command could not be run.",
		confidence: 0.9,
		why:        "exit code {exit} means that the command was not found or is not executable, and another start would end the same way",
		legal:      []option{person, nothing},
		wrong:      []option{{service.ActionStart, "the command is wrong, not the container's state"}},
	},
	{
		id:         "exited",
		match:      ended(history.EndByItself),
		present:    "The container exited by itself.",
		past:       "The container had exited by itself.",
		confidence: 0.95,
		why:        "its events show neither a stop nor a kill before exit code {exit}",
		legal:      []option{start, person, nothing},
		wrong:      notRunning,
	},
	{
		id:         "ended_unwatched",
		match:      inState("exited"),
		present:    "The container ended while LogStream was not watching.",
		past:       "The container had ended while LogStream was not watching.",
		confidence: 0.7,
		why:        "it ran before, and no event shows why it ended",
		legal:      []option{start, person, nothing},
		wrong:      notRunning,
	},
	{
		id:         "dead",
		match:      inState("dead"),
		present:    "The container is dead: Docker failed to remove it.",
		past:       "The container was dead: Docker had failed to remove it.",
		confidence: 0.9,
		why:        "Docker cannot start a dead container; remove it with docker rm -f {container}, then create it again",
		legal:      []option{person, nothing},
		wrong: []option{{service.ActionStart, "Docker refuses to start a dead container"},
			{service.ActionRestart, "Docker refuses to restart a dead container"}},
	},
	{
		id:         "paused",
		match:      inState("paused"),
		present:    "The container is paused.",
		past:       "The container was paused.",
		confidence: 0.99,
		why:        "its processes are frozen, and unpausing it loses nothing",
		legal:      []option{{service.ActionUnpause, "it continues where it was and loses nothing"}, person, nothing},
		wrong: []option{{service.ActionRestart, "it would lose what is in memory"},
			{service.ActionStart, "a paused container cannot be started"}},
	},
	{
		id:         "start_refused",
		match:      func(f Facts) bool { return f.State == "created" && f.Error != "" },
		present:    "Docker refused to start the container.",
		past:       "Docker had refused to start the container.",
		confidence: 0.95,
		why:        "its error is: {engine}",
		legal:      []option{person, nothing},
		wrong:      []option{{service.ActionStart, "Docker tried and refused"}},
	},
	{
		id:         "never_started",
		match:      inState("created"),
		present:    "The container was created and never started.",
		past:       "The container had been created and never started.",
		confidence: 0.8,
		why:        "it has no error, and only waits for a start",
		legal:      []option{start, person, nothing},
	},
	{
		id:         "crash_loop",
		match:      inState("restarting"),
		present:    "The container keeps exiting, and its restart policy keeps starting it.",
		past:       "The container kept exiting, and its restart policy kept starting it.",
		confidence: 0.9,
		why:        "a restart by hand would only reset Docker's backoff; the container's log shows why it exits",
		legal:      []option{person, nothing},
		wrong:      []option{{service.ActionRestart, "the restart policy does that already"}},
	},
	{
		id:         "removing",
		match:      inState("removing"),
		present:    "Docker is removing the container.",
		past:       "Docker was removing the container.",
		confidence: 0.9,
		why:        "a container that is being removed cannot be started",
		legal:      []option{nothing, person},
		wrong:      []option{{service.ActionStart, "Docker refuses to start a container that is being removed"}},
		wait:       func(Facts) string { return "Docker is removing the container" },
	},
}

func inState(state string) func(Facts) bool {
	return func(f Facts) bool { return f.State == state }
}

func ended(ends ...history.End) func(Facts) bool {
	return func(f Facts) bool { return f.State == "exited" && slices.Contains(ends, f.End) }
}
