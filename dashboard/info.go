package dashboard

import (
	"context"
	"time"

	"logstream/dashboard/access"
	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/internal/health"
)

const (
	infoEvery  = 5 * time.Second // how often the parts are queried
	infoSoon   = time.Second     // and once after the start: what was still unknown then
	infoWithin = 2 * time.Second // how long one may take
)

// BusInfo is what the bus says of itself.
type BusInfo struct {
	Kind    string   `json:"kind"` // embedded or kafka
	Brokers []string `json:"brokers"`
	OK      bool     `json:"ok"`
	Error   string   `json:"error"`
	Dropped uint64   `json:"dropped"` // records for which there was no room while Kafka was unreachable
	// DiskBytes is what the topics of the embedded broker take on the disk, and
	// MaxBytes what their health logs may take; absent for Kafka elsewhere.
	DiskBytes int64 `json:"disk_bytes,omitempty"`
	MaxBytes  int64 `json:"max_bytes,omitempty"`
	// LagS is the age in seconds that the newest health log had when it was read
	// back, -1 before the first.
	LagS float64 `json:"lag_s"`
}

// DockerInfo is what the container runtime says of itself.
type DockerInfo struct {
	OK      bool   `json:"ok"`
	Kind    string `json:"kind,omitempty"` // docker or process
	Version string `json:"version"`
	Error   string `json:"error"`
	// Address is where the engine was found, and ChosenBy what it was chosen by,
	// such as DOCKER_HOST.
	Address  string `json:"address,omitempty"`
	ChosenBy string `json:"chosen_by,omitempty"`
	Pending  bool   `json:"pending,omitempty"` // LogStream just started, and it has not answered yet
}

// LLMInfo is what the model says of itself.
type LLMInfo struct {
	Model string `json:"model"`
	Ready bool   `json:"ready"`
	Error string `json:"error"`
	// TimeoutS is how long it may take to answer, in seconds.
	TimeoutS float64 `json:"timeout_s"`
}

// ConfigFinding is an error about one place in config.yaml.
type ConfigFinding struct {
	File       string `json:"file"`
	Line       int    `json:"line"` // from 1; 0: the file as a whole
	Column     int    `json:"column"`
	Key        string `json:"key"`   // with dots, such as services[0].heal.mode
	Value      string `json:"value"` // shortened; secrets are ***
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"` // the key or value that was likely meant, or empty
	Excerpt    string `json:"excerpt"`    // the line, with every other value masked; or empty
	Caret      int    `json:"caret"`      // the character of the excerpt where the place is, from 1; 0: there is none
}

// Info is the answer to GET /api/v1/info.
type Info struct {
	Version     string         `json:"version"`
	Instance    string         `json:"instance"`
	Host        string         `json:"host"`
	Active      bool           `json:"active"` // this instance owns its host
	UptimeS     float64        `json:"uptime_s"`
	Bus         BusInfo        `json:"bus"`
	LLM         LLMInfo        `json:"llm"`
	Docker      DockerInfo     `json:"docker"`
	Checks      metrics.Checks `json:"checks"` // since the start
	Mode        string         `json:"mode"`
	Held        string         `json:"held"` // why nothing is repaired on this host, or empty
	HeldUntil   *time.Time     `json:"held_until"`
	HeldBy      string         `json:"held_by,omitempty"`     // who asked for that, such as operator:ada
	HeldReason  string         `json:"held_reason,omitempty"` // in the words of that person, or empty
	ConfigError string         `json:"config_error"`
	// ConfigErrors are all errors of the newest config.yaml, where it is not in use
	// because of them.
	ConfigErrors []ConfigFinding  `json:"config_errors"`
	Troubles     []health.Problem `json:"troubles"`
	Receivers    []Receiver       `json:"receivers"` // of notifications
	CaughtUp     bool             `json:"caught_up"` // the event log was read to the end that it had at the start
	// Who asks; only GET /api/v1/info has these.
	Role     access.Role `json:"role,omitempty"`      // viewer, proposer or operator
	Person   string      `json:"person,omitempty"`    // by name; empty: a token without a name, or no credential is needed
	LoggedIn bool        `json:"logged_in,omitempty"` // by a session, which POST /logout ends
}

// known is what every part but Docker says: it is there before the first page is.
func (r *run) known() Info {
	d := r.deps
	info := Info{
		Version: d.Version, Instance: d.Identity.Instance, Host: d.Identity.Host, Mode: d.Mode,
		Bus:      BusInfo{Error: "not configured", LagS: -1},
		LLM:      LLMInfo{Error: "no model is configured: the runbook decides"},
		Docker:   DockerInfo{Error: "not configured"},
		Troubles: d.Health.List(),
	}
	if d.Docker != nil {
		info.Docker = DockerInfo{Error: "it has not answered yet", Pending: true}
	}
	if d.Bus != nil {
		info.Bus = d.Bus()
	}
	if info.Bus.Brokers == nil {
		info.Bus.Brokers = []string{}
	}
	if d.LLM != nil {
		info.LLM = d.LLM()
	}
	if d.Checks != nil {
		for _, of := range d.Checks() {
			info.Checks.Late += of.Late
			info.Checks.Skipped += of.Skipped
		}
	}
	info.Receivers = []Receiver{}
	if d.Receivers != nil {
		info.Receivers = append(info.Receivers, d.Receivers()...)
	}
	if d.ConfigError != nil {
		info.ConfigError = d.ConfigError()
	}
	info.ConfigErrors = []ConfigFinding{}
	if d.ConfigErrors != nil && info.ConfigError != "" {
		info.ConfigErrors = append(info.ConfigErrors, d.ConfigErrors()...)
	}
	return info
}

// collect is what is known, with what Docker says within infoWithin.
func (r *run) collect(ctx context.Context) Info {
	info := r.known()
	if r.deps.Docker != nil {
		ctx, cancel := context.WithTimeout(ctx, infoWithin)
		defer cancel()
		info.Docker = r.deps.Docker(ctx)
	}
	return info
}

// watchInfo keeps the loop's info current: at once when a problem comes or goes.
func (r *run) watchInfo(ctx context.Context) error {
	timer := time.NewTicker(infoEvery)
	defer timer.Stop()
	soon := time.NewTimer(infoSoon)
	defer soon.Stop()
	for {
		changed := r.deps.Health.Changed() // before the list is read
		info := r.collect(ctx)
		if !r.send(ctx, func(l *loop) { l.setInfo(info) }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-r.poke:
		case <-soon.C:
		case <-timer.C:
		}
	}
}

// setInfo takes what the parts said, and pushes it where it is new.
func (l *loop) setInfo(info Info) {
	l.parts = info
	l.changed(true, l.fleet.SetModel(info.LLM.Model, now()))
	l.changed(true, l.fleet.SetBusDown(info.Bus.Kind != "" && !info.Bus.OK, now()))
	l.infoChanged()
}

// infoChanged pushes the info when anything changed but what grows by itself.
func (l *loop) infoChanged() {
	info := l.info()
	info.UptimeS, info.Bus.LagS, info.Bus.DiskBytes = 0, 0, 0
	if encoded := encode(info); string(encoded) != string(l.sentInfo) {
		l.sentInfo = encoded
		l.changed(true, []view.Change{{Kind: view.KindInfo, Data: l.info()}})
	}
}

// info is what the parts said last, with what the folds know now.
func (l *loop) info() Info {
	info := l.parts
	at := now()
	info.UptimeS = at.Sub(l.began).Round(time.Millisecond).Seconds()
	info.Active = info.Instance != "" && l.fleet.Owner() == info.Instance
	info.CaughtUp = l.caughtUp()
	info.Bus.LagS = -1
	if lag := l.metrics.HealthLag(); lag >= 0 {
		info.Bus.LagS = lag.Round(time.Millisecond).Seconds()
	}
	if hold, held := l.fleet.Held(at); held {
		info.Held, info.HeldBy, info.HeldReason = hold.Reason, hold.By, hold.Reason
		if info.Held == "" {
			info.Held = "held by an operator"
		}
		if !hold.Until.IsZero() {
			info.HeldUntil = &hold.Until
		}
	}
	return info
}
