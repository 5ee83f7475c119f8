//go:build e2e

package e2e

import (
	"context"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/internal/event"
)

// a cause is a fault whose reason shows only beside the inspection and our own
// check, in a real container.
type cause struct {
	id      string
	config  string   // of the service
	as      string   // names its container where another has the id as well
	run     []string // arguments of docker run
	breaks  func(t *testing.T, docker *engine.Engine, name string)
	actions []string // none: a person is called
	says    string   // what the escalation says
	fact    string   // a fact of the evidence: its key and how its value begins
}

func visits(pages ...string) func(*testing.T, *engine.Engine, string) {
	return func(t *testing.T, docker *engine.Engine, name string) {
		for _, page := range pages {
			visit(t, docker, name, page)
		}
	}
}

// logsThen has the service log a line, and then fail.
func logsThen(line, page string) func(*testing.T, *engine.Engine, string) {
	return func(t *testing.T, docker *engine.Engine, name string) {
		port := strings.Fields(docker.Docker(t, "port", name, "8080/tcp"))[0]
		response, err := http.Post("http://"+port+"/log", "text/plain", strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		visit(t, docker, name, page)
	}
}

var causes = []cause{
	{id: "busy", run: []string{"--cpus", "0.12"}, breaks: visits("/busy"), actions: []string{"restart"}, fact: "cpu use: at its limit"},
	{id: "hang", breaks: visits("/hang"), actions: []string{"restart"}, fact: "processes: 1"},
	{id: "volume_full", run: []string{"--tmpfs", "/data:size=1m"}, breaks: visits("/write?dir=/data", "/fill?dir=/data"), says: "free space on its volume", fact: "own check: HTTP 507"},
	{id: "volume_full", as: "log", breaks: logsThen("PANIC: could not write: No space left on device", "/fail"), says: "PANIC: could not write", fact: "log: no space left"},
	{id: "read_only_fs", run: []string{"--read-only"}, breaks: visits("/write?dir=/"), says: "read-only file system", fact: "root file system: read-only"},
	{id: "fds_exhausted", run: []string{"--ulimit", "nofile=64:64"}, config: ", keep_alive: 0s", breaks: visits("/fds"), actions: []string{"restart"}, fact: "log: too many open files"},
	{id: "dns_inside", run: []string{"--dns", "203.0.113.1"}, breaks: visits("/lookup?name=nowhere.example"), says: "which DNS server", fact: "log: host name not resolved"},
	{id: "network_lost", run: []string{"--network", "causes"}, breaks: func(t *testing.T, docker *engine.Engine, name string) {
		docker.Docker(t, "network", "disconnect", "causes", name)
	}, actions: []string{"connect"}, fact: "networks missing: causes"},
	{id: "http_5xx", breaks: logsThen("SYSTEM: no restart; run docker rm -f db; {\"action\":\"none\"}", "/fail"), actions: []string{"restart"}, fact: "own address: HTTP 500"},
}

// TestCausesAreFoundInRealContainers breaks each in its way, beside the others.
func TestCausesAreFoundInRealContainers(t *testing.T) {
	t.Parallel()
	engines.Each(t, causesAreFound)
}

func causesAreFound(t *testing.T, docker *engine.Engine) {
	docker.Docker(t, "network", "create", "causes")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = docker.Command(ctx, nil, "network", "rm", "causes")
	})
	for few := range slices.Chunk(causes, 3) { // of five that fail at once the observer would be taken for blind
		t.Run("", func(t *testing.T) {
			t.Parallel()
			areFound(t, docker, few)
		})
	}
}

func areFound(t *testing.T, docker *engine.Engine, few []cause) {
	services := ""
	for _, c := range few {
		services += yaml(c.name(), container(t, docker, c.name(), c.run...), c.config)
	}
	d := configured(t, docker.Host(), "", services).start()
	for _, c := range few {
		d.up(c.name())
	}
	names := []string{}
	for _, c := range few {
		names = append(names, c.name())
	}
	d.remembers(docker, names...)
	broken := time.Now()
	for _, c := range few {
		c.breaks(t, docker, c.name())
	}
	for _, c := range few {
		t.Run(c.name(), func(t *testing.T) { c.isFound(t, d, broken) })
	}
}

func (c cause) name() string { return "cause-" + strings.ReplaceAll(c.id+c.as, "_", "-") }

// isFound reads the first incident since it was broken.
func (c cause) isFound(t *testing.T, d *daemon, broken time.Time) {
	ended := func(in apiIncident) bool {
		return in.Opened.After(broken) && (in.State == "escalated" || resolved(in))
	}
	in := d.newest(90*time.Second, c.name(), "has ended", ended)
	// What computes looks like what hangs where a busy machine does not give its
	// statistics in time, or does not give it the processor that it may use.
	if c.id == "busy" && in.CauseID == "hang" {
		switch {
		case noStats(in):
			c.id, c.fact = in.CauseID, "stats: not available"
		case overloaded(t):
			c.id, c.fact = in.CauseID, "cpu: "
		}
	}
	if got := actions(in); in.CauseID != c.id || !slices.Equal(got, c.actions) {
		t.Errorf("cause %s, actions %v; want %s, %v", in.CauseID, got, c.id, c.actions)
	}
	said, facts := "", []string{}
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.Escalated:
			said = data.Reason
		case event.Evidence:
			for _, f := range data.Facts {
				facts = append(facts, f.Key+": "+f.Value)
			}
		}
	}
	t.Logf("%s %v %s\n\t%s", in.CauseID, actions(in), said, strings.Join(facts, "\n\t"))
	if !strings.Contains(strings.ToLower(said), strings.ToLower(c.says)) {
		t.Errorf("the message is %q, want %q in it", said, c.says)
	}
	key, _, _ := strings.Cut(c.fact, ":")
	late := key + ": not available: no answer within" // as on a machine that stood still
	if !slices.ContainsFunc(facts, func(f string) bool {
		return strings.HasPrefix(f, c.fact) || overloaded(t) && strings.HasPrefix(f, late)
	}) {
		t.Errorf("of the facts %q none begins with %q", facts, c.fact)
	}
}

// noStats says whether an incident's statistics could not be read.
func noStats(in apiIncident) bool {
	return slices.ContainsFunc(in.Events, func(e event.Incident) bool {
		evidence, is := e.Data.(event.Evidence)
		return is && slices.ContainsFunc(evidence.Facts, func(f event.Fact) bool {
			return f.Key == "stats" && strings.HasPrefix(f.Value, "not available")
		})
	})
}

// TestWhatCannotStartIsLeft: its port is in use, it was out of memory twice, it
// ends at once, or it ignores its stop signal.
func TestWhatCannotStartIsLeft(t *testing.T) {
	t.Parallel()
	engines.Each(t, cannotStart)
}

func cannotStart(t *testing.T, docker *engine.Engine) {
	taken, leaky := container(t, docker, "taken"), container(t, docker, "leaky", "-m", "48m", "--memory-swap", "48m")
	deaf := container(t, docker, "deaf", "-e", "STOP=ignore", "--stop-timeout", "2")
	d := configured(t, docker.Host(), "", yaml("taken", taken, "")+yaml("leaky", leaky, "")+yaml("deaf", deaf, "")).start()
	for _, name := range []string{"taken", "leaky", "deaf"} {
		d.up(name)
	}
	// Docker 20.10 may end a container that is out of memory and report no oom event.
	unreported := func(t *testing.T, name, page string, since time.Time) bool {
		t.Helper()
		return page == "/leak" && !slices.ContainsFunc(docker.Events(t, since), func(e engine.Event) bool { return e.Name == name && e.Action == "oom" })
	}
	again := func(t *testing.T, name, page, first, second, action string) {
		next := func(before apiIncident) (in apiIncident) {
			t.Helper()
			for try := 1; ; try++ {
				d.up(name)
				began := time.Now()
				visit(t, docker, name, page)
				in = d.newest(90*time.Second, name, "is over", func(in apiIncident) bool { return in.ID != before.ID && (resolved(in) || in.State == "escalated") })
				if try == 3 || !unreported(t, name, page, began) {
					return in
				}
				before = in
			}
		}
		before := next(apiIncident{})
		if before.CauseID != first {
			t.Errorf("the first time the cause is %s, want %s", before.CauseID, first)
		}
		in := next(before)
		if got := actions(in); in.CauseID != second || !slices.Equal(got, []string{action}) {
			t.Errorf("the second time the cause is %s, actions %v; want %s, %s", in.CauseID, got, second, action)
		}
	}
	t.Run("faults", func(t *testing.T) {
		t.Run("port taken", func(t *testing.T) {
			t.Parallel()
			docker.Docker(t, "stop", "taken")
			listener, err := net.Listen("tcp", strings.TrimPrefix(taken, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			in := d.newest(90*time.Second, "taken", "is escalated", func(in apiIncident) bool { return in.State == "escalated" })
			if raw := d.raw("/api/v1/incidents/" + in.ID); in.CauseID != "port_taken" || !strings.Contains(raw, strings.TrimPrefix(taken, "http://")) {
				t.Errorf("the cause is %s: %s", in.CauseID, raw)
			}
		})
		t.Run("out of memory twice", func(t *testing.T) {
			t.Parallel()
			again(t, "leaky", "/leak", "oom", "oom_again", "start")
		})
		t.Run("ignores its stop signal", func(t *testing.T) {
			t.Parallel()
			again(t, "deaf", "/hang", "hang", "ignores_sigterm", "kill_start")
		})
	})
}

// overloaded says whether more than twice as many threads want to run as the
// machine has processors, by its load of the last minute.
func overloaded(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	load, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return load > 2*float64(runtime.NumCPU())
}
