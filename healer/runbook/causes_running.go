package runbook

import (
	"slices"

	"logstream/internal/event"
	"logstream/internal/service"
)

var (
	alreadyRunning = []option{{service.ActionStart, "it is already running"}}
	noRestart      = []option{{service.ActionRestart, "a restart would not change that"}}
	// answersByRestart is what speaks against one where something answers.
	answersByRestart = []option{{service.ActionRestart, "it answers, only not as expected"}}
)

// hangs are the failures of a service that was reached and did not go on: a
// restart frees it, at whatever stage it hangs.
var hangs = []event.Failure{event.FailureConnectTimeout, event.FailureTLSTimeout, event.FailureHeaderTimeout, event.FailureBodyTimeout}

// runningCauses are those of a container that runs: our own check decides. Only
// a failure that shows that the process is at fault makes a restart legal; all
// others, also those that are not known here, go to a person.
var runningCauses = slices.Concat(checkCauses, aroundCauses, processCauses, answerCauses)

// checkCauses are those of a container that runs, and whose own check does not fail.
var checkCauses = []cause{
	{ // our own check has not decided
		id:         "undecided",
		match:      func(f Facts) bool { return running(f) && f.Check != event.Down && !good(f) && !isWorse(f) },
		present:    "The container runs, and its checks are not decided yet.",
		past:       "The container ran, and its checks were not decided yet.",
		confidence: 0.5,
		why:        "the next checks decide",
		legal:      []option{nothing, person},
		wait:       func(Facts) string { return "its checks are not decided yet" },
	},
	{ // our own check is good
		id:         "answers",
		match:      func(f Facts) bool { return running(f) && good(f) && !isWorse(f) },
		present:    "The container runs, and LogStream's own check succeeds.",
		past:       "The container ran, and LogStream's own check succeeded.",
		confidence: 0.6,
		why:        "only other sources report that it fails; a restart could only make it worse",
		legal:      []option{nothing, person},
		wrong:      []option{{service.ActionRestart, "it serves"}},
	},
}

// answerCauses are those of a container that runs, and whose failure shows no
// fault of its process: none of them makes a restart legal.
var answerCauses = []cause{
	{ // an HTTP status below 500
		id:         "http_unexpected",
		match:      failing(event.FailureStatus),
		present:    "The container runs, and answers with an unexpected HTTP status.",
		past:       "The container ran, and answered with an unexpected HTTP status.",
		confidence: 0.7,
		why:        "HTTP {http} is an answer that a restart would not change; check the url and what it expects",
		wrong:      answersByRestart,
	},
	{ // an answer that is not as expected
		id:         "answer_unexpected",
		match:      failing(event.FailureBody, event.FailureAnswer),
		present:    "The container runs, and its answer is not as expected.",
		past:       "The container ran, and its answer was not as expected.",
		confidence: 0.7,
		why:        "{check}; a restart would not change what it answers",
		wrong:      answersByRestart,
	},
	{ // our own resolver finds no address
		id:         "dns",
		match:      failing(event.FailureDNS),
		present:    "The check cannot resolve the service's host name.",
		past:       "The check could not resolve the service's host name.",
		confidence: 0.8,
		why:        "{check}; check the host name in the url, and the DNS server",
		wrong:      noRestart,
	},
	{ // the handshake finds the certificate not valid
		id:         "tls_certificate",
		match:      failing(event.FailureTLSCertificate),
		present:    "The service's TLS certificate is not valid.",
		past:       "The service's TLS certificate was not valid.",
		confidence: 0.8,
		why:        "{check}; a new certificate is needed",
		wrong:      noRestart,
	},
	{ // the answer is in another protocol
		id:         "protocol",
		match:      failing(event.FailureProtocol),
		present:    "The service does not speak the protocol that the check expects.",
		past:       "The service did not speak the protocol that the check expected.",
		confidence: 0.8,
		why:        "{check}; check the scheme and the port in the url",
		wrong:      noRestart,
	},
	{ // no route from here
		id:         "unreachable",
		match:      failing(event.FailureUnreachable),
		present:    "The service's address cannot be reached from here.",
		past:       "The service's address could not be reached from here.",
		confidence: 0.8,
		why:        "{check}; check routes and firewalls between this machine and the service",
		wrong:      noRestart,
	},
	{ // the login is refused
		id:         "auth",
		match:      failing(event.FailureAuth),
		present:    "The service refuses the check's login.",
		past:       "The service refused the check's login.",
		confidence: 0.8,
		why:        "{check}; correct the check's credentials",
		wrong:      noRestart,
	},
	{ // the check of the disk says it
		id:         "disk_full",
		match:      failing(event.FailureDisk),
		present:    "The disk has too little space left, or did not answer.",
		past:       "The disk had too little space left, or did not answer.",
		confidence: 0.9,
		why:        "{check}; delete or move files, or enlarge the disk",
		wrong:      noSpaceByRestart,
	},
	{ // any other failure
		id:         "check_failed",
		match:      func(f Facts) bool { return running(f) && f.Check == event.Down },
		present:    "The check fails for a reason that does not show what is wrong with the service.",
		past:       "The check failed for a reason that did not show what was wrong with the service.",
		confidence: 0.6,
		why:        "{check}",
		wrong:      []option{{service.ActionRestart, "nothing shows that it would help"}},
	},
}

func running(f Facts) bool { return f.State == "running" }

// good says whether our own check succeeds: slow counts as good.
func good(f Facts) bool { return f.Check == event.Up || f.Check == event.Degraded }

// failure is why our own check is DOWN; empty where it is not. A record from
// before there were codes has at most an HTTP status.
func failure(f Facts) event.Failure {
	switch {
	case f.Check != event.Down:
		return ""
	case f.Failure == "" && f.Code != 0:
		return event.FailureStatus
	case f.Failure == "":
		return event.FailureCheck
	}
	return f.Failure
}

func failing(failures ...event.Failure) func(Facts) bool {
	return func(f Facts) bool { return running(f) && slices.Contains(failures, failure(f)) }
}
