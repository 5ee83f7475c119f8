package healer

import (
	"time"

	"logstream/healer/action"
	"logstream/healer/llm"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// Input is something that happened: a record read from Kafka, the outcome of
// an effect, or time passing.
type Input interface{ input() }

// Inputs of Step.
type (
	// ReadHealth is a record of system-logs.
	ReadHealth struct {
		Log    event.HealthLog
		Signed bool
	}
	// ReadDocker is a record of logstream.docker that is signed.
	ReadDocker struct{ Event event.Docker }
	// ReadService is a record of logstream.services.
	ReadService struct{ Service event.Service }
	// ReadCommand is a record of logstream.commands.
	ReadCommand struct{ Command event.Command }
	// ReadIncident is a record of logstream.incidents.
	ReadIncident struct{ Event event.Incident }
	// Replayed says that everything was read up to the end seen at the start.
	// Nonce is new, and unguessable. Discovering says that not all services were
	// known when this life began.
	Replayed struct {
		Nonce       string
		Discovering bool
	}
	// EngineSeen is the ID of the container engine that this instance acts on;
	// empty where it has none.
	EngineSeen struct{ ID string }
	// Inspected is the outcome of Inspect.
	Inspected struct {
		Service string
		Request int
		State   container.State
		Err     error
		Logs    []string
		// Truncated: lines were left out. LogsMissing is why there are none.
		Truncated   bool
		LogsMissing string
		FirstSeen   []event.FirstSeen // of Logs
		Signs       []runbook.Signed  // of its present run
	}
	// Collected is the outcome of Collect.
	Collected struct {
		Service string
		Request int
		Found   runbook.Collected
	}
	// Executed is the outcome of Execute.
	Executed struct {
		Service     string
		Incident    string
		Attempt     int
		NotExecuted string // why the call was not made, or empty
		Unseen      bool   // it was interrupted, and nothing shows what it did
		Err         error
		Done        action.Done     // what it left
		After       container.State // as it was found after the call; zero where it was not
		Took        time.Duration
	}
	// ModelState says whether the model can be queried, and why not; empty where
	// none is missed.
	ModelState struct {
		Ready bool
		Why   string
		Code  event.InvalidCode
	}
	// Answered is the outcome of Query.
	Answered struct {
		Service  string
		Incident string
		Request  int
		Answer   llm.Answer
	}
	// AppendFailed says that it is unknown whether an append was written.
	AppendFailed struct {
		ID      string
		Seq     int
		Service string
	}
	// Published is the outcome of Publish.
	Published struct {
		Service string
		OK      bool
	}
	// Reconfigured carries the services as they are from now on. While they are
	// still being discovered, those that were discovered in an earlier life stay.
	Reconfigured struct {
		Services    []service.Definition
		Discovering bool
	}
	// LogsCompared is the outcome of CompareLogs; it comes only where there is one.
	LogsCompared struct {
		Service     string
		ContainerID string
		Logs        event.UpdateLogs
	}
	// SpecsKept are the keys of all specifications that are in the data directory
	// from now on.
	SpecsKept struct{ Keys []string }
	// Tick is time passing; Step wants one at least each tickEach.
	Tick struct{}
)

func (ReadHealth) input()   {}
func (ReadDocker) input()   {}
func (ReadService) input()  {}
func (ReadCommand) input()  {}
func (ReadIncident) input() {}
func (Replayed) input()     {}
func (EngineSeen) input()   {}
func (Inspected) input()    {}
func (Collected) input()    {}
func (Executed) input()     {}
func (ModelState) input()   {}
func (Answered) input()     {}
func (AppendFailed) input() {}
func (Published) input()    {}
func (Reconfigured) input() {}
func (SpecsKept) input()    {}
func (LogsCompared) input() {}
func (Tick) input()         {}

// Effect is something to be done; its outcome comes back as an Input.
type Effect interface{ effect() }

// Effects of Step.
type (
	// Append writes events of one incident in their order, or a claim: none before
	// the one before it is acknowledged, and none after one that failed. It is
	// confirmed by what is read back; only a failure comes back by itself.
	Append struct{ Events []event.Incident }
	// Publish writes a service's state.
	Publish struct{ Service event.Service }
	// Reply writes a command's result.
	Reply struct{ Command event.Command }
	// Inspect inspects the container that Ref names and, with Logs, reads its
	// last lines.
	Inspect struct {
		Service string
		Request int
		Ref     string
		Logs    bool
		Since   time.Time // lines from before it are no sign of the present failure
	}
	// Collect looks up what may be known beside the inspection of a container that
	// runs. Its outcome may never come.
	Collect struct {
		Service    string
		Request    int
		Container  container.State // as it was inspected
		Definition service.Definition
	}
	// CheckNow has a service checked once at once, beside its schedule. Its
	// observation comes back as a record, or not at all.
	CheckNow struct{ Service string }
	// Query queries the model for its view, until Deadline (monotonic).
	Query struct {
		Service  string
		Incident string
		Request  int
		Question llm.Question
		Deadline time.Time
	}
	// Learn reads the lines that a service's container wrote before Until, so that
	// it is known later which ones are new. It is healthy since then. No input comes
	// back.
	Learn struct {
		Service      string
		ContainerID  string
		Since, Until time.Time
	}
	// CompareLogs compares the errors that a container wrote from From on with those
	// that its service wrote before Changed, where those that were learned until then
	// are of at least so long a time.
	CompareLogs struct {
		Service       string
		ContainerID   string
		Changed, From time.Time
		Learned       time.Time
		AtLeast       time.Duration
	}
	// KeepSpec reads a container's specification, which is secret, and keeps it in
	// the data directory, with the one before it.
	KeepSpec struct {
		Service     string
		ContainerID string
		Hash        string
	}
	// Wake wants a Tick at that time, which is before the next regular one.
	Wake struct{ At time.Time }
	// Execute inspects the target once more, compares it with Pins, and only then
	// makes the call, all before Deadline.
	Execute struct {
		Service  string
		Ref      string // of its container; empty: it has none
		Incident string
		Attempt  int
		Intent   event.ActionStarted
		Deadline time.Time // monotonic: counted from before the intent was written
	}
)

func (Append) effect()      {}
func (Wake) effect()        {}
func (Publish) effect()     {}
func (Reply) effect()       {}
func (Inspect) effect()     {}
func (CheckNow) effect()    {}
func (Learn) effect()       {}
func (Query) effect()       {}
func (Execute) effect()     {}
func (KeepSpec) effect()    {}
func (Collect) effect()     {}
func (CompareLogs) effect() {}
