// Package runbook turns facts about a failure into its cause and the actions
// that are legal for it. It is pure: facts are plain values, and the package
// knows neither Kafka nor Docker.
//
// The rules come from faults reproduced on real engines: the set of the
// engine's events, not the exit code, distinguishes a stop, a kill and a crash.
//
//	runbook.go         facts in, diagnosis out
//	causes.go          what a cause is; their order
//	causes_ended.go    the causes of a container that does not run
//	causes_running.go  the causes of one that does
//	describe.go        the facts as a person reads them
package runbook

import (
	"time"

	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/service"
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
	Events    string // the events that led here, such as "kill(15) → stop → die"
	StartedAt time.Time
	Image     string

	// Parent is the service whose container's network it uses, and ParentStarted
	// when that container was started; empty where it has a network of its own, or
	// that one does not run.
	Parent        string
	ParentStarted time.Time

	Check      event.Status  // of our own check; PENDING or empty: not decided
	Failure    event.Failure // why our own check is DOWN; empty in records from before there were codes
	Code       int           // HTTP status of our own check
	CheckError string        // our own check's sentence, to be shown
	BadChecks  int           // in a row of our own, begun after StartedAt
	Needed     int           // failure_threshold
	Scheduled  bool          // its reports are due at the times of a schedule
	WasUp      bool          // our own check was UP at some time as it is defined now

	Refused []event.Refusal // actions that may not be taken here and now, by policy or because they failed
}

// Diagnosis is what the facts mean.
type Diagnosis struct {
	CauseID    string // stable, such as stopped or http_5xx
	Cause      string // one sentence, the same for the same cause
	CausePast  string // the same once it is over
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

// Diagnose finds the cause and computes the legal actions: those of the cause,
// best first, without those that f refuses. A person can always be called.
func Diagnose(f Facts) Diagnosis {
	c := find(f)
	fill := filler(f)
	d := Diagnosis{CauseID: c.id, Cause: fill(c.present), CausePast: fill(c.past), Confidence: c.confidence, Why: fill(c.why), Facts: describe(f)}
	for _, wrong := range c.wrong {
		d.NotOffered = append(d.NotOffered, event.Refusal{Action: wrong.action, Why: wrong.why})
	}
	for _, legal := range c.legal {
		if refused, is := refusal(f, legal.action); is {
			d.NotOffered = append(d.NotOffered, refused)
			continue
		}
		d.Legal = append(d.Legal, event.Choice{Letter: string(rune('A' + len(d.Legal))), Action: legal.action, Why: legal.why})
	}
	d.Action = d.Legal[0].Action
	if c.wait != nil {
		d.Wait = c.wait(f)
	}
	return d
}

func refusal(f Facts, action string) (event.Refusal, bool) {
	if action == service.ActionEscalate {
		return event.Refusal{}, false
	}
	for _, refused := range f.Refused {
		if refused.Action == action {
			return refused, true
		}
	}
	return event.Refusal{}, false
}
