package runbook

import (
	"fmt"
	"strconv"

	"logstream/healer/history"
	"logstream/internal/event"
)

// describe tells the facts as a person reads them. Nothing in them ages, so
// that the same facts read the same.
func describe(f Facts) []event.Fact {
	if f.Container == "" {
		return []event.Fact{check(f, true)}
	}
	if f.Missing {
		return []event.Fact{{Key: "container", Value: "none is called " + f.Container, Decisive: true, Why: "There is nothing to repair."}, check(f, false)}
	}
	ended := f.State == "exited" || f.State == "dead"
	facts := []event.Fact{{Key: "state", Value: state(f, ended), Decisive: true, Why: stateWhy(f, ended)}}
	if f.Events != "" {
		facts = append(facts, event.Fact{Key: "events", Value: f.Events, Decisive: ended, Why: eventsWhy(f)})
	}
	facts = append(facts, check(f, f.State == "running"),
		event.Fact{Key: "image", Value: f.Image},
		event.Fact{Key: "restart policy", Value: orNo(f.Policy)})
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

func state(f Facts, ended bool) string {
	if ended {
		return fmt.Sprintf("%s (%d)", f.State, f.ExitCode)
	}
	return f.State
}

func stateWhy(f Facts, ended bool) string {
	switch {
	case ended:
		return "It does not run; the order of events tells why, the exit code alone does not."
	case f.State == "paused":
		return "Its processes are frozen."
	case f.State == "running":
		return "The process is there; what it answers decides."
	}
	return ""
}

func eventsWhy(f Facts) string {
	switch f.End {
	case history.EndStopped:
		return "The engine was asked to stop it: a crash shows die alone."
	case history.EndKilled:
		return "It was killed through the engine: a stop would have ended with a stop event."
	case history.EndOOM:
		return "The kernel ended it for lack of memory."
	case history.EndByItself:
		return "Nobody asked for it: it ended by itself."
	}
	return ""
}

func check(f Facts, decisive bool) event.Fact {
	fact := event.Fact{Key: "own check", Decisive: decisive}
	switch f.Answer {
	case AnswerUnknown:
		fact.Value, fact.Decisive = "has not decided yet", false
	case AnswerGood:
		fact.Value = "good"
	case AnswerStatus:
		fact.Value, fact.Why = fmt.Sprintf("HTTP %d", f.Code), "It answers, and not as expected."
	case AnswerTimeout:
		fact.Value, fact.Why = "no answer in time", "Nothing came back before the deadline."
	case AnswerRefused:
		fact.Value, fact.Why = "no connection", "Nobody listens there, or the connection is cut."
	case AnswerBroken:
		fact.Value, fact.Why = "could not be made", f.CheckError
	}
	return fact
}

func orNo(policy string) string {
	if policy == "" {
		return "no"
	}
	return policy
}
