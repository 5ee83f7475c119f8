package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/internal/config"
	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// probeCommand checks a service once, and shows the result in detail.
func probeCommand() *cobra.Command {
	cmd := newCommand("probe <service>", "Check a service of the configuration once, and report it in detail; exit code 0 if it is UP",
		"logstream probe payment-service\nlogstream probe payment-service --json")
	cmd.ValidArgsFunction = completeNames(configuredServices)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, _, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		def, err := named(cmd, c.Services, args[0])
		if err != nil {
			return err
		}
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		seen, err := probe(ctx, def, check.Env{Version: thisBuild().Version, Detail: true})
		if err != nil {
			return startupFailure{fmt.Errorf("probe: %w", err)}
		}
		if *asJSON {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(seen) // a closed output needs no error
		} else {
			printProbe(cmd.OutOrStdout(), seen)
		}
		if seen.Status != event.Up {
			return errPrinted
		}
		return nil
	}
	return cmd
}

// named is the service of that name.
func named(cmd *cobra.Command, services []service.Definition, name string) (service.Definition, error) {
	names := make([]string, len(services))
	for i, s := range services {
		if names[i] = s.Name; s.Name == name {
			return s, nil
		}
	}
	if near := nearest.Of(name, names); near != "" {
		return service.Definition{}, usageFailure(cmd, "unknown service %q; did you mean %q?", name, near)
	}
	return service.Definition{}, usageFailure(cmd, "unknown service %q; %s has %s", name, configPath(cmd), plural(len(names), "service"))
}

// probe checks def once. An error says why there is nothing to check.
func probe(ctx context.Context, def service.Definition, env check.Env) (event.Probe, error) {
	kind, is := check.Of(def.URL)
	switch {
	case def.Scheme() == service.SchemePush:
		return event.Probe{}, fmt.Errorf("%q reports by itself (%s): LogStream does not check it", def.Name, service.MaskURL(def.URL))
	case !is:
		return event.Probe{}, fmt.Errorf("%q has no check to run: its status is the state of its container %s", def.Name, cmp.Or(def.Container, strings.TrimPrefix(def.URL, "docker://")))
	}
	checker := kind.New(def, env)
	defer checker.Close()
	seen := checker.Check(ctx)
	result := event.Probe{Service: def.Name, URL: service.MaskURL(def.URL), Check: kind.Name, Status: seen.Status, Code: seen.Code,
		LatencyMS: float64(seen.Took.Microseconds()) / 1000, Error: seen.Error, Failure: seen.Failure, Detail: []event.ProbeDetail{}}
	if seen.Unknown != nil {
		result.Status, result.Error = event.Unknown, "the check could not be made: "+seen.Unknown.Error()
	}
	for _, d := range seen.Detail {
		result.Detail = append(result.Detail, event.ProbeDetail(d))
	}
	return result, nil
}

// printProbe is a probe as a person reads it.
func printProbe(out io.Writer, seen event.Probe) {
	icon := map[event.Status]string{event.Up: "🟢", event.Degraded: "🟡", event.Down: "🔴"}[seen.Status]
	if icon == "" {
		icon = "⚪"
	}
	fmt.Fprintf(out, "%s %s\n\n", icon, because(fmt.Sprintf("%s is %s", seen.Service, seen.Status), seen.Error))
	lines := slices.Concat([]event.ProbeDetail{{Key: "url", Value: seen.URL}, {Key: "check", Value: seen.Check}}, seen.Detail)
	if seen.Failure != "" {
		lines = append(lines, event.ProbeDetail{Key: "failure", Value: string(seen.Failure)})
	}
	for _, line := range lines {
		fmt.Fprintf(out, "  %-16s %s\n", line.Key, line.Value)
	}
}

// longestProbe is how long a check of the API may take: the dashboard gives an
// answer half a minute.
const longestProbe = 20 * time.Second

// probeDefinition checks a definition that an operator sent to the API. Its
// check connects to wherever the definition says, from this machine: that is
// what it is for, and why only operators may. It sends GET or HEAD alone, and no body,
// reads no file of this machine, and shows nothing of what an answer holds.
// An error says what is wrong with the definition.
func probeDefinition(ctx context.Context, definition json.RawMessage) (event.Probe, error) {
	def, err := config.Definition(definition)
	if err != nil {
		return event.Probe{}, err
	}
	kind, _ := check.Of(def.URL)
	switch {
	case def.TLS.CA != "" || def.TLS.Cert != "":
		return event.Probe{}, errors.New("service.tls: only server_name and insecure are allowed here: the API reads no files")
	case kind.Local:
		return event.Probe{}, fmt.Errorf("service.url: %s:// reads this machine's files, which the API does not allow; use logstream probe", def.Scheme())
	case def.Timeout > longestProbe:
		return event.Probe{}, fmt.Errorf("service.timeout: must be at most %s here", longestProbe)
	case !slices.Contains([]string{"", http.MethodGet, http.MethodHead}, def.Request.Method):
		return event.Probe{}, errors.New("service.request.method: only GET and HEAD are allowed here, because others may change something; use logstream probe")
	case def.Request.Body != "":
		return event.Probe{}, errors.New("service.request.body: none is allowed here, because it may change something; use logstream probe")
	}
	return probe(ctx, def, check.Env{Version: thisBuild().Version, Detail: true, Discreet: true})
}
