package runbook

import "logstream/internal/event"

// pushCauses are those of a container that runs and whose service reports by
// itself: what it says, or that it says nothing, stands for our own check.
var pushCauses = []cause{
	{
		id:         "never_reported",
		match:      func(f Facts) bool { return failing(event.FailureSilence)(f) && !f.WasUp },
		present:    "The container runs, and has never reported as it is configured now.",
		past:       "The container ran, and had never reported as it was configured then.",
		confidence: 0.7,
		why:        "{check}; what should report may not know how, and a restart would not change that",
		legal:      []option{person, nothing},
		wrong:      noRestart,
	},
	{
		id:         "report_missed",
		match:      func(f Facts) bool { return failing(event.FailureSilence)(f) && f.Scheduled },
		present:    "The container runs, and a scheduled report did not come.",
		past:       "The container ran, and a scheduled report did not come.",
		confidence: 0.7,
		why:        "{check}; look at what should have run then",
		legal:      []option{person, nothing},
		wrong:      []option{{"restart", "it would run the job at another time than its schedule says"}},
	},
	{
		id:         "silent",
		match:      failing(event.FailureSilence),
		present:    "The container runs, and no longer reports.",
		past:       "The container ran, and no longer reported.",
		confidence: 0.75,
		why:        "a process that no longer reports may hang, and a restart replaces it",
		legal:      []option{restart, person, nothing},
		wrong:      alreadyRunning,
		wait:       badReports,
	},
	{
		id:         "reported",
		match:      failing(event.FailureReported),
		present:    "The container runs, and reports that it fails.",
		past:       "The container ran, and reported that it failed.",
		confidence: 0.7,
		why:        "it says so itself, and a restart replaces the process",
		legal:      []option{restart, person, nothing},
		wrong:      alreadyRunning,
		wait:       badReports,
	},
}

// badReports waits for what is reported of this run, or is missing in it.
func badReports(f Facts) string {
	if f.BadChecks >= f.Needed {
		return ""
	}
	return "the container started since: its next report is waited for"
}
