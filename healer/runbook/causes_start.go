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

// quickExits is how often in a row a container has to end alike until another
// start is pointless: the start between the two changed nothing.
const quickExits = 2

var noStart = []option{{service.ActionStart, "it would end the same way"}}

// startCauses are those of a container that cannot start, or ends at once.
var startCauses = []cause{
	{ // the engine's error of the failed start names a port
		id:         "port_taken",
		match:      func(f Facts) bool { return stands(f) && f.PortTaken != "" },
		present:    "The container cannot start: its host port is in use.",
		past:       "The container could not start: its host port was in use.",
		confidence: 0.95,
		why:        "something else on this machine uses {port}; stop that, or give the container another port, then start it",
		wrong:      []option{{service.ActionStart, "the port is still in use"}},
	},
	{ // exit code 126 or 127, of a container that exited by itself within seconds of its start, or of a start that failed
		id: "bad_command",
		match: func(f Facts) bool {
			byItself := ended(history.EndByItself)(f) && (f.QuickExits > 0 || f.Error != "") || f.State == "created" && f.Error != ""
			return byItself && (f.ExitCode == exitNotExecutable || f.ExitCode == exitNotFound)
		},
		present:    "The container's command cannot be run.",
		past:       "The container's command could not be run.",
		confidence: 0.9,
		why:        "exit code {exit} means that the command was not found or is not executable, and another start would end the same way",
		legal:      []option{rollback, person, nothing},
		wrong:      []option{{service.ActionStart, "the command is wrong, not the container's state"}},
	},
	{ // created, and the engine's error of the failed start is there
		id:         "start_refused",
		match:      func(f Facts) bool { return f.State == "created" && f.Error != "" },
		present:    "Docker refused to start the container.",
		past:       "Docker refused to start the container.",
		confidence: 0.95,
		why:        "its error is: {engine}",
		wrong:      []option{{service.ActionStart, "Docker tried and refused"}},
	},
	{ // created, and nothing failed
		id:         "never_started",
		match:      inState("created"),
		present:    "The container was created and never started.",
		past:       "The container was created and never started.",
		confidence: 0.8,
		why:        "it has no error, and only waits for a start",
		legal:      []option{start, person, nothing},
	},
	{ // its newest exits were alike, the newest of them within seconds of the start: its configuration is wrong
		id:         "exits_at_start",
		match:      func(f Facts) bool { return ended(history.EndByItself)(f) && f.QuickExits >= quickExits },
		present:    "The container exits by itself within seconds of each start.",
		past:       "The container exited by itself within seconds of each start.",
		confidence: 0.9,
		why:        "it exited {times} times in a row with exit code {exit}: its configuration or image is wrong{log}",
		legal:      []option{rollback, person, nothing},
		wrong:      noStart,
	},
	{ // it exited by itself within seconds, and was never healthy since its image or configuration changed
		id:         "exits_after_update",
		match:      func(f Facts) bool { return ended(history.EndByItself)(f) && f.QuickExits > 0 && f.Changed },
		present:    "The container exits by itself since its image or configuration changed.",
		past:       "The container exited by itself since its image or configuration changed.",
		confidence: 0.8,
		why:        "it was healthy before the change, and now exited within seconds with exit code {exit}{log}",
		legal:      []option{rollback, start, person, nothing},
	},
}

// memoryCauses are those of a container that the kernel ended for lack of memory.
var memoryCauses = []cause{
	{ // the third end out of memory within ten minutes, or the second where a restart policy starts it
		id: "oom_loop",
		match: func(f Facts) bool {
			return ended(history.EndOOM)(f) && f.OOMs >= 3 || f.State == "restarting" && f.OOMs >= 2
		},
		present:    "The container runs out of memory again and again.",
		past:       "The container ran out of memory again and again.",
		confidence: 0.9,
		why:        "its events show several ends out of memory within 10 minutes; raise its limit, or find what it keeps",
		legal:      []option{raise, person, nothing},
		wrong:      []option{{service.ActionStart, "it would run out of memory again"}},
	},
	{ // the second end out of memory within ten minutes
		id:         "oom_again",
		match:      func(f Facts) bool { return ended(history.EndOOM)(f) && f.OOMs == 2 },
		present:    "The container ran out of memory for the second time within 10 minutes.",
		past:       "The container ran out of memory for the second time within 10 minutes.",
		confidence: 0.8,
		why:        "its events show it twice; its limit may be too low, or it may keep too much",
		legal:      []option{raise, start, person, nothing},
		wrong:      notRunning,
	},
	starts(cause{ // its events hold an oom just before its end
		id:         "oom",
		match:      ended(history.EndOOM),
		present:    "The container ran out of memory and was killed.",
		past:       "The container ran out of memory and was killed.",
		confidence: 0.95,
		why:        "its events show that it was out of memory just before it ended; if it happens again, its limit is too low",
	}),
}

// stands says whether it does not run, and nothing is about to start it.
func stands(f Facts) bool { return slices.Contains([]string{"created", "exited"}, f.State) }
