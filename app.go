package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"

	"logstream/bus"
	"logstream/chaos"
	"logstream/dashboard"
	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/healer"
	"logstream/healer/llm"
	"logstream/internal/config"
	"logstream/internal/container"
	"logstream/internal/docker"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/process"
	"logstream/internal/redact"
	"logstream/monitor"
	"logstream/monitor/check"
	"logstream/monitor/discover"
	"logstream/notify"
	"logstream/rollup"
)

// setup is what an app is made of.
type setup struct {
	config    config.Config
	path      string          // of the file that is followed; empty: none
	refused   *refused        // what the file held last and cannot be used; nil: nothing
	children  []process.Child // that stand for containers; empty: the Docker engine
	demo      bool
	listening []string // what accepts connections before the monitor's first check
	console   console
	events    *eventLines // nil: none are written
}

// app is every part of the process, opened and not running yet.
type app struct {
	setup
	identity event.Origin
	log      *slog.Logger
	registry *health.Registry
	services serviceSet

	bus       *bus.Bus
	children  *process.Runtime // nil with an engine
	engine    *docker.Runtime  // nil with children
	runtime   container.Runtime
	injector  container.Injector // chaos's alone: what repairs has no way to it
	monitor   *monitor.Monitor
	healer    replaceable[*healer.Healer]
	dashboard replaceable[*dashboard.Dashboard]
	chaos     *chaos.Chaos
	rollups   *rollup.Recorder
	notifier  replaceable[*notify.Notifier]
	discovery *discover.Discovery // nil where nothing is discovered
	watcher   *config.Watcher     // nil without a file
	address   string              // that the dashboard got

	running runningSet
	restart chan config.Config // all parts end, and are opened again with it
}

// open makes the parts, from the inside out, and binds what listens. Nothing is
// dialled but Kafka. An error says what a person has to change first.
func open(ctx context.Context, s setup, log *slog.Logger) (*app, error) {
	a := &app{setup: s, log: log, registry: &health.Registry{}, restart: make(chan config.Config, 1)}
	a.services.configured = s.config.Services
	a.services.combine()
	if err := a.openRuntime(); err != nil {
		return nil, err
	}
	instance, err := bus.LoadIdentity(s.config.Bus.Embedded.Data, s.config.Instance)
	if err != nil {
		return nil, err
	}
	a.identity = event.Origin{Instance: instance, Host: s.config.Host}
	a.bus, err = bus.Open(ctx, s.config.Bus, bus.Identity{Instance: instance, Host: s.config.Host}, log, a.registry)
	if err != nil {
		return nil, err
	}
	if err := a.openActors(); err != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		if closing := a.bus.Close(last); closing != nil {
			log.Warn("event log not closed cleanly", "error", closing)
		}
		return nil, err
	}
	return a, nil
}

// openRuntime chooses between the engine and the demo's child processes.
func (a *app) openRuntime() error {
	if len(a.setup.children) > 0 {
		a.children = process.New(a.log, a.setup.children)
		a.runtime, a.injector = wrapRuntime(a.children), process.NewInjector(a.children)
		return nil
	}
	engine, err := docker.New(a.config.Docker, a.log.With("component", "docker"))
	if err != nil {
		return fmt.Errorf("docker: %w", err)
	}
	a.runtime, a.engine, a.injector = wrapRuntime(engine), engine, docker.NewInjector(engine)
	return nil
}

func (a *app) openActors() error {
	a.openDiscovery()
	heal, model, err := a.newHealer(a.config)
	if err != nil {
		return err
	}
	a.healer.replace(heal)
	a.monitor = monitor.New(monitor.Deps{
		Log: wrapLog(health.Monitor, a.bus), Runtime: a.runtime, Identity: a.identity,
		Owner:    func() (event.Origin, bool) { return a.healer.now().Owner() },
		Services: a.configured(), Config: a.config.Monitor, Logger: a.log, Health: a.registry, Check: check.Env{Version: thisBuild().Version},
	})
	a.chaos = chaos.New(a.log, wrapLog(health.Chaos, a.bus), a.runtime, a.injector, a.identity, a.configured())
	a.rollups = rollup.New(rollup.Deps{Log: wrapLog(health.Rollup, a.bus), Host: a.identity.Host,
		Owner:     func() (event.Origin, bool) { return a.healer.now().Owner() },
		Reachable: func() bool { return a.bus.Status().OK }})
	if a.path != "" {
		a.watcher = config.NewWatcher(a.path, a.config, a.log, a.registry, a.reload)
		if r := a.setup.refused; r != nil {
			a.watcher.Refuse(r.config, r.why)
		}
	}
	notifier, err := a.newNotifier(a.config)
	if err != nil {
		return err
	}
	a.notifier.replace(notifier)
	page, err := a.newDashboard(a.config, model)
	if err != nil {
		return err
	}
	a.dashboard.replace(page)
	err = page.Listen()
	a.address = page.Addr()
	return err
}

// newHealer is a healer as c wants it, and the model that it queries, or nil.
func (a *app) newHealer(c config.Config) (*healer.Healer, healer.Model, error) {
	model, err := modelOf(c.Healer)
	if err != nil {
		return nil, nil, err
	}
	return healer.New(observed(healer.Deps{
		Log: wrapLog(health.Healer, a.bus), Runtime: a.runtime, Model: model, Commands: a.commands(), Specs: a.specifications(), Instance: a.identity.Instance, Host: a.identity.Host,
		Config: c.Healer, Services: a.configured, Discovering: a.services.searching.Load, Protected: protected(c), CLI: a.cli(),
		CheckNow: func(service string) { a.monitor.CheckNow(service) },
		Logger:   a.log.With("component", "healer"), Health: a.registry, CheckAt: checkAt,
	})), model, nil
}

// newDashboard is a dashboard as c wants it, over a healer that queries model.
func (a *app) newDashboard(c config.Config, model healer.Model) (*dashboard.Dashboard, error) {
	secret, err := bus.ReadSecret(c.Bus)
	if err != nil {
		return nil, err
	}
	return dashboard.New(dashboard.Deps{
		Config: c.Dashboard, Log: wrapLog(health.Dashboard, a.bus), Identity: a.identity, Version: thisBuild().Version,
		Mode:       string(c.Healer.Mode),
		Limits:     view.Limits{Attempts: c.Healer.Budget.Attempts, PerHour: c.Healer.Budget.PerHour},
		SessionKey: secret,
		Static:     page(), Hooks: c.Hooks, Services: a.configured, ConfigError: a.configError, ConfigErrors: a.configErrors,
		Bus:     a.busInfo,
		Docker:  a.dockerInfo,
		LLM:     a.modelInfo(c.Healer, model),
		Ready:   a.bus.Ready,
		Faults:  a.injector.Faults,
		Logs:    a.logs,
		Inspect: a.inspect,
		Checks:  a.checks,
		Probe:   probeDefinition,
		Lines:   func(definition json.RawMessage) (string, error) { return config.Lines(definition) },
		Written: func(definition json.RawMessage) (string, error) { return config.Written(definition) },
		ReadKey: a.bus.ReadKey,
		Notify:  a.testNotifications, Receivers: a.receivers,
		Links:  a.links(c),
		Health: a.registry, Logger: a.log,
	})
}

// protected are the containers that logstream itself depends on: the brokers'
// and the model's, by name as their addresses have it, or by the port
// of this machine that leads to them.
func protected(c config.Config) []string {
	var all []string
	for _, address := range c.Bus.Brokers {
		all = append(all, leadsTo(address)...)
	}
	if u, err := url.Parse(c.Healer.LLM.URL); err == nil && c.Healer.Decide != healer.DecideRunbook {
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		all = append(all, leadsTo(net.JoinHostPort(u.Hostname(), port))...)
	}
	return all
}

// leadsTo is the container that answers at host:port: a name, a port of this
// machine, or nothing where neither is known.
func leadsTo(address string) []string {
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return nil
	case isOurs(host):
		return []string{":" + port}
	case net.ParseIP(host) == nil:
		return []string{host}
	}
	return nil
}

// isOurs says whether a host is this machine, by the names and addresses that it
// has itself.
func isOurs(host string) bool {
	if name, err := os.Hostname(); host == "localhost" || err == nil && host == name {
		return true
	}
	ip := net.ParseIP(host)
	own, _ := net.InterfaceAddrs() // where they can't be read, none is known
	return ip.IsLoopback() || slices.ContainsFunc(own, func(a net.Addr) bool {
		n, is := a.(*net.IPNet)
		return is && ip != nil && n.IP.Equal(ip)
	})
}

// modelOf is the model that is queried, or nil: then the runbook decides alone.
func modelOf(c healer.Config) (healer.Model, error) {
	if c.Decide == healer.DecideRunbook {
		return nil, nil
	}
	return llm.New(c.LLM)
}

// modelInfo is the model's state for the dashboard; nil where none is queried.
func (a *app) modelInfo(c healer.Config, model healer.Model) func() dashboard.LLMInfo {
	if model == nil {
		return nil
	}
	return func() dashboard.LLMInfo {
		is := a.healer.now().LLM()
		return dashboard.LLMInfo{Model: c.LLM.Model, Ready: is.Ready, Error: is.Why, TimeoutS: c.LLM.Timeout.Seconds()}
	}
}

// checks are the late and skipped checks of each service.
func (a *app) checks() map[string]metrics.Checks {
	all := map[string]metrics.Checks{}
	for name, of := range a.monitor.Stats().Services {
		all[name] = metrics.Checks{Late: of.Late, Skipped: of.Skipped}
	}
	return all
}

func (a *app) dockerInfo(ctx context.Context) dashboard.DockerInfo {
	info, err := a.runtime.Info(ctx)
	out := dashboard.DockerInfo{OK: err == nil, Kind: info.Kind, Version: info.Version, Address: info.Address, ChosenBy: info.ChosenBy}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

// logs are the last lines of the container that ref names. What its service's
// check sends is masked in them.
func (a *app) logs(ctx context.Context, ref string, tail int) ([]container.Line, error) {
	found, err := a.runtime.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	lines, err := a.runtime.Logs(ctx, found.ID, tail)
	for _, def := range a.configured() {
		if def.Container != ref {
			continue
		}
		for i := range lines {
			lines[i].Text = redact.Known(lines[i].Text, def.Secrets()...)
		}
	}
	return lines, err
}

// inspect is the container that ref names, and what it uses while it runs.
func (a *app) inspect(ctx context.Context, ref string) (dashboard.Inspection, error) {
	found, err := a.runtime.Find(ctx, ref)
	if err != nil || found.Status != container.Running {
		return dashboard.Inspection{State: found}, err
	}
	use, err := a.runtime.Stats(ctx, found.ID)
	if err != nil {
		a.log.Debug("what a container uses cannot be read", "container", ref, "error", err)
		return dashboard.Inspection{State: found}, nil
	}
	return dashboard.Inspection{State: found, Use: &use}, nil
}

// greet says where the dashboard is, and in the demo what to try.
func (a *app) greet(w io.Writer) {
	page := a.dashboard.now().URL()
	switch {
	case a.demo:
		fmt.Fprintf(w, `LogStream monitors three small services that it runs itself, and repairs them.

  Dashboard  %[1]s
  Try        "Trigger disaster" on a card there, or from another terminal:
             curl -d '{"fault":"kill"}' -H 'Content-Type: application/json' %[1]s/api/v1/services/payment-service/chaos
  Event log  any Kafka client at %[2]s, such as: kcat -b %[2]s -t logstream.incidents
  Stop       Ctrl-C; this stops the services and deletes their data too

`, page, a.bus.Addr())
		return
	case a.console.terminal != nil:
		fmt.Fprintf(w, "LogStream monitors %s. Dashboard: %s  (Ctrl-C to stop)\n\n", plural(len(a.configured()), "service"), page)
	}
	a.log.Info("dashboard is listening", "url", page, "services", len(a.configured()), "instance", a.identity.Instance)
	if a.engine != nil {
		a.log.Info("Docker engine chosen", "address", a.engine.Host(), "chosen_by", a.engine.ChosenBy())
	}
}

// cli is the program of the command lines that are shown; the demo's services
// have none.
func (a *app) cli() string {
	if a.children != nil {
		return ""
	}
	return "docker"
}
