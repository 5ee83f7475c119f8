package runbook

import "logstream/internal/event"

// pushCauses are those of a container that runs and whose service reports by
// itself: what it says, or that it says nothing, stands for our own check.
var pushCauses = []cause{
	{ // no report came in time, and none ever did as it is configured now
		id:         "never_reported",
		match:      func(f Facts) bool { return failing(event.FailureSilence)(f) && !f.WasUp },
		present:    "The container runs, but has sent no report since the service was configured.",
		past:       "The container ran, but had sent no report since the service was configured.",
		confidence: 0.7,
		why:        "{check}; make the job send its report; a restart would not change that",
		wrong:      noRestart,
	},
	{ // no report came in time, and its push.schedule says when one is due
		id:         "report_missed",
		match:      func(f Facts) bool { return failing(event.FailureSilence)(f) && f.Scheduled },
		present:    "The container runs, but a scheduled report did not arrive.",
		past:       "The container ran, but a scheduled report did not arrive.",
		confidence: 0.7,
		why:        "{check}; see why the job did not run or did not report",
		wrong:      []option{{"restart", "a restart would run the job outside its schedule"}},
	},
	restarts(badReports, cause{ // no report came in time, and one is due each interval
		id:         "silent",
		match:      failing(event.FailureSilence),
		present:    "The container runs, but no longer reports.",
		past:       "The container ran, but no longer reported.",
		confidence: 0.75,
		why:        "a process that no longer reports may hang, and a restart replaces it",
	}),
	restarts(badReports, cause{ // it reports DOWN
		id:         "reported",
		match:      failing(event.FailureReported),
		present:    "The container runs, and reports that it fails.",
		past:       "The container ran, and reported that it failed.",
		confidence: 0.7,
		why:        "the service reports the failure itself, and a restart replaces the process",
	}),
}

// badReports waits for what is reported of this run, or is missing in it.
func badReports(f Facts) string {
	if f.BadChecks >= f.Needed {
		return ""
	}
	return "the container has started since then, and its next report is not due yet"
}
