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
	Name          string        `json:"name,omitempty"`
	ID            string        `json:"id,omitempty"`
	Image         string        `json:"image,omitempty"` // as a person named it
	ImageID       string        `json:"image_id,omitempty"`
	SpecHash      string        `json:"spec_hash,omitempty"` // of everything that recreating it would take; values of variables only enter as a hash
	Status        Status        `json:"status,omitempty"`
	StartedAt     time.Time     `json:"started_at,omitzero"`
	FinishedAt    time.Time     `json:"finished_at,omitzero"` // zero: never ended
	ExitCode      int           `json:"exit_code,omitempty"`
	OOMKilled     bool          `json:"oom_killed,omitempty"`     // on some engines not always set, and still set after a good restart: trust events
	Error         string        `json:"error,omitempty"`          // what the engine says of a failed start
	RestartPolicy string        `json:"restart_policy,omitempty"` // no, on-failure, always, unless-stopped; empty is no
	RestartLimit  int           `json:"restart_limit,omitempty"`  // of on-failure; 0: none
	AutoRemove    bool          `json:"auto_remove,omitempty"`    // started with --rm: the engine removes it when it is stopped
	RestartCount  int           `json:"restart_count,omitempty"`  // by the engine's policy; a start by anybody else makes it 0
	Health        Health        `json:"health,omitempty"`         // by the container's own HEALTHCHECK, as last checked while it ran
	HealthOutput  string        `json:"health_output,omitempty"`  // what that check printed last where it failed; hostile, and bounded
	HealthEach    time.Duration `json:"health_each_ns,omitempty"` // from the end of one run of it to the next; 0: it has none
	HealthRun     HealthRun     `json:"health_run,omitzero"`      // the newest that ended, also before the last start
	StopSignal    string        `json:"stop_signal,omitempty"`    // a number, such as 3; empty: 15, SIGTERM
	StopTimeout   time.Duration `json:"stop_timeout_ns,omitempty"`
	Project       string        `json:"project,omitempty"` // Compose's project and service, or empty
	Service       string        `json:"compose_service,omitempty"`
	Replacing     string        `json:"replacing,omitempty"`  // Compose is about to replace this container by that one, or empty
	Self          bool          `json:"self,omitempty"`       // logstream itself runs in it
	HostPorts     string        `json:"host_ports,omitempty"` // of this machine that lead to it, such as "8080 9092"
	Published     string        `json:"published,omitempty"`  // TCP ports of this machine and those of the container that they lead to, such as "8080:80 9092:9092"
	PortTaken     string        `json:"port_taken,omitempty"` // of this machine, that the last start found in use, such as 0.0.0.0:8080; empty: none

	Networks  []Network `json:"networks,omitempty"`
	NetworkOf string    `json:"network_of,omitempty"` // the ID or name of the container whose network it uses; empty: its own
	Detached  bool      `json:"detached,omitempty"`   // it runs, and is in no network, though its network mode gives it one
	DependsOn []string  `json:"depends_on,omitempty"` // services of its Compose project that it needs
	Memory    int64     `json:"memory,omitempty"`     // its limit in bytes; 0: none
	CPUs      float64   `json:"cpus,omitempty"`       // its limit; 0: none
	ReadOnly  bool      `json:"read_only,omitempty"`  // its root file system
	Variables []string  `json:"variables,omitempty"`  // names of its variables, sorted
	// Kept is the name of the container that a recreation of this one left
	// behind, stopped; empty: there is none.
	Kept string `json:"kept,omitempty"`
}

// Network is how a container is attached to one network.
type Network struct {
	Name    string   `json:"name,omitempty"`
	Aliases []string `json:"aliases,omitempty"` // without those that the engine makes itself
	IPv4    string   `json:"ipv4,omitempty"`    // asked for; empty: the engine chooses
	IPv6    string   `json:"ipv6,omitempty"`
	Address string   `json:"address,omitempty"` // assigned now; empty while it does not run
}

// Stats are what a running container uses, read once.
type Stats struct {
	Memory      int64   `json:"memory,omitempty"`       // bytes, without the page cache that can be given back
	MemoryLimit int64   `json:"memory_limit,omitempty"` // bytes; 0: none
	PIDs        int64   `json:"pids,omitempty"`
	PIDLimit    int64   `json:"pid_limit,omitempty"` // 0: none
	CPUs        float64 `json:"cpus,omitempty"`      // used lately
	Throttled   float64 `json:"throttled,omitempty"` // share of the periods in which it was throttled, 0 to 1: lately or since it started, whichever is greater
}

// Process is one process of a container.
type Process struct {
	PID     string `json:"pid,omitempty"`
	State   string `json:"state,omitempty"`   // of the kernel: R, S, D, Z, T; empty: not reported
	Command string `json:"command,omitempty"` // hostile, bounded, and redacted
}

// Replacement is what Recreate makes a container of.
type Replacement struct {
	// ID is the container that is replaced; empty where it was removed, then Spec
	// is needed.
	ID string
	// Spec is what Specification gave; nil: that of ID as it is.
	Spec []byte
	// ImageID is the image of the new container; empty: that of Spec.
	ImageID string
}

// Restoration is what Restore puts back.
type Restoration struct {
	ID   string // the container in the place of the kept one; empty: there is none
	Kept string // the ID of the container that was kept
	// RestartPolicy and RestartLimit are what the kept one had, where ID is empty;
	// else it gets those of ID, which are the same.
	RestartPolicy string
	RestartLimit  int
	Stopped       bool // it did not run, and is not started, where ID is empty
}

// Health is what a container's own HEALTHCHECK says; empty where it has none.
type Health string

// What a HEALTHCHECK says.
const (
	Starting  Health = "starting"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

// HealthRun is one run of a HEALTHCHECK.
type HealthRun struct {
	Began time.Time     `json:"began,omitzero"` // by the engine's clock; zero: none ended yet
	Took  time.Duration `json:"took_ns,omitempty"`
	OK    bool          `json:"ok,omitempty"`
}

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
	Network  string // of a connect or disconnect: its name. Such an event has no Name, for the engine reports none
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

	// Connect attaches the container to these networks, with their aliases and
	// addresses; Disconnect detaches it. What was so already is success.
	Connect(ctx context.Context, id string, networks []Network) error
	Disconnect(ctx context.Context, id string, networks []Network) error
	// KillStart restarts the container as Restart does, but kills it after grace.
	KillStart(ctx context.Context, id string, grace time.Duration) error
	// SetMemory changes the limit of the container, running or not. To take it
	// away, with 0, is ErrUnsupported with engines that refuse to.
	SetMemory(ctx context.Context, id string, bytes int64) error
	// Specification is all that recreating the container takes, values of its
	// variables included: it is secret, and only this runtime reads it.
	Specification(ctx context.Context, id string) ([]byte, error)
	// Recreate puts a new container in the place of an old one and starts it. The
	// old one is stopped, renamed, and kept with the restart policy no; its ID is
	// kept, empty where there was none. Where it fails the old one is back in its
	// place, as far as that was possible.
	Recreate(ctx context.Context, with Replacement) (id, kept string, err error)
	// Restore undoes Recreate: the kept container takes its place again and is
	// started; the new one is stopped, renamed and kept. Of a Recreate that was cut
	// off before it made the new one only the first is left to do, and nothing is
	// done where another container has the place.
	Restore(ctx context.Context, with Restoration) error
	// Stats and Processes inspect the running container, once.
	Stats(ctx context.Context, id string) (Stats, error)
	Processes(ctx context.Context, id string) ([]Process, error)
}

// Errors of a Runtime, for errors.Is.
var (
	ErrNotFound    = errors.New("no such container")
	ErrUnavailable = errors.New("the container runtime is unreachable")
	// ErrUnsupported: this runtime cannot do that, to any container or to this one.
	ErrUnsupported = errors.New("the container runtime does not support this")
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
