package dashboard

import (
	"context"
	"time"

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
}

// LLMInfo is what the model says of itself.
type LLMInfo struct {
	Model string `json:"model"`
	Ready bool   `json:"ready"`
	Error string `json:"error"`
	// TimeoutS is how long it may take to answer, in seconds.
	TimeoutS float64 `json:"timeout_s"`
}

// Info is the answer to GET /api/v1/info.
type Info struct {
	Version     string           `json:"version"`
	Instance    string           `json:"instance"`
	Host        string           `json:"host"`
	Active      bool             `json:"active"` // this instance owns its host
	UptimeS     float64          `json:"uptime_s"`
	Bus         BusInfo          `json:"bus"`
	LLM         LLMInfo          `json:"llm"`
	Docker      DockerInfo       `json:"docker"`
	Checks      metrics.Checks   `json:"checks"` // since the start
	Mode        string           `json:"mode"`
	Held        string           `json:"held"` // why nothing is repaired on this host, or empty
	HeldUntil   *time.Time       `json:"held_until"`
	ConfigError string           `json:"config_error"`
	Troubles    []health.Problem `json:"troubles"`
	CaughtUp    bool             `json:"caught_up"` // the event log was read to the end that it had at the start
}

// collect queries every part but the folds.
func (r *run) collect(ctx context.Context) Info {
	d := r.deps
	info := Info{
		Version: d.Version, Instance: d.Identity.Instance, Host: d.Identity.Host, Mode: d.Mode,
		Bus:      BusInfo{Error: "not configured"},
		LLM:      LLMInfo{Error: "no model is configured: the runbook decides"},
		Docker:   DockerInfo{Error: "not configured"},
		Troubles: d.Health.List(),
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
	if d.Docker != nil {
		ctx, cancel := context.WithTimeout(ctx, infoWithin)
		defer cancel()
		info.Docker = d.Docker(ctx)
	}
	if d.Checks != nil {
		for _, of := range d.Checks() {
			info.Checks.Late += of.Late
			info.Checks.Skipped += of.Skipped
		}
	}
	if d.ConfigError != nil {
		info.ConfigError = d.ConfigError()
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

// infoChanged pushes the info when anything but its age changed.
func (l *loop) infoChanged() {
	info := l.info()
	info.UptimeS = 0
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
	if hold, held := l.fleet.Held(at); held {
		info.Held = hold.Reason
		if info.Held == "" {
			info.Held = "held by an operator"
		}
		if !hold.Until.IsZero() {
			info.HeldUntil = &hold.Until
		}
	}
	return info
}
