// Package container is what a container runtime is to the rest of the
// project: plain values, one interface, and the conformance suite
// (containertest) that every runtime passes. internal/docker and
// internal/process implement it.
package container

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"logstream/internal/health"
)

// Status is what a container is doing, in Docker's words.
type Status string

// The states of a container.
const (
	Created    Status = "created"
	Running    Status = "running"
	Paused     Status = "paused"
	Restarting Status = "restarting"
	Exited     Status = "exited"
	Dead       Status = "dead"
	Removing   Status = "removing"
)

// State is a container as the runtime shows it at one instant.
type State struct {
	Name          string
	ID            string
	Image         string // as a person named it
	ImageID       string
	SpecHash      string // of everything that recreating it would take; values of variables only enter as a hash
	Status        Status
	StartedAt     time.Time
	FinishedAt    time.Time // zero: never ended
	ExitCode      int
	OOMKilled     bool   // on some engines not always set, and still set after a good restart: trust events
	Error         string // what the engine says of a failed start
	RestartPolicy string // no, on-failure, always, unless-stopped; empty is no
	RestartCount  int    // by the engine's policy; a start by anybody else makes it 0
	Health        Health // by the container's own HEALTHCHECK, as last checked while it ran
	HealthOutput  string // what that check printed last where it failed; hostile, and bounded
	StopSignal    string // a number, such as 3; empty: 15, SIGTERM
	StopTimeout   time.Duration
	Project       string // Compose's project and service, or empty
	Service       string
	Replacing     string // Compose is about to replace this container by that one, or empty
	Self          bool   // logstream itself runs in it
	HostPorts     string // of this machine that lead to it, such as "8080 9092": one text, so that states compare
}

// Health is what a container's own HEALTHCHECK says; empty where it has none.
type Health string

// What a HEALTHCHECK says.
const (
	Starting  Health = "starting"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

// Event is something that happened to a container. Events come in the
// engine's order; their times are the engine's.
type Event struct {
	Time     time.Time
	Name     string
	ID       string
	Action   Action
	Signal   string // of a kill: a number, such as 15
	ExitCode int    // of a die
	Health   Health // of a health_status
	Network  string // of a connect or disconnect: its name. Such an event has no Name, for the engine tells none
	Image    string
	Project  string
	Service  string
	Replace  string // label com.docker.compose.replace of a create, or empty
}

// Action is what happened, in Docker's words.
type Action string

// Actions that the rest of the project reads.
const (
	ActionCreate  Action = "create"
	ActionStart   Action = "start"
	ActionRestart Action = "restart"
	ActionKill    Action = "kill"
	ActionDie     Action = "die"
	ActionStop    Action = "stop"
	ActionPause   Action = "pause"
	ActionUnpause Action = "unpause"
	ActionOOM     Action = "oom"
	ActionDestroy Action = "destroy"
	ActionRename  Action = "rename"

	ActionHealth     Action = "health_status"
	ActionConnect    Action = "connect" // to a network
	ActionDisconnect Action = "disconnect"
)

// Info is what the runtime says of itself.
type Info struct {
	Kind       string // docker or process
	ID         string // the engine's own; empty where it has none
	Version    string
	Containers int
	Address    string // where it was found, such as unix:///var/run/docker.sock; given with an error too
	ChosenBy   string // what it was chosen by, such as DOCKER_HOST
}

// Line is one line of a container's output. The text is hostile input.
type Line struct {
	Time time.Time
	Text string
}

// Runtime is an engine that keeps containers. Every method may return an
// error that is ErrUnavailable: nothing can be said of the effect then.
type Runtime interface {
	// Info is the engine's version; it is the cheapest call.
	Info(ctx context.Context) (Info, error)
	// Find is the one container that ref names: an exact name, else
	// project/service by Compose's labels. ErrNotFound where there is none,
	// *AmbiguousError where there is more than one.
	Find(ctx context.Context, ref string) (State, error)
	// Inspect is the container with that ID; ErrNotFound where it is gone.
	Inspect(ctx context.Context, id string) (State, error)
	// List is every container, running or not, by name.
	List(ctx context.Context) ([]Listed, error)
	// Ports are the addresses, as host:port, at which this process reaches the
	// TCP ports that the container with that ID publishes at fixed ports, by the
	// container's port. They are the same while the container exists, running or
	// not; none where they cannot be reached from here.
	Ports(ctx context.Context, id string) ([]string, error)
	// Logs are the last lines that it wrote, oldest first, bounded in size.
	Logs(ctx context.Context, id string, tail int) ([]Line, error)
	// Events calls handle with what happens, from since on as far back as
	// the engine remembers (zero: from now on), until the stream or ctx ends,
	// and returns why. ready is called once, when the stream stands and
	// nothing that happens from then on is missed; the past may still follow.
	Events(ctx context.Context, since time.Time, ready func(), handle func(Event)) error

	// Start, Restart and Unpause repair. What was so already is success.
	Start(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Unpause(ctx context.Context, id string) error

	// Inject causes a real fault, one of Faults, for those who requested it.
	Inject(ctx context.Context, id, fault string) error
	// Faults are those that Inject knows for the container with that name.
	Faults(name string) []string
}

// Faults that any container knows, and those of the demo's own services.
const (
	FaultStop  = "stop"
	FaultKill  = "kill"
	FaultPause = "pause"
	FaultExit  = "exit"
	FaultFail  = "fail"
)

// Errors of a Runtime, for errors.Is.
var (
	ErrNotFound    = errors.New("no such container")
	ErrUnavailable = errors.New("the container runtime is unreachable")
)

// UnavailableError is an ErrUnavailable whose reason, and remedy, are known.
type UnavailableError struct {
	Why    string // such as "permission denied at unix:///var/run/docker.sock"
	Remedy health.Remedy
	Err    error // what the reason was made of, or nil
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrUnavailable, e.Why, e.Remedy)
}

// Unwrap makes it an ErrUnavailable, and what it was made of.
func (e *UnavailableError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrUnavailable}
	}
	return []error{ErrUnavailable, e.Err}
}

// AmbiguousError says that a reference names more than one container.
type AmbiguousError struct {
	Ref        string
	Candidates []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q names %d containers (%s): give one exact name", e.Ref, len(e.Candidates), strings.Join(e.Candidates, ", "))
}
