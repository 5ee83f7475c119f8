package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"logstream/healer/history"
	"logstream/internal/event"
)

// describe is the facts as a person reads them. Nothing decisive in them ages,
// so that the same facts read the same.
func describe(f Facts) []event.Fact {
	if f.Container == "" {
		return withError(f, check(f, true))
	}
	if f.Missing {
		return withError(f, event.Fact{Key: "container", Value: f.Container + " does not exist", Decisive: true, Why: "There is nothing to repair."}, check(f, false))
	}
	ended := f.State == "exited" || f.State == "dead"
	facts := []event.Fact{{Key: "state", Value: state(f, ended), Decisive: true, Why: stateWhy(f, ended)}}
	if f.Events != "" {
		facts = append(facts, event.Fact{Key: "events", Value: f.Events, Decisive: ended, Why: eventsWhy[f.End]})
	}
	facts = append(withError(f, append(facts, check(f, f.State == "running"))...),
		event.Fact{Key: "image", Value: f.Image},
		event.Fact{Key: "restart policy", Value: cmp.Or(f.Policy, "no")})
	if f.Parent != "" {
		facts = append(facts, parent(f))
	}
	if f.Error != "" {
		facts = append(facts, event.Fact{Key: "engine", Value: f.Error, Decisive: f.State == "created"})
	}
	if f.Restarts > 0 {
		facts = append(facts, event.Fact{Key: "restarts by policy", Value: strconv.Itoa(f.Restarts)})
	}
	if !f.StartedAt.IsZero() {
		facts = append(facts, event.Fact{Key: "started", Value: f.StartedAt.UTC().Format("2006-01-02T15:04:05.000Z")})
	}
	return facts
}

// withError adds what our own check says of its failure: in detail, and so not
// decisive, since it may change while the failure stays the same.
func withError(f Facts, facts ...event.Fact) []event.Fact {
	if f.Check != event.Down || f.CheckError == "" {
		return facts
	}
	return append(facts, event.Fact{Key: "check error", Value: f.CheckError})
}

// parent says whether the container whose network it uses was started after it.
func parent(f Facts) event.Fact {
	if !f.ParentStarted.After(f.StartedAt) {
		return event.Fact{Key: "network", Value: "that of " + f.Parent}
	}
	return event.Fact{Key: "network", Value: "that of " + f.Parent + ", started after it", Decisive: f.State == "running",
		Why: "It still uses the network of that container's former life, which has ended."}
}

func state(f Facts, ended bool) string {
	if ended {
		return fmt.Sprintf("%s (%d)", f.State, f.ExitCode)
	}
	return f.State
}

func stateWhy(f Facts, ended bool) string {
	switch {
	case ended:
		return "It is not running. Its events show why; the exit code alone does not."
	case f.State == "paused":
		return "Its processes are frozen."
	case f.State == "running":
		return "The process is running; the checks show whether it serves."
	}
	return ""
}

var eventsWhy = map[history.End]string{
	history.EndStopped:  "A stop was requested: after a crash there is only a die event.",
	history.EndKilled:   "A kill was requested: after a stop there would be a stop event.",
	history.EndOOM:      "The kernel killed it because it was out of memory.",
	history.EndByItself: "Neither a stop nor a kill was requested.",
}

// check is what our own check sees. Every stage at which it can hang reads
// alike, so that evidence is not written again where a service hangs now here,
// now there.
func check(f Facts, decisive bool) event.Fact {
	fact := event.Fact{Key: "own check", Decisive: decisive}
	switch failed := failure(f); {
	case good(f):
		fact.Value = "good"
	case failed == "":
		fact.Value, fact.Decisive = "not decided yet", false
	case failed == event.FailureStatus:
		fact.Value, fact.Why = fmt.Sprintf("HTTP %d", f.Code), "It answers, but not as expected."
	case slices.Contains(hangs, failed):
		fact.Value, fact.Why = "no answer in time", "The check did not finish before its time-out."
	default:
		words, known := checkWords[failed]
		if !known {
			words = checkWords[event.FailureCheck]
		}
		fact.Value, fact.Why = words.value, words.why
	}
	return fact
}

// checkWords are the other failures in words.
var checkWords = map[event.Failure]struct{ value, why string }{
	event.FailureConnectRefused: {"connection refused", "Nothing listens at its address."},
	event.FailureReset:          {"connection dropped", "The connection ended before the answer was complete."},
	event.FailureUnreachable:    {"unreachable", "No route leads to its address."},
	event.FailureDNS:            {"host name not resolved", "The check did not get as far as the service."},
	event.FailureTLSCertificate: {"TLS certificate not valid", "The service answers, but its certificate cannot be verified."},
	event.FailureProtocol:       {"unexpected protocol", "Something answers, but not in the protocol of the url."},
	event.FailureBody:           {"unexpected body", "It answers, but not as expected."},
	event.FailureAnswer:         {"unexpected answer", "It answers, but not as expected."},
	event.FailureAuth:           {"login refused", "It answers, but refuses the check's credentials."},
	event.FailureUnhealthy:      {"HEALTHCHECK fails", "The container's HEALTHCHECK reports that it is unhealthy."},
	event.FailureSilence:        {"no report", "The service reports by itself, and its report is overdue."},
	event.FailureReported:       {"it reports DOWN", "The service reports by itself."},
	event.FailureDisk:           {"disk full", "The disk has too little space left, or did not answer."},
	event.FailureCheck:          {"failed", "The failure does not show what is wrong with the service."},
}
