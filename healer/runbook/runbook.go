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
//	causes_start.go    … that cannot start, ends at once, or was out of memory
//	causes_running.go  the causes of one that runs
//	causes_around.go   … whose fault is around it: network, dependencies, an update
//	causes_process.go  … whose process is at fault
//	causes_push.go     … that reports by itself
//	signs.go           what log lines show, as codes
//	collected.go       what was looked up beside the inspection
//	describe.go        the facts as a person reads them
package runbook

import (
	"slices"
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
	Unchecked  bool          // no check shows that it should keep running: it has none, or reports as a job does
	Scheduled  bool          // its reports are due at the times of a schedule
	WasUp      bool          // our own check was UP at some time as it is defined now

	FailsAgain  bool // it failed before StartedAt, and no check of our own succeeded since
	IgnoresStop bool // a stop of this container had to be ended by a kill before

	QuickExits int    // ends in a row up to the newest: by itself, with the same exit code, and within seconds of the start; the first of them may have come later than that
	OOMs       int    // ends out of memory within ten minutes up to the newest
	PortTaken  string // that a failed start found taken, such as 0.0.0.0:8080; empty: none
	ReadOnly   bool   // its root file system

	ComposeService   string   // of its Compose project, or empty
	Changed          bool     // it is made of another image or configuration than when it was last healthy
	Updated          bool     // its image changed shortly before it failed, and it was healthy in between
	Worse            string   // why, in words, where it answers and does worse since its image changed; such as "35% of its checks fail (0% before)"
	NetworksLost     []string // that it had when it was last healthy, and has not
	NoNetwork        bool     // it is in none, though it was made for some, and which it had is not known
	DependenciesDown []string // services that it needs and that are DOWN
	DependenciesSlow []string // and that answer slowly
	// DependenciesDetached says of services that it needs which networks, in which it
	// reaches them, they are no longer in.
	DependenciesDetached []string

	Signs     []Signed     // what its log lines of this run, from shortly before it failed on, show
	KeyLine   string       // the line of its log that says most about an end: hostile text, shown and not decided by; empty: none does
	Collected *Collected   // nil: not looked up, or not yet
	Notes     []event.Fact // more that a person wants to see; nothing of it decides

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
	// ByLog says that the cause rests on what the container wrote: hostile text,
	// for which nothing may be offered beside Legal.
	ByLog bool
}

// Diagnose finds the cause and computes the legal actions: those of the cause,
// best first, without those that f refuses. A person can always be called.
//
// What a container writes to its log is hostile text. A cause that rests on it
// has only actions that would be legal without it, and waits for what would be
// waited for without it: a log line can keep us from acting, and never make us.
func Diagnose(f Facts) Diagnosis {
	c := find(f)
	without := c
	if c.shown != nil {
		without = findWithout(f)
	}
	fill := filler(f, c.shown)
	d := Diagnosis{CauseID: c.id, Cause: fill(c.present), CausePast: fill(c.past), Confidence: c.confidence, Why: fill(c.why), Facts: describe(f, c), ByLog: without.id != c.id}
	for _, wrong := range c.wrong {
		d.NotOffered = append(d.NotOffered, event.Refusal{Action: wrong.action, Why: wrong.why})
	}
	for _, legal := range c.legal {
		if legal.action != service.ActionEscalate && !without.offers(legal.action) {
			continue
		}
		if legal.action == service.ActionRollback && !f.Changed && !f.Updated {
			continue // the image before would not be another
		}
		if refused, is := refusal(f, legal.action); is {
			d.NotOffered = append(d.NotOffered, refused)
			continue
		}
		d.Legal = append(d.Legal, event.Choice{Letter: string(rune('A' + len(d.Legal))), Action: legal.action, Why: legal.why})
	}
	d.Action = d.Legal[0].Action
	if without.wait != nil {
		d.Wait = without.wait(f)
	}
	return d
}

// findWithout is the cause that is found without the log.
func findWithout(f Facts) cause {
	f.Signs = nil
	return find(f)
}

func (c cause) offers(action string) bool {
	return slices.ContainsFunc(c.legal, func(o option) bool { return o.action == action })
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
