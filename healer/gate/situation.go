package gate

import (
	"time"

	"logstream/healer/budget"
	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/service"
)

// Limits are the healer's settings that gates need.
type Limits struct {
	ManualGrace   time.Duration
	Attempts      int
	PerHour       int
	HostPerMinute int
	Cooldown      time.Duration // after the first failed repair
}

// Situation is all that the gates read.
type Situation struct {
	Now    time.Time
	Def    service.Definition
	Mode   service.Mode
	Limits Limits

	// Unwritable is for how long an append of the incident failed, now that it
	// was confirmed.
	Unwritable time.Duration
	Open       bool // not escalated

	Witness     string // the source that decided that it is DOWN
	Unconfirmed bool   // only foreign sources say so
	Disputed    bool   // the container's HEALTHCHECK fails, while our own check succeeds

	EngineLost    bool // Docker is unreachable
	EngineSettled time.Time
	InspectFailed bool // the inspection failed without an answer
	Missing       bool // there is no such container

	// Change is a start, restart or unpause from outside since the incident was
	// opened, if nothing ended it after.
	Change      *history.Event
	ByPolicy    bool          // it was Docker's restart policy
	ChangeLasts time.Duration // how long its checks may take to decide
	LevelDown   bool
	// LevelPending says that the container's state was not read yet under a claim
	// or a definition that is new.
	LevelPending bool

	Undecided    string // why the runbook waits for facts; empty where it does not
	UndecidedFor time.Duration
	Opened       time.Time // the incident

	Action    string
	Container container.State
	Ran       bool // it was seen running under this id
	Asked     bool // an operator asked for this repair
	Protected bool // LogStream depends on it

	Ending      history.Ending // how it ended, or was paused
	Ended       bool
	ByChaos     bool // the end was asked for by `inject`
	ByEngine    bool // the end was the engine's own
	Again       bool // the same was done within ten minutes before
	Together    bool // other containers of its Compose project were stopped, or paused, with it
	Stopping    bool // a stop is in progress
	StoppedAt   time.Time
	DeployUntil time.Time
	Replacing   bool

	Dependency Dependency

	Hold             *Hold
	Silence          *Silence  // nil: there is none
	MaintenanceUntil time.Time // zero: no window is open

	Blind       Blind
	Breaker     Breaker
	Recurrence  Recurrence
	Outside     Outside
	StartsUntil time.Time // until then it may be starting
	Full        string    // what shows that its disk is full; empty: nothing does

	Counted     int    // attempts that the incident's budget counts
	Refused     string // the engine's error, where it refused the newest call; else empty
	NotExecuted int    // intents that were closed without a call
	Service     *budget.Service
	Host        *budget.Host
	Busy        string // the service for which a call is under way
	BusySince   time.Time
}

// Hold is the operator's switch for the whole host.
type Hold struct {
	By     string
	Reason string
	Until  time.Time // zero: until it is released
}
