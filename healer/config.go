package healer

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/healer/llm"
	"logstream/internal/service"
)

// Config is what the healer may do, and when.
type Config struct {
	Mode        service.Mode  `yaml:"mode"`         // default observe
	Decide      Decide        `yaml:"decide"`       // who chooses from what is legal; empty: a model where one answers
	Reflex      bool          `yaml:"reflex"`       // where the facts prove the cause and the repair loses nothing, no model is waited for
	ManualGrace time.Duration `yaml:"manual_grace"` // how long an external stop or pause is left alone before it is undone
	Verify      Verify        `yaml:"verify"`
	Quiet       time.Duration `yaml:"quiet"` // after a deployment
	// ApprovalTimeout is how long a request for approval waits before a person is
	// called: it is escalated then.
	ApprovalTimeout time.Duration         `yaml:"approval_timeout"`
	Budget          Budget                `yaml:"budget"`
	LLM             llm.Config            `yaml:"llm"`
	Update          Update                `yaml:"update"`
	Maintenance     []service.Maintenance `yaml:"maintenance"` // windows in which nothing is repaired on this host
}

// Decide says who chooses an action from those that are legal.
type Decide string

// Who may choose. By default a model that answers does, and its absence is no problem.
const (
	DecideLLM     Decide = "llm"     // a model; where it is missing the runbook does, and that is reported
	DecideRunbook Decide = "runbook" // the rules alone; no model is queried
)

// Verify is what verifies a repair: max(Successes, ⌈For / interval⌉) good
// scheduled checks in a row.
type Verify struct {
	For       time.Duration `yaml:"for"`       // how long the good checks in a row last, at least
	Successes int           `yaml:"successes"` // how many they are, at least
}

// Budget bounds how often repairs are attempted.
type Budget struct {
	Attempts      int           `yaml:"attempts"`        // an incident
	PerHour       int           `yaml:"per_hour"`        // a service
	HostPerMinute int           `yaml:"host_per_minute"` // this host
	Cooldown      time.Duration `yaml:"cooldown"`        // after a failed repair; doubles up to 10 min
	MinHealthy    Percent       `yaml:"min_healthy"`     // of the services, from five up: below it only what loses nothing is done; 0: off
	Recurrence    Recurrence    `yaml:"recurrence"`
}

// Recurrence is when a person is called about what is not healed, instead of a
// further repair that loses something.
type Recurrence struct {
	Times  int           `yaml:"times"`  // so often healed of one cause; 0: never
	Within time.Duration `yaml:"within"` // that
	Soon   time.Duration `yaml:"soon"`   // back so soon after a repair was verified; 0: never
}

// Update is how a changed image is compared with the one before.
type Update struct {
	Watch time.Duration `yaml:"watch"` // for how long, on either side of the change
}

// Percent is a share: 51% in the file.
type Percent int

// UnmarshalYAML reads 51% as well as a plain 51.
func (p *Percent) UnmarshalYAML(node *yaml.Node) error {
	n, err := strconv.Atoi(strings.TrimSuffix(node.Value, "%"))
	if err != nil || n < 0 || n > 100 {
		return errors.New("is not a share between 0% and 100%, such as 51%")
	}
	*p = Percent(n)
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (p Percent) MarshalYAML() (any, error) { return strconv.Itoa(int(p)) + "%", nil }

// Default is the configuration before anything is configured.
func Default() Config {
	return Config{
		Mode: service.Observe, ManualGrace: 5 * time.Second,
		Verify: Verify{For: 10 * time.Second, Successes: 3},
		Quiet:  20 * time.Second, ApprovalTimeout: 15 * time.Minute,
		Reflex: true, LLM: llm.Default(), Update: Update{Watch: 10 * time.Minute},
		Budget: Budget{Attempts: 3, PerHour: 5, HostPerMinute: 6, Cooldown: 30 * time.Second, MinHealthy: 51,
			Recurrence: Recurrence{Times: 5, Within: 7 * 24 * time.Hour, Soon: 2 * time.Minute}},
	}
}
