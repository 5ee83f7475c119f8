// Package runbook turns facts about a failure into ranked causes and the
// actions that are legal for them. It is pure: facts are plain values, and the
// package knows neither Kafka nor Docker.
//
// The rules come from faults reproduced on real engines: the set of the
// engine's events, not the exit code, tells a stop from a kill from a crash.
package runbook

import (
	"fmt"
	"time"

	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/service"
)

// Answer is what the service says to our own check.
type Answer int

// The answers.
const (
	AnswerUnknown Answer = iota // no check, or none that counts yet
	AnswerGood
	AnswerStatus  // an HTTP status that is not expected
	AnswerTimeout // it takes the connection, or nothing, and never answers
	AnswerRefused // nobody listens, or the connection is cut
	AnswerBroken  // the check cannot be made: name resolution, certificate
)

// Facts are what is known when deciding.
type Facts struct {
	Container string // its name; empty: none is configured
	Missing   bool   // no such container
	State     string // in Docker's words
	ExitCode  int
	Error     string // of the engine, about a start that failed
	Policy    string // restart policy
	Restarts  int    // by that policy
	End       history.End
	Events    string // the order of events that led here, such as "kill(15) → die → stop"
	StartedAt time.Time
	Image     string

	Answer     Answer
	Code       int    // HTTP status
	CheckError string // our own check's sentence
	BadChecks  int    // in a row of our own, begun after StartedAt
	Needed     int    // failure_threshold

	Refused []event.Refusal // actions that may not be taken here and now, by policy or because they failed
}

// Diagnosis is what the facts mean.
type Diagnosis struct {
	Cause      string // one sentence, the same for the same cause
	Action     string // the first choice
	Confidence float64
	Why        string
	Legal      []event.Choice
	NotOffered []event.Refusal
	Facts      []event.Fact
	// Wait says that the facts are not complete yet: why, or empty. Nothing is
	// to be decided then.
	Wait string
}

// Tier0 says whether an action loses nothing.
func Tier0(action string) bool {
	return action == service.ActionStart || action == service.ActionUnpause || action == service.ActionNone
}

// finding is a cause with its repair, before policy.
type finding struct {
	cause      string
	action     string
	confidence float64
	why        string
	not        []event.Refusal
	wait       string
}

// Diagnose ranks the causes and computes the legal actions.
func Diagnose(f Facts) Diagnosis {
	found := find(f)
	d := Diagnosis{Cause: found.cause, Confidence: found.confidence, Why: found.why, NotOffered: found.not, Wait: found.wait, Facts: describe(f)}
	offer := func(action, why string) {
		for _, refused := range f.Refused {
			if refused.Action == action && action != service.ActionEscalate { // a person can always be called
				d.NotOffered = append(d.NotOffered, refused)
				return
			}
		}
		d.Legal = append(d.Legal, event.Choice{Letter: string(rune('A' + len(d.Legal))), Action: action, Why: why})
	}
	switch found.action {
	case service.ActionNone, service.ActionEscalate:
	default:
		offer(found.action, found.why)
	}
	if found.action == service.ActionNone {
		offer(service.ActionNone, found.why)
	}
	offer(service.ActionEscalate, "a person looks at it")
	if found.action != service.ActionNone {
		offer(service.ActionNone, "wait until a fact changes")
	}
	d.Action = d.Legal[0].Action
	return d
}

func find(f Facts) finding {
	name := f.Container
	switch {
	case name == "":
		return finding{"It fails its checks, and no container is configured for it.", service.ActionEscalate, 1,
			"without a container there is nothing that may be repaired", nil, ""}
	case f.Missing:
		return finding{"Its container " + name + " does not exist.", service.ActionEscalate, 1,
			"a container that was removed is not made anew from guesses; docker compose up -d " + name + " does it from its file",
			[]event.Refusal{{Action: service.ActionStart, Why: "there is nothing to start"}}, ""}
	}
	switch f.State {
	case "exited":
		return ended(f)
	case "dead":
		return finding{"Its container is dead and cannot be started any more.", service.ActionEscalate, 0.9,
			"the engine failed to remove it; docker rm -f " + name + " ends that, and docker compose up -d " + name + " makes it anew",
			[]event.Refusal{{Action: service.ActionStart, Why: "the engine refuses to start what is dead"}, {Action: service.ActionRestart, Why: "the engine refuses that as well"}}, ""}
	case "paused":
		return finding{"Its container is paused.", service.ActionUnpause, 0.99, "unpausing goes on where it was and loses nothing",
			[]event.Refusal{{Action: service.ActionRestart, Why: "it would lose what is in memory"}, {Action: service.ActionStart, Why: "a paused container cannot be started"}}, ""}
	case "created":
		return created(f)
	case "restarting":
		return finding{"Its container ends again and again, and Docker's restart policy is at work.", service.ActionEscalate, 0.9,
			"a restart by hand would only reset Docker's own backoff",
			[]event.Refusal{{Action: service.ActionRestart, Why: "the restart policy does that already"}}, ""}
	case "running":
		return running(f)
	}
	return finding{"Its container is " + f.State + ".", service.ActionEscalate, 0.5, "no rule is known for this state", nil, ""}
}

func ended(f Facts) finding {
	start := func(cause string, confidence float64, why string) finding {
		return finding{cause, service.ActionStart, confidence, why,
			[]event.Refusal{{Action: service.ActionRestart, Why: "it does not run: starting it is enough"}}, ""}
	}
	switch f.End {
	case history.EndStopped:
		return start("Its container was stopped from outside.", 0.97, "the engine was asked to stop it, and starting it loses nothing")
	case history.EndKilled:
		return start("Its container was killed through the engine.", 0.97, "a kill came before the end and no stop after it")
	case history.EndOOM:
		return start("Its container ran out of memory.", 0.95, "the engine told of it just before the end; it is started once more")
	case history.EndByItself:
		if f.ExitCode == 126 || f.ExitCode == 127 {
			return finding{"Its command cannot be run.", service.ActionEscalate, 0.9,
				fmt.Sprintf("exit code %d says so, and another start would end the same way", f.ExitCode),
				[]event.Refusal{{Action: service.ActionStart, Why: "the command is wrong, not its state"}}, ""}
		}
		return start("Its process ended by itself.", 0.95, "no kill and no stop came before the end")
	}
	return start("Its container ended while nobody watched.", 0.7, "it ran before, and nothing tells why it ended")
}

func created(f Facts) finding {
	if f.Error != "" {
		return finding{"Its container could not be started.", service.ActionEscalate, 0.95, f.Error,
			[]event.Refusal{{Action: service.ActionStart, Why: "the engine tried and refused"}}, ""}
	}
	return finding{"Its container was made and never started.", service.ActionStart, 0.8, "a start is all it waits for", nil, ""}
}

func running(f Facts) finding {
	restart := func(cause string, confidence float64, why string) finding {
		found := finding{cause, service.ActionRestart, confidence, why,
			[]event.Refusal{{Action: service.ActionStart, Why: "it runs already"}}, ""}
		if f.BadChecks < f.Needed {
			found.wait = fmt.Sprintf("it was started a moment ago: %d failed checks since then decide", f.Needed)
		}
		return found
	}
	switch f.Answer {
	case AnswerStatus:
		if f.Code >= 500 {
			return restart("It runs, and answers with server errors.", 0.8, "what is wrong is inside the process; a restart gives it a fresh one")
		}
		return finding{"It runs, and answers with an HTTP status that is not expected.", service.ActionEscalate, 0.7,
			fmt.Sprintf("HTTP %d is an answer: a restart would not change it", f.Code),
			[]event.Refusal{{Action: service.ActionRestart, Why: "it answers, only not as expected"}}, ""}
	case AnswerTimeout:
		return restart("It runs, and does not answer in time.", 0.8, "a process that hangs is freed by a restart")
	case AnswerRefused:
		return restart("It runs, and nothing answers at its address.", 0.75, "the process is there and does not serve")
	case AnswerBroken:
		return finding{"Its check fails before it reaches the service.", service.ActionEscalate, 0.8, f.CheckError,
			[]event.Refusal{{Action: service.ActionRestart, Why: "names and certificates are not mended by a restart"}}, ""}
	case AnswerGood:
		return finding{"It runs and answers our own check.", service.ActionNone, 0.6, "somebody else sees it fail; a restart could only make it worse",
			[]event.Refusal{{Action: service.ActionRestart, Why: "it answers"}}, ""}
	}
	return finding{"It runs, and its checks have not decided yet.", service.ActionNone, 0.5, "checks of the new run decide", nil,
		"its checks have not decided yet"}
}
