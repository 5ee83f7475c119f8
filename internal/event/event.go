// Package event is the public contract as Go types: the records on the log,
// their topics and keys, the JSON codec, and the signature.
//
// Everything that happens is one of these records; everything else is a fold
// of them. Names and types here never change once released: fields may be
// added, and readers skip what they don't know. The package imports only the
// standard library.
package event

import "time"

// Topics of the log.
const (
	TopicHealth      = "system-logs"
	TopicServices    = "logstream.services"
	TopicIncidents   = "logstream.incidents"
	TopicCommands    = "logstream.commands"
	TopicDocker      = "logstream.docker"
	TopicThinking    = "logstream.thinking"
	TopicRollups1m   = "logstream.rollups.1m"
	TopicRollups1h   = "logstream.rollups.1h"
	TopicRollups1d   = "logstream.rollups.1d"
	TopicDeadLetters = "logstream.dead-letters"
)

// ReservedService is the name under which incidents of the fleet, or of
// logstream itself, and claims are written. No service may have it.
const ReservedService = "logstream"

// AllServices as a command's service means the whole host.
const AllServices = "*"

// CheckContainer is the check whose records, from the owner of a host, are a
// level: the state of the service's container, as the runtime reports it.
const CheckContainer = "container"

// CheckHealth is the check whose records, from the owner of a host, are what
// the container's own HEALTHCHECK says, repeated like a level.
const CheckHealth = "health"

// IsOfEngine says whether a record is what the container engine says of a
// container: an observation that took no time, and that is repeated.
func (h HealthLog) IsOfEngine() bool { return h.Check == CheckContainer || h.Check == CheckHealth }

// CheckPush is the source that stands for the reports that a push:// service did
// not send.
const CheckPush = "push"

// Status is what an observation saw, or what a service is held to be.
type Status string

// The states of a service. An observation is Up, Degraded or Down.
const (
	Up       Status = "UP"
	Degraded Status = "DEGRADED"
	Down     Status = "DOWN"
	Pending  Status = "PENDING" // not decided yet
	Unknown  Status = "UNKNOWN" // no fresh observation for three intervals
)

// Origin says who wrote a record of ours. Epoch and Nonce are those of the
// writer's claim, and absent where the writer owns nothing.
//
// Health logs, services and engine events have a Revision beside it, which
// grows from one record of a writer to the next under its claim: a signed copy,
// published again by another writer to the topic, is recognised by it.
type Origin struct {
	Instance string `json:"instance,omitempty"`
	Host     string `json:"host,omitempty"`
	Epoch    int64  `json:"epoch,omitempty"`
	Nonce    string `json:"nonce,omitempty"`
}

// HealthLog is one observation of a service: a record of TopicHealth.
type HealthLog struct {
	Timestamp float64 `json:"timestamp"` // when the check began: seconds since the epoch
	Service   string  `json:"service"`
	Status    Status  `json:"status"`
	Code      int     `json:"code"`
	LatencyMS float64 `json:"latency_ms"` // of the whole check, in milliseconds
	Check     string  `json:"check,omitempty"`
	Error     string  `json:"error,omitempty"`   // why it is not UP, in one sentence
	Failure   Failure `json:"failure,omitempty"` // at which stage a check of ours failed
	Extra     bool    `json:"extra,omitempty"`   // beside the schedule: counts for thresholds, not for verification
	Revision  int64   `json:"revision,omitempty"`
	// Until says that a hook repeats the observation in its sender's name, until
	// then at the latest: seconds since the epoch.
	Until float64 `json:"until,omitempty"`
	Origin
}

// Time is Timestamp as an instant.
func (h HealthLog) Time() time.Time { return FromSeconds(h.Timestamp) }

// An observation that began further from the time at which it was taken is
// shown, and not counted.
const (
	maxAhead  = 5 * time.Minute
	maxBehind = 10 * time.Minute
)

// Timely says whether h counts for a reader that took it at taken.
func (h HealthLog) Timely(taken time.Time) bool {
	began := h.Time()
	return !began.After(taken.Add(maxAhead)) && !began.Before(taken.Add(-maxBehind))
}

// Seconds is t as HealthLog.Timestamp has it, to the microsecond.
func Seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// FromSeconds is the inverse of Seconds.
func FromSeconds(s float64) time.Time { return time.UnixMicro(int64(s*1e6 + 0.5)).UTC() }

// Service is a service's definition and state: a record of TopicServices.
type Service struct {
	Time           time.Time         `json:"time"`
	Service        string            `json:"service"`
	Definition     *Definition       `json:"definition"` // nil: the service was removed
	DefinitionHash string            `json:"definition_hash,omitempty"`
	Status         Status            `json:"status"`
	Since          time.Time         `json:"since"`
	FirstBad       *time.Time        `json:"first_bad,omitempty"`
	Code           int               `json:"code"`
	LatencyMS      float64           `json:"latency_ms"`
	Error          string            `json:"error,omitempty"`
	Sources        []Source          `json:"sources"`
	Container      *ServiceContainer `json:"container"`
	Healing        bool              `json:"healing"`
	Held           string            `json:"held,omitempty"` // why healing waits: the gate's name
	HeldReason     string            `json:"held_reason,omitempty"`
	SilencedUntil  *time.Time        `json:"silenced_until,omitempty"`
	SilencedBy     string            `json:"silenced_by,omitempty"`
	SilenceReason  string            `json:"silence_reason,omitempty"`
	// NeverUp says that our own check was not UP yet under this url, expectation
	// and container: it may be the check that is wrong.
	NeverUp bool `json:"never_up,omitempty"`
	// Flapping says that its status changed too often lately.
	Flapping bool `json:"flapping,omitempty"`
	// ThresholdsSince is from when on its present thresholds count, where they
	// were others before: what was observed earlier is not judged by them.
	ThresholdsSince *time.Time `json:"thresholds_since,omitempty"`
	OpenIncident    string     `json:"open_incident,omitempty"`
	// Needs are the services that it depends on, as far as they are known: from
	// its definition, and from its container.
	Needs []Need `json:"needs,omitempty"`
	// Good is how its container was while it was last healthy; nil: not known.
	Good *Good `json:"good,omitempty"`
	// Attached are the networks of its present container as they were when the service was
	// first UP in it. It is absent where that is not known, or Good is of that container.
	Attached *Attached `json:"attached,omitempty"`
	// Update is the newest change of its image that was not our own; nil: none is
	// known.
	Update *Update `json:"update,omitempty"`
	// Trust is what would have been done in mode observe; nil: nothing yet.
	Trust    *Trust `json:"trust,omitempty"`
	Revision int64  `json:"revision,omitempty"`
	Origin
}

// Definition is what a service is, as in config.yaml, with secrets masked.
// Durations are Go's ("2s").
type Definition struct {
	Name             string   `json:"name"`
	URL              string   `json:"url"`
	Container        string   `json:"container,omitempty"`
	Group            string   `json:"group,omitempty"`
	Note             string   `json:"note,omitempty"`
	Interval         string   `json:"interval"`
	Timeout          string   `json:"timeout"`
	FailureThreshold int      `json:"failure_threshold"`
	SuccessThreshold int      `json:"success_threshold"`
	Window           Window   `json:"window,omitzero"`
	Request          Request  `json:"request,omitzero"`
	TLS              TLS      `json:"tls,omitzero"`
	KeepAlive        string   `json:"keep_alive,omitempty"` // empty: 15s
	Push             Push     `json:"push,omitzero"`
	Expect           Expect   `json:"expect"`
	StartPeriod      string   `json:"start_period"`
	Heal             Heal     `json:"heal"`
	Chaos            bool     `json:"chaos"`
	DependsOn        []string `json:"depends_on,omitempty"`
	Discovered       bool     `json:"discovered,omitempty"` // by its container and its labels: config.yaml does not have it

	Maintenance []Maintenance `json:"maintenance,omitempty"` // its own windows
}

// Maintenance is a window in which nothing is repaired.
type Maintenance struct {
	Cron     string `json:"cron,omitempty"`
	For      string `json:"for,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	TimeZone string `json:"time_zone,omitempty"`
}

// Window is how many failures of how many checks make a service DOWN, beside
// failure_threshold in a row.
type Window struct {
	Failures int `json:"failures"`
	Of       int `json:"of"`
}

// Request is what a check sends; of what may hold secrets, only that it is there.
type Request struct {
	Method    string            `json:"method,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Body      string            `json:"body,omitempty"`
	Redirects bool              `json:"redirects,omitempty"`
	Bearer    string            `json:"bearer,omitempty"`
}

// IsZero says whether there is nothing in it.
func (r Request) IsZero() bool {
	return r.Method == "" && len(r.Headers) == 0 && r.Body == "" && !r.Redirects && r.Bearer == ""
}

// TLS is how a check makes its TLS connection: names of files.
type TLS struct {
	CA         string `json:"ca,omitempty"`
	Cert       string `json:"cert,omitempty"`
	Key        string `json:"key,omitempty"`
	ServerName string `json:"server_name,omitempty"`
	Insecure   bool   `json:"insecure,omitempty"`
}

// Push is when a service reports by itself.
type Push struct {
	Grace    string `json:"grace,omitempty"`
	Schedule string `json:"schedule,omitempty"`
	TimeZone string `json:"time_zone,omitempty"`
}

// Expect is what a good answer looks like.
type Expect struct {
	Status          string            `json:"status"`                     // such as "200-399"
	Body            string            `json:"body,omitempty"`             // a regular expression
	JSON            map[string]string `json:"json,omitempty"`             // values at paths
	Headers         map[string]string `json:"headers,omitempty"`          // regular expressions
	Latency         string            `json:"latency,omitempty"`          // slower is DEGRADED; empty: no limit
	CertificateDays int               `json:"certificate_days,omitempty"` // fewer left is DEGRADED; zero: no limit
}

// Heal is what may be done about a service.
type Heal struct {
	Mode       string   `json:"mode,omitempty"`
	Never      []string `json:"never,omitempty"`
	Actions    []string `json:"actions,omitempty"`    // taken without approval, beyond what needs no approval
	MaxMemory  string   `json:"max_memory,omitempty"` // such as 512MiB
	Commands   []string `json:"commands,omitempty"`   // names alone: what they execute is published nowhere
	ManualStop string   `json:"manual_stop"`
	Confirm    bool     `json:"confirm"`
	Self       bool     `json:"self,omitempty"`
}

// Source is who observes a service, and what it last held it to be.
type Source struct {
	Instance string    `json:"instance"`
	Check    string    `json:"check"`
	Status   Status    `json:"status"`
	Since    time.Time `json:"since"`
}

// Thinking is a piece of what a model writes about an incident while it writes
// it: a record of TopicThinking. The first piece of a question may be empty: it
// says that the model is queried. Readers append Text to what they have until
// Done.
type Thinking struct {
	Time     time.Time `json:"time"`
	Incident string    `json:"incident"`
	Service  string    `json:"service"`
	Text     string    `json:"text"`
	Done     bool      `json:"done"`
	Origin
}

// Engine stream events beside Docker's own actions. They have no container.
const (
	StreamLost = "stream-lost" // the engine's event stream ended: nothing is known from here on
	StreamBack = "stream-back" // it is read again, and what was missed stands before this record
)

// Docker is an event of the container engine: a record of TopicDocker, keyed
// by the container's name.
type Docker struct {
	Time      time.Time `json:"time"` // the engine's clock, with nanoseconds
	Container string    `json:"container"`
	ID        string    `json:"id,omitempty"`
	Action    string    `json:"action"` // kill, die, stop, start, restart, pause, unpause, oom, create, destroy, rename, health_status, connect, disconnect, or stream-…
	Signal    string    `json:"signal,omitempty"`
	ExitCode  *int      `json:"exit_code,omitempty"`
	Health    string    `json:"health,omitempty"`  // of a health_status: healthy or unhealthy
	Network   string    `json:"network,omitempty"` // of a connect or disconnect: its name
	Image     string    `json:"image,omitempty"`
	Project   string    `json:"project,omitempty"` // Compose's project and service
	Compose   string    `json:"compose_service,omitempty"`
	Replace   string    `json:"replace,omitempty"` // Compose's label: this container is about to replace that one
	Revision  int64     `json:"revision,omitempty"`
	Origin
}
