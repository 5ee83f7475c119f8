package runbook

import (
	"fmt"
	"slices"

	"logstream/internal/event"
	"logstream/internal/service"
)

// processCauses are those of a container that runs, and whose process is at
// fault: only they make a restart legal.
var processCauses = []cause{
	{ // its CPU limit is tiny, it is throttled most of the time, and does not answer in time
		id:         "cpu_starved",
		match:      func(f Facts) bool { return failing(hangs...)(f) && f.Collected.starved() },
		present:    "The container runs, and does not answer in time because its CPU limit holds it back.",
		past:       "The container ran, and did not answer in time because its CPU limit held it back.",
		confidence: 0.85,
		why:        "it was throttled most of the time, lately or since it started; raise its CPU limit",
		wrong:      []option{{service.ActionRestart, "it would have the same limit"}},
		wait:       badChecks,
	},
	{ // a stop of this container had to be ended by a kill before
		id:         "ignores_sigterm",
		match:      func(f Facts) bool { return processAtFault(f) && !f.FailsAgain && f.IgnoresStop },
		present:    "The container runs without serving, and ignores its stop signal.",
		past:       "The container ran without serving, and ignored its stop signal.",
		confidence: 0.8,
		why:        "an earlier stop took the whole stop time-out and was ended by a kill",
		legal:      []option{killStart, restart, person, nothing},
		wrong:      alreadyRunning,
		wait:       badChecks,
	},
	restarts(badChecks, cause{ // no answer in time, and it uses all the processor time that it may
		id:         "busy",
		match:      func(f Facts) bool { return failing(hangs...)(f) && f.Collected.busy() },
		present:    "The container runs at full CPU, and does not answer in time.",
		past:       "The container ran at full CPU, and did not answer in time.",
		confidence: 0.8,
		why:        "a process that spins or is deadlocked does not recover by itself, and a restart frees it",
	}),
	{ // its log of this run shows that it can open nothing more
		id:         "fds_exhausted",
		shown:      []Sign{SignOpenFiles},
		match:      func(f Facts) bool { return processAtFault(f) && shows(SignOpenFiles)(f) },
		present:    "The service fails, and its log reports too many open files.",
		past:       "The service failed, and its log reported too many open files.",
		confidence: 0.8,
		why:        "a restart closes them; raise its limit (ulimits: nofile), or find what it leaves open{said}",
		legal:      []option{restart, person, nothing},
		wrong:      alreadyRunning,
	},
	restarts(badChecks, cause{ // no answer in time
		id:         "hang",
		match:      failing(hangs...),
		present:    "The container runs, and does not answer in time.",
		past:       "The container ran, and did not answer in time.",
		confidence: 0.8,
		why:        "a restart frees a process that hangs",
	}),
	{ // HTTP 5xx before it was started, and in every check of our own since
		id:         "http_5xx_persistent",
		match:      func(f Facts) bool { return serverError(f) && f.FailsAgain },
		present:    "The container runs, and answers with server errors again after a start.",
		past:       "The container ran, and answered with server errors again after a start.",
		confidence: 0.85,
		why:        "it failed before it was started, and answers HTTP {http} since, so another restart would not help; its log or what it needs may show why",
		wrong:      []option{{service.ActionRestart, "it has been started, and fails again"}},
		wait:       badChecks,
	},
	restarts(badChecks, cause{ // HTTP 5xx
		id:         "http_5xx",
		match:      serverError,
		present:    "The container runs, and answers with server errors.",
		past:       "The container ran, and answered with server errors.",
		confidence: 0.8,
		why:        "the fault is inside the process, and a restart replaces it",
	}),
	restarts(badChecks, cause{ // nothing listens, or the connection is cut
		id:         "not_serving",
		match:      failing(event.FailureConnectRefused, event.FailureReset),
		present:    "The container runs, and refuses or drops connections.",
		past:       "The container ran, and refused or dropped connections.",
		confidence: 0.75,
		why:        "the process runs without serving, and a restart replaces it",
	}),
	restarts(badChecks, cause{ // its HEALTHCHECK fails, and is the only check
		id:         "unhealthy",
		match:      failing(event.FailureUnhealthy),
		present:    "The container runs, but its HEALTHCHECK fails.",
		past:       "The container ran, but its HEALTHCHECK failed.",
		confidence: 0.75,
		why:        "the HEALTHCHECK is the only check, and a restart replaces the process",
	}),
}

// serverError says whether it answers with an HTTP status of 500 and above.
func serverError(f Facts) bool { return failing(event.FailureStatus)(f) && f.Code >= 500 }

// processAtFault says whether the failure is one that a restart may repair.
func processAtFault(f Facts) bool {
	return serverError(f) || failing(hangs...)(f) || failing(event.FailureConnectRefused, event.FailureReset, event.FailureUnhealthy)(f)
}

// badChecks waits for enough failed checks of this run: what was just started
// is not restarted.
func badChecks(f Facts) string {
	if f.BadChecks >= f.Needed {
		return ""
	}
	return fmt.Sprintf("fewer than %d checks have failed since the container started", f.Needed)
}

// Alike says whether the causes with those ids are of one fault: a repair that
// did not help against one of them is not tried against the other.
func Alike(a, b string) bool {
	return a == b || slices.Contains(closer, a) && slices.Contains(atFault, b) || slices.Contains(closer, b) && slices.Contains(atFault, a)
}

// IsOfProcess says whether the cause with that id is a fault of the container's
// process: where it is back soon after a restart, a restart does not heal it. One
// whose network another container removed needs a restart each time.
func IsOfProcess(id string) bool {
	return slices.Contains(atFault, id) || slices.ContainsFunc(pushCauses, func(c cause) bool { return c.id == id })
}

// atFault are the causes whose process is at fault, and closer those of them
// that say more closely why: which of them is found may change from one inspection to
// the next, without another fault. That it hangs and then answers with errors is
// another.
var (
	atFault = append(slices.Clone(closer), "hang", "http_5xx", "http_5xx_persistent", "not_serving", "unhealthy")
	closer  = []string{"ignores_sigterm", "busy", "fds_exhausted", "bad_update", "dependency_slow"}
)
