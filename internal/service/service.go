// Package service is what a service is: its definition, its thresholds, and
// what may be done about it. Configuration decodes into it; monitor, healer
// and dashboard read it. No I/O.
package service

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/size"
)

// Definition is one service of config.yaml, with every default applied.
type Definition struct {
	Name             string        `yaml:"name"`
	URL              string        `yaml:"url"`       // its scheme is the kind of check; empty: the container's state alone
	Container        string        `yaml:"container"` // an exact name, or project/service; empty: monitored, not healed
	Group            string        `yaml:"group"`
	Note             string        `yaml:"note"` // one line: "when this fails …"
	Interval         time.Duration `yaml:"interval"`
	Timeout          time.Duration `yaml:"timeout"` // of one check; default: 5s, but not more than the interval
	FailureThreshold int           `yaml:"failure_threshold"`
	SuccessThreshold int           `yaml:"success_threshold"`
	Window           Window        `yaml:"window"`
	Request          Request       `yaml:"request"`
	TLS              TLS           `yaml:"tls"`
	KeepAlive        time.Duration `yaml:"keep_alive"` // how long checks use one connection; zero: each opens its own
	Push             Push          `yaml:"push"`
	Expect           Expect        `yaml:"expect"`
	StartPeriod      time.Duration `yaml:"start_period"` // how long it may take to answer after a start
	DependsOn        []string      `yaml:"depends_on"`   // names of services that it needs
	Heal             Heal          `yaml:"heal"`
	Maintenance      []Maintenance `yaml:"maintenance"` // when nothing is repaired, beside the host's windows
	Chaos            bool          `yaml:"chaos"`       // real faults may be injected from the page
	Discovered       bool          `yaml:"discovered"`  // from a container's labels, and no key of config.yaml
}

// Schemes of urls for which nothing is checked by us: the container's own state
// says how the service is, or the service itself does.
const (
	SchemeDocker = "docker" // docker://name is container: name without a url
	SchemePush   = "push"
)

// Scheme is that of the url, in small letters; empty without a url.
func (d Definition) Scheme() string {
	scheme, _, is := strings.Cut(d.URL, "://")
	if !is {
		return ""
	}
	return strings.ToLower(scheme)
}

// HasOwnCheck says whether we check the service ourselves. Without, the state
// of its container or what it pushes stands for that.
func (d Definition) HasOwnCheck() bool {
	return d.URL != "" && d.Scheme() != SchemeDocker && d.Scheme() != SchemePush
}

// Pushes says whether the service reports by itself, or others do for it: its
// url is push://, and whatever follows that is for people.
func (d Definition) Pushes() bool { return d.Scheme() == SchemePush }

// IsContainerAlone says whether the service is its container's state and health,
// and nothing else.
func (d Definition) IsContainerAlone() bool {
	return d.Container != "" && !d.HasOwnCheck() && !d.Pushes()
}

// SameCheck says whether both are checked in the same way, though perhaps not
// as often.
func (d Definition) SameCheck(other Definition) bool {
	return d.URL == other.URL && d.Discovered == other.Discovered && d.KeepAlive == other.KeepAlive && reflect.DeepEqual(d.Request, other.Request) &&
		d.TLS == other.TLS && d.Push == other.Push && (d.Container == "") == (other.Container == "") && reflect.DeepEqual(d.Expect, other.Expect)
}

// Window counts failures that need not follow each other: so many of the last
// so many checks. The zero value is failure_threshold in a row alone.
type Window struct {
	Failures int `yaml:"failures"` // so many failures make it DOWN
	Of       int `yaml:"of"`       // of the last so many checks
}

// Request is what a check sends. Each kind of check uses what it has a place for.
type Request struct {
	Method    string            `yaml:"method"`    // of HTTP
	Headers   map[string]string `yaml:"headers"`   // of HTTP
	Body      string            `yaml:"body"`      // of HTTP; over tcp and tls the bytes that are sent
	Redirects bool              `yaml:"redirects"` // follow them
	Bearer    string            `yaml:"bearer"`    // a token; user and password stand in the url
}

// TLS is how a check makes its TLS connection: names of files of this machine.
type TLS struct {
	CA         string `yaml:"ca"`          // authorities that are trusted instead of this machine's
	Cert       string `yaml:"cert"`        // the client's certificate
	Key        string `yaml:"key"`         // and its key
	ServerName string `yaml:"server_name"` // instead of the url's host
	Insecure   bool   `yaml:"insecure"`    // the server's certificate is not verified
}

// Push is what is expected of a service that reports by itself.
type Push struct {
	Grace    time.Duration `yaml:"grace"`     // how much later than due it may report
	Schedule string        `yaml:"schedule"`  // when it reports, as in a crontab; empty: each interval
	TimeZone string        `yaml:"time_zone"` // of the schedule, such as Europe/Rome; empty: this machine's
}

// Expect is what a good answer looks like.
type Expect struct {
	Status          StatusRange       `yaml:"status"`
	Body            string            `yaml:"body"`             // a regular expression that the answer matches
	JSON            map[string]string `yaml:"json"`             // values at paths of a JSON body
	Headers         map[string]string `yaml:"headers"`          // regular expressions that headers match
	Latency         time.Duration     `yaml:"latency"`          // slower is DEGRADED; zero: no limit
	CertificateDays int               `yaml:"certificate_days"` // fewer left is DEGRADED; zero: no limit
}

// Heal is what may be done about a service.
type Heal struct {
	Mode       Mode       `yaml:"mode"`        // empty: the healer's
	Actions    []string   `yaml:"actions"`     // taken without approval, beyond those that need no approval
	Never      []string   `yaml:"never"`       // actions that are never taken
	MaxMemory  size.Size  `yaml:"max_memory"`  // up to which raise_memory raises the limit; zero: not at all
	Commands   Commands   `yaml:"commands"`    // of the operator's own, for run
	ManualStop ManualStop `yaml:"manual_stop"` // what an external stop means: one that LogStream did not do
	Confirm    bool       `yaml:"confirm"`     // a foreign source needs our own check, or the engine, to agree
	Self       bool       `yaml:"self"`        // may be healed although logstream depends on it
}

// Mode says whether repairs are made.
type Mode string

// The modes.
const (
	Observe Mode = "observe" // say what would have been done
	Approve Mode = "approve" // wait for approval by an operator before each repair
	Auto    Mode = "auto"    // do it
)

// ManualStop says how an external stop or pause is treated: one that LogStream did not
// do.
type ManualStop string

// How an external stop is treated.
const (
	StopHeal   ManualStop = "heal"   // undo it once; again within ten minutes it is treated as intentional
	StopIgnore ManualStop = "ignore" // always treat it as intentional
	StopAlways ManualStop = "always" // always undo it
)

// Actions that exist, by tier: tier 0 loses nothing.
const (
	ActionStart       = "start"
	ActionUnpause     = "unpause"
	ActionConnect     = "connect"
	ActionRestart     = "restart"
	ActionKillStart   = "kill_start"
	ActionRun         = "run"
	ActionRaiseMemory = "raise_memory"
	ActionRollback    = "rollback"
	ActionRecreate    = "recreate"
	ActionNone        = "none"
	ActionEscalate    = "escalate"
)

// Actions are those that heal.never may name.
var Actions = []string{ActionStart, ActionUnpause, ActionConnect, ActionRestart, ActionKillStart, ActionRun, ActionRaiseMemory, ActionRollback, ActionRecreate}

// defaultKeepAlive is long enough that checks are cheap, and short enough that a
// listener that takes no new connections is noticed.
const defaultKeepAlive = 15 * time.Second

// Default is a definition before anything is configured.
func Default() Definition {
	return Definition{
		Interval: 10 * time.Second, Timeout: 5 * time.Second,
		FailureThreshold: 3, SuccessThreshold: 2,
		KeepAlive: defaultKeepAlive,
		Expect:    Expect{Status: StatusRange{{200, 399}}},
		Heal:      Heal{ManualStop: StopHeal, Confirm: true},
	}
}

// Hash changes whenever the masked definition does.
func (d Definition) Hash() string {
	sum := sha256.Sum256(event.Encode(d.Masked()))
	return hex.EncodeToString(sum[:6])
}
