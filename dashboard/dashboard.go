// Package dashboard is the actor that serves the page, the API and the
// WebSocket. It folds the event log into what people see and records what they
// ask for; it decides nothing about a service.
//
// What holds of it:
//
//   - One goroutine owns the folds and the clients' queues. Records, requests
//     and time reach it as messages, so that a snapshot and the frames that
//     follow it are of one piece: seq has no gap and no repeat.
//   - A change is encoded once, however many clients there are and whatever they
//     watch. A client that can't take frames in time loses its queue, and gets a
//     snapshot when it takes them again: one for all that wait for one, and at most
//     one a second. One that takes nothing at all is disconnected. Neither delays another client.
//   - A client may say whose observations it watches (watch.go); without that it gets
//     all. Everything else is sent to every client, so that no state is missed.
//   - Replay, up to the end that a topic had at the start, changes the state and
//     sends no frame; what follows does. Each topic that has caught up gives every
//     client a new snapshot.
//   - Nothing that a request carries is executed. A command is a record on the
//     log, answered when the log has acknowledged it.
//   - An incident's phase, progress and next step are computed here alone. They
//     are in every incident that is served; each event comes with its incident as
//     it is afterwards ("incident" beside the event), and progress that comes
//     without an event as a change of the kind incident_summary.
//   - While Kafka is unreachable the last state is served, and changes are
//     answered with 503.
package dashboard

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"time"

	"logstream/dashboard/hook"
	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/link"
	"logstream/internal/service"
)

// Log is what the dashboard needs of the bus; event.Log says what the methods
// promise.
type Log interface {
	Append(ctx context.Context, topic, key string, value []byte) error
	Enqueue(topic, key string, value []byte)
	Subscribe(ctx context.Context, s event.Subscription) error
}

// Deps is what a Dashboard is made of. Log, Static, Services and Logger are
// needed; what is nil of the rest is shown as not configured.
type Deps struct {
	Config   Config
	Log      Log
	Identity event.Origin // Instance and Host
	Version  string
	Mode     string // the healer's: observe, approve or auto
	Limits   view.Limits
	Static   fs.FS // index.html and what it needs

	Hooks       []hook.Config               // other monitors that may report
	Services    func() []service.Definition // as they are configured now
	ConfigError func() string               // why the newest config.yaml is not in use, or empty

	// ConfigErrors are all errors of the newest config.yaml, or none.
	ConfigErrors func() []ConfigFinding

	// What the parts say of themselves. Docker may dial, within ctx; the others must not block.
	Bus    func() BusInfo
	Docker func(ctx context.Context) DockerInfo
	LLM    func() LLMInfo

	// Checks is what the monitor counts of its schedule, by service.
	Checks func() map[string]metrics.Checks

	// Ready is nil while Kafka can be read and written, else why not.
	Ready func(ctx context.Context) error
	// Faults are those that can be injected into the container of that name.
	Faults func(container string) []string
	// Logs are the last lines of the container that ref names.
	Logs func(ctx context.Context, ref string, tail int) ([]container.Line, error)
	// Inspect is the container that ref names, as it is now.
	Inspect func(ctx context.Context, ref string) (Inspection, error)
	// Probe checks a definition once, as an operator sent it: JSON with the keys
	// of config.yaml. An error says what is wrong with it.
	Probe func(ctx context.Context, definition json.RawMessage) (event.Probe, error)
	// Lines are what describes that definition in config.yaml. An error says what is
	// wrong with it.
	Lines func(definition json.RawMessage) (string, error)
	// Written is a definition of the event log, secrets masked, as an entry of config.yaml.
	Written func(definition json.RawMessage) (string, error)

	// Receivers are those of notifications, as they are configured now.
	Receivers func() []Receiver
	// Notify sends a test message to the receiver of that name, or to all where it
	// is empty. An error is a NotFoundError where there is none of that name.
	Notify func(ctx context.Context, receiver string) ([]Notified, error)

	// Links reads the signed links of notifications; nil: they do nothing here.
	Links *link.Signer

	// ReadKey reads the records of one key on a topic from since on and before until.
	ReadKey func(ctx context.Context, topic, key string, since, until time.Time, each func(event.Record)) error

	// SessionKey signs the sessions of people who log in: the same key knows them
	// after a restart. nil: a random one.
	SessionKey []byte

	Health *health.Registry
	Logger *slog.Logger
}

// Dashboard serves the page. Make one with New.
type Dashboard struct {
	deps   Deps
	pages  *pages
	limits *limits
	apply  chan []service.Definition

	mu       sync.Mutex
	listener net.Listener // bound and not served yet, or nil
	address  string       // once it was bound

	certificate *certificate // nil without TLS
}

// New is a dashboard that listens nowhere yet. An error says what of Static
// can't be read.
func New(deps Deps) (*Dashboard, error) {
	switch {
	case deps.Log == nil || deps.Static == nil || deps.Services == nil || deps.Logger == nil:
		return nil, errors.New("dashboard: Log, Static, Services and Logger are needed")
	case deps.Config.Listen == "":
		deps.Config.Listen = Default().Listen
	}
	deps.Logger = deps.Logger.With("component", "dashboard")
	if deps.Health == nil {
		deps.Health = &health.Registry{}
	}
	if len(deps.SessionKey) == 0 {
		deps.SessionKey = []byte(rand.Text())
	}
	pages, err := loadPages(deps.Static, deps.Config.BasePath)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	return &Dashboard{deps: deps, pages: pages, limits: newLimits(), apply: make(chan []service.Definition, 1)}, nil
}

// Apply says what is configured from now on. It never blocks; where Run is not
// running, the next Run calls Services.
func (d *Dashboard) Apply(services []service.Definition) {
	for {
		select {
		case d.apply <- services:
			return
		default:
		}
		select {
		case <-d.apply: // older, and not taken yet
		default:
		}
	}
}

// now is the clock of everything that is shown.
func now() time.Time { return time.Now().UTC() }
