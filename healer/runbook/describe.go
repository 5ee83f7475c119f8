package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"logstream/healer/history"
	"logstream/internal/event"
)

// describe is the facts as a person reads them. Nothing decisive in them ages,
// so that the same facts read the same.
func describe(f Facts, c cause) []event.Fact {
	if f.Container == "" {
		return append(withError(f, check(f, true)), f.Notes...)
	}
	if f.Missing {
		return append(withError(f, event.Fact{Key: "container", Value: f.Container + " does not exist", Decisive: true, Why: "There is nothing to repair."}, check(f, false)), f.Notes...)
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
	return slices.Concat(facts, around(f, c), f.Collected.describe(), f.Notes)
}

// around are the facts that were put together from more than the inspection and
// our own check. Those that the cause c rests on are decisive.
func around(f Facts, c cause) []event.Fact {
	var facts []event.Fact
	fact := func(is bool, key, value, why string, decisive bool) {
		if is {
			facts = append(facts, event.Fact{Key: key, Value: value, Why: why, Decisive: decisive})
		}
	}
	fact(f.PortTaken != "", "port in use", f.PortTaken, "Docker could not start it for that.", c.id == "port_taken")
	fact(len(f.NetworksLost) > 0, "networks missing", strings.Join(f.NetworksLost, ", "), "It was attached to them while its service was UP.", c.id == "network_lost")
	fact(f.NoNetwork, "networks", "none", "Its network mode gives it at least one.", c.id == "no_network")
	fact(f.Changed, "changed", "image or configuration, and not healthy since", "It was healthy before.", c.uses(changeCauses))
	fact(f.Updated, "updated", "its image changed shortly before", "", c.id == "bad_update")
	fact(f.Worse != "", "since the update", f.Worse, "", false)
	fact(len(f.DependenciesDown) > 0, "dependencies DOWN", strings.Join(f.DependenciesDown, ", "), "It needs them.", c.id == "dependency_down")
	fact(len(f.DependenciesSlow) > 0, "dependencies slow", strings.Join(f.DependenciesSlow, ", "), "It needs them.", c.id == "dependency_slow")
	fact(len(f.DependenciesDetached) > 0, "dependencies detached", strings.Join(f.DependenciesDetached, ", "), "It reaches them over that network.", c.id == "dependency_detached")
	fact(c.id == "busy", "cpu use", "at its limit", "It uses CPU, and does not answer.", true)
	fact(c.id == "cpu_starved", "cpu limit", "it is throttled most of the time", "Its limit is too low for what it does.", true)
	fact(c.id == "path_broken", "published port", "it does not lead to the service", "The service answers at its own address.", true)
	fact(f.ReadOnly, "root file system", "read-only", "", false)
	fact(f.QuickExits > 1, "quick exits", fmt.Sprintf("%d in a row with exit code %d", f.QuickExits, f.ExitCode), "", false)
	fact(f.OOMs > 1, "out of memory", fmt.Sprintf("%d times within 10 minutes", f.OOMs), "", false)
	fact(f.IgnoresStop, "stop signal", "an earlier stop was ended by a kill", "", false)
	fact(f.FailsAgain, "since its start", "no check has succeeded, as before it", "", false)
	for _, s := range f.Signs {
		fact(true, "log", wordsOf(s.Sign), s.Line, slices.Contains(c.shown, s.Sign))
	}
	return facts
}

// changeCauses rest on that the container changed since it was last healthy.
var changeCauses = []string{"bad_deployment", "crash_loop_changed", "exits_after_update"}

func (c cause) uses(ids []string) bool { return slices.Contains(ids, c.id) }

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
	event.FailureReset:          {"connection dropped", "The connection was closed at once, or before the answer was complete."},
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
