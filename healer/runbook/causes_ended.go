package runbook

import (
	"slices"

	"logstream/healer/history"
	"logstream/internal/service"
)

// containerCauses are those of a service whose container is not there.
var containerCauses = []cause{
	{ // nothing is configured that could be repaired
		id:         "no_container",
		match:      func(f Facts) bool { return f.Container == "" },
		present:    "The checks fail, and no container is configured.",
		past:       "The checks failed, and no container was configured.",
		confidence: 1,
		why:        "without a container there is nothing that LogStream can repair",
	},
	{ // the engine does not know the name, and our own check is good: renamed, or mistyped
		id:         "container_unknown",
		match:      func(f Facts) bool { return f.Missing && good(f) },
		present:    "The container {container} does not exist, but the service answers.",
		past:       "The container {container} did not exist, but the service answered.",
		confidence: 0.9,
		why:        "it is no outage; the container was renamed, or its name in the configuration is wrong: correct container in config.yaml",
		legal:      []option{nothing, person},
		wrong:      []option{{service.ActionRecreate, "the service answers"}},
	},
	{ // the engine does not know the name, and our own check is not good: it was removed
		id:         "container_missing",
		match:      func(f Facts) bool { return f.Missing },
		present:    "The container {container} does not exist.",
		past:       "The container {container} did not exist.",
		confidence: 1,
		why:        "there is nothing to start; create it again, for example with docker compose up -d{compose}",
		legal:      []option{{service.ActionRecreate, "its last good configuration is remembered"}, person, nothing},
		wrong:      []option{{service.ActionStart, "there is nothing to start"}},
	},
}

var notRunning = []option{{service.ActionRestart, "it is not running: starting it is enough"}}

// endedCauses are those of a container that does not run. How it ended comes
// from the engine's events; a stop with an exit code of 127 is a stop.
var endedCauses = slices.Concat(startCauses, memoryCauses, []cause{
	starts(cause{ // exited, and its events hold a stop
		id:         "stopped",
		match:      ended(history.EndStopped),
		present:    "The container was stopped by a command such as docker stop.",
		past:       "The container was stopped by a command such as docker stop.",
		confidence: 0.97,
		why:        "its events show a stop, which a crash does not",
	}),
	starts(cause{ // exited, and its events hold a terminating kill and no stop
		id:         "killed",
		match:      ended(history.EndKilled),
		present:    "The container was killed by a command such as docker kill.",
		past:       "The container was killed by a command such as docker kill.",
		confidence: 0.97,
		why:        "its events show a kill and no stop",
	}),
	{ // it exited by itself with exit code 0, no check shows that it should keep running (it has none, or its report is due by a schedule, or it ran for less than the interval of its reports), and its restart policy leaves it so: a job that is done
		id: "finished",
		match: func(f Facts) bool {
			keeps := f.Policy == "always" || f.Policy == "unless-stopped"
			return ended(history.EndByItself)(f) && f.ExitCode == 0 && f.Unchecked && !keeps
		},
		present:    "The container exited by itself with exit code 0, like a finished job.",
		past:       "The container exited by itself with exit code 0, like a finished job.",
		confidence: 0.7,
		why:        "no check shows that it should keep running, and its restart policy does not start it again; start it by hand, give it a url that is checked or the restart policy unless-stopped, or remove its container from the configuration",
		legal:      []option{person, nothing},
		wrong:      append(slices.Clone(notRunning), option{service.ActionStart, "it would run the job again"}),
	},
	starts(cause{ // exited, and its events hold neither a stop nor a kill
		id:         "exited",
		match:      ended(history.EndByItself),
		present:    "The container exited by itself.",
		past:       "The container exited by itself.",
		confidence: 0.95,
		why:        "its events show neither a stop nor a kill before exit code {exit}",
	}),
	starts(cause{ // exited, and no event shows how
		id:         "ended_unwatched",
		match:      inState("exited"),
		present:    "The container exited while LogStream was not watching.",
		past:       "The container exited while LogStream was not watching.",
		confidence: 0.7,
		why:        "it ran before, and no event shows why it exited",
	}),
	{ // the engine says dead
		id:         "dead",
		match:      inState("dead"),
		present:    "The container is dead: Docker failed to remove it.",
		past:       "The container was dead: Docker had failed to remove it.",
		confidence: 0.9,
		why:        "Docker cannot start a dead container; remove it with docker rm -f {container}, then create it again",
		wrong: []option{{service.ActionStart, "Docker refuses to start a dead container"},
			{service.ActionRestart, "Docker refuses to restart a dead container"}},
	},
	{ // the engine says paused
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
	{ // its restart policy keeps starting it, after its image or configuration changed
		id:         "crash_loop_changed",
		match:      func(f Facts) bool { return f.State == "restarting" && f.Changed },
		present:    "The container keeps exiting since its image or configuration changed.",
		past:       "The container kept exiting since its image or configuration changed.",
		confidence: 0.85,
		why:        "it was healthy before the change, and exits with code {exit}{log}",
		legal:      []option{rollback, person, nothing},
		wrong:      []option{{service.ActionRestart, "the restart policy does that already"}},
	},
	{ // its restart policy keeps starting it
		id:         "crash_loop",
		match:      inState("restarting"),
		present:    "The container keeps exiting, and its restart policy keeps starting it.",
		past:       "The container kept exiting, and its restart policy kept starting it.",
		confidence: 0.9,
		why:        "a restart by hand would only reset Docker's backoff{log}",
		legal:      []option{person, nothing},
		wrong:      []option{{service.ActionRestart, "the restart policy does that already"}},
	},
	{ // the engine says removing
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
})

func inState(state string) func(Facts) bool {
	return func(f Facts) bool { return f.State == state }
}

func ended(ends ...history.End) func(Facts) bool {
	return func(f Facts) bool { return f.State == "exited" && slices.Contains(ends, f.End) }
}
