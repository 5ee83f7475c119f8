package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"logstream/internal/config"
	"logstream/internal/container"
	"logstream/internal/docker"
	"logstream/internal/event"
	"logstream/internal/newconfig"
	"logstream/internal/service"
	"logstream/internal/supervise"
	"logstream/monitor/check"
	"logstream/monitor/discover"
)

// initCommand writes a first configuration from the containers that run.
func initCommand() *cobra.Command {
	cmd := newCommand("init", "Write a config.yaml that monitors the containers that are running; it repairs nothing yet, and overwrites no file",
		"logstream init\nlogstream init --config new.yaml\nDOCKER_HOST=tcp://10.0.0.5:2376 logstream init")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := configPath(cmd)
		if _, err := os.Lstat(path); err == nil {
			return startupFailure{existsAlready(path)}
		}
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		engine, err := docker.New(docker.Default(), slog.New(slog.DiscardHandler))
		if err != nil {
			return startupFailure{fmt.Errorf("init: %w", err)}
		}
		file, err := newConfig(ctx, engine)
		if err != nil {
			return unread(err)
		}
		if os.Getenv("DOCKER_HOST") != "" {
			file.Engine = engine.Host()
		}
		content, err := validatedNew(&file)
		if err != nil {
			return fmt.Errorf("init: %w", err)
		}
		if err := writeNew(path, content); err != nil {
			return startupFailure{err}
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(initView{path, file.Services, append([]newconfig.LeftOut{}, file.LeftOut...)})
		}
		file.Table(cmd.OutOrStdout())
		fmt.Fprintf(cmd.OutOrStdout(), "\n%[1]s monitors %[2]s, and repairs nothing yet (mode observe). Next: logstream run --config %[1]s, and open http://%[3]s\n",
			path, plural(len(file.Services), "service"), file.Dashboard)
		return nil
	}
	return cmd
}

// unread is why the containers could not be listed. The remedy is doctor's: it knows
// by which setting the engine was chosen.
func unread(err error) error {
	var unreachable *container.UnavailableError
	if errors.As(err, &unreachable) {
		return fmt.Errorf("init: Docker is unreachable: %s; logstream doctor prints how to fix it", unreachable.Why)
	}
	return fmt.Errorf("init: the containers cannot be listed: %w; logstream doctor examines the engine", err)
}

// initView is what init prints with --json.
type initView struct {
	Config   string              `json:"config"`
	Services []newconfig.Service `json:"services"`
	LeftOut  []newconfig.LeftOut `json:"left_out"`
}

// validatedNew is the content of a file without errors: a service that has one
// is left out.
func validatedNew(file *newconfig.File) ([]byte, error) {
	for {
		content := file.Bytes()
		_, report := config.Parse(defaultConfig, content, func(string) (string, bool) { return "", false })
		if len(report.Errors) == 0 {
			return content, nil
		}
		first := report.Errors[0]
		place, is := placeOf(first.Key)
		if !is || place >= len(file.Services) {
			return nil, fmt.Errorf("the configuration would not be valid: %s", first) // a bug
		}
		file.Leave(place, fmt.Sprintf("%q %s", first.Value, first.Message))
	}
}

// engineToRead is what of an engine a configuration is made from.
type engineToRead interface {
	List(ctx context.Context) ([]container.Listed, error)
	Inspect(ctx context.Context, id string) (container.State, error)
	Ports(ctx context.Context, id string) ([]string, error)
}

// newConfig is a configuration of what runs on the engine: the services that
// discovery would find, each with a url where it publishes a port. A container
// with labels of ours is left to discovery.
func newConfig(ctx context.Context, engine engineToRead) (newconfig.File, error) {
	listed, err := engine.List(ctx)
	if err != nil {
		return newconfig.File{}, err
	}
	file := newconfig.File{Services: []newconfig.Service{}}
	byName := map[string]container.Listed{}
	var candidates []discover.Container
	for _, c := range listed {
		switch {
		case !c.Live() || c.Temporary || c.Self:
		case len(c.Labels) > 0:
			file.Labelled = true
			file.LeftOut = append(file.LeftOut, newconfig.LeftOut{Container: c.Name, Why: "its labels logstream.… make it a service by themselves (docker.discover)"})
		default:
			byName[c.Name] = c
			candidates = append(candidates, discover.Container{Listed: c})
		}
	}
	services, problems := discover.Rules{Mode: discover.All, Defaults: service.Default()}.Plan(candidates, nil)
	for _, p := range problems {
		file.LeftOut = append(file.LeftOut, newconfig.LeftOut{Container: p.Container, Why: p.Message})
	}
	names := shortNames(services)
	file.Services = make([]newconfig.Service, len(services))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookedAtOnce)
	for i, d := range services {
		of := byName[d.Container]
		into := &file.Services[i]
		*into = newconfig.Service{Name: names[d.Name], Group: d.Group, Container: d.Container, StoppedBy: of.StoppedBy, DependsOn: []string{}}
		for _, needed := range d.DependsOn {
			into.DependsOn = append(into.DependsOn, names[needed])
		}
		supervise.Go(ctx, group, "init", func(ctx context.Context) error { return inspect(ctx, engine, of.ID, into) })
	}
	if err := group.Wait(); err != nil {
		return file, err
	}
	ports, err := freePorts(5000, 9092)
	if err != nil {
		return file, err
	}
	file.Dashboard, file.Broker = ports[0], ports[1]
	return file, nil
}

// shortNames are the names of services without the number of a replica where it
// is the only one.
func shortNames(services []service.Definition) map[string]string {
	names, replicas := map[string]string{}, map[string]int{}
	for _, d := range services {
		names[d.Name] = d.Name
		if at := strings.LastIndex(d.Name, "/"); at > 0 {
			replicas[d.Name[:at]]++
		}
	}
	for _, d := range services {
		short := strings.TrimSuffix(d.Name, "/1")
		if _, taken := names[short]; short != d.Name && replicas[short] == 1 && !taken {
			names[d.Name] = short
		}
	}
	return names
}

const (
	lookedAtOnce = 8               // containers
	triedFor     = 2 * time.Second // one address
)

// inspect finds out how a container is monitored.
func inspect(ctx context.Context, engine engineToRead, id string, into *newconfig.Service) error {
	state, err := engine.Inspect(ctx, id)
	if errors.Is(err, container.ErrNotFound) {
		return nil // it ended meanwhile: its state says so
	}
	if err != nil {
		return err
	}
	into.HealthCheck = state.Health != ""
	addresses, err := engine.Ports(ctx, id)
	if err != nil && !errors.Is(err, container.ErrNotFound) {
		return err
	}
	inner := innerPorts(state.Published)
	tried := map[string]int{} // the code of each that speaks HTTP, by url
	for _, address := range addresses {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, port, _ := net.SplitHostPort(address); slices.Contains(notHTTP, inner[port]) {
			continue
		}
		if url, code := speaksHTTP(ctx, address); code != 0 {
			tried[url] = code
		}
	}
	switch {
	case len(tried) > 0:
		urls := slices.SortedFunc(maps.Keys(tried), func(a, b string) int {
			return cmp.Or(cmp.Compare(badness(tried[a]), badness(tried[b])), cmp.Compare(a, b))
		})
		into.URL = urls[0]
		into.Insecure = strings.HasPrefix(into.URL, "https://")
		into.AnyStatus = badness(tried[into.URL]) == 1
	case len(addresses) > 0:
		into.URL = "tcp://" + addresses[0]
	}
	return nil
}

// badness orders codes of HTTP: success, then what is an answer all the same,
// then failures of the server.
func badness(code int) int {
	switch {
	case code < http.StatusBadRequest:
		return 0
	case code < http.StatusInternalServerError:
		return 1
	}
	return 2
}

// notHTTP are ports inside of containers on which other protocols are spoken: a
// request of HTTP there would stand as an error in the log of the listener.
var notHTTP = []string{"22", "25", "53", "465", "587", "993", "1433", "1521", "1883", "3306", "5432", "5672", "6379", "9092", "11211", "27017"}

// innerPorts are the container's ports, by those of this machine that lead to
// them; published is as container.State has it.
func innerPorts(published string) map[string]string {
	inner := map[string]string{}
	for _, pair := range strings.Fields(published) {
		if outside, inside, is := strings.Cut(pair, ":"); is {
			inner[outside] = inside
		}
	}
	return inner
}

// speaksHTTP makes one request, and one over TLS where that may be what is spoken
// there. The code is 0 where no HTTP is spoken.
func speaksHTTP(ctx context.Context, address string) (url string, code int) {
	plain := request(ctx, "http", address)
	switch {
	case plain.Failure == event.FailureProtocol, plain.Failure == event.FailureReset, plain.Code == http.StatusBadRequest: // what servers of TLS answer
		if secure := request(ctx, "https", address); secure.Code != 0 {
			return "https://" + address, secure.Code
		}
	}
	if plain.Failure == event.FailureProtocol {
		return "", 0
	}
	return "http://" + address, plain.Code
}

func request(ctx context.Context, scheme, address string) event.Probe {
	def := service.Default()
	def.Name, def.URL, def.Timeout = address, scheme+"://"+address, triedFor
	def.TLS.Insecure = true
	seen, _ := probe(ctx, def, check.Env{Version: thisBuild().Version, Discreet: true}) // it has a check
	return seen
}

// existsAlready is why a file is not written.
func existsAlready(path string) error {
	return fmt.Errorf("%s exists and is not overwritten; give another file with --config", path)
}
