package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/docker"
	"logstream/internal/docker/rights"
	"logstream/internal/health"
)

// host is an engine in memory: these tests have none.
type host struct {
	about   docker.About
	err     error
	refused map[rights.Use]string // a call of that use
	list    []container.Listed
	states  map[string]container.State
}

func (h host) Host() string                                     { return "unix:///run/test.sock" }
func (h host) ChosenBy() string                                 { return "a test" }
func (h host) About(context.Context) (docker.About, error)      { return h.about, h.err }
func (h host) List(context.Context) ([]container.Listed, error) { return h.list, nil }

func (h host) Rights(context.Context) ([]docker.Right, error) {
	all := []docker.Right{{Call: "GET /info", For: rights.Observe, Allowed: true}}
	for use, call := range h.refused {
		all = append(all, docker.Right{Call: call, For: use})
	}
	return all, nil
}

func (h host) Find(_ context.Context, ref string) (container.State, error) {
	if ref == "two" {
		return container.State{}, &container.AmbiguousError{Ref: ref, Candidates: []string{"a", "b"}}
	}
	state, is := h.states[ref]
	if !is {
		return state, container.ErrNotFound
	}
	return state, nil
}

// healthy is a subject with nothing to report.
func healthy(t *testing.T) (*Subject, *host) {
	now := time.Now()
	h := &host{about: docker.About{Version: "29.0.0", API: "1.52", Clock: now, Asked: now},
		states: map[string]container.State{"web": {RestartPolicy: "always"}},
		list:   []container.Listed{{Name: "web", Image: "nginx", Status: container.Running}}}
	return &Subject{Path: "config.yaml", Exists: true, Engine: h,
		Settings: Settings{Services: []Service{{"shop", "web"}, {"page", ""}}, Mode: "auto", Data: t.TempDir(), LogBytes: 1 << 20,
			Listen: []Address{{"dashboard.listen", "127.0.0.1:0"}}},
		Kafka: func(context.Context) (Kafka, error) {
			return Kafka{Address: "kafka:9092", Topics: []Topic{{Name: "system-logs"}, {Name: "logstream.dead-letters", Missing: true}}}, nil
		},
		Model: func(context.Context) Model { return Model{Name: "m", Took: 1234 * time.Millisecond} },
	}, h
}

func examined(t *testing.T, s *Subject) []Result {
	t.Helper()
	var all []Result
	Examine(t.Context(), s, func(r Result) { all = append(all, r) })
	return all
}

// expect fails the test unless one result of a part is of that level and says,
// and has fixed by, what is wanted.
func expect(t *testing.T, all []Result, part string, level Level, says, fixedBy string) {
	t.Helper()
	for _, r := range all {
		if r.Part == part && r.Level == level && strings.Contains(r.Message, says) && strings.Contains(r.Fix.String(), fixedBy) {
			return
		}
	}
	t.Errorf("no %s of %s says %q with the fix %q, but %+v", level, part, says, fixedBy, all)
}

func TestEveryCheckOfAHealthySubjectIsOneLine(t *testing.T) {
	s, _ := healthy(t)
	all := examined(t, s)
	if len(all) != len(Checks) {
		t.Errorf("%d results of %d checks", len(all), len(Checks))
	}
	for i, r := range all {
		onMachine := r.Part == "clock" // a test's machine may have no time service
		if r.Part != Checks[i].Part || r.Level != OK && !onMachine || r.Level == OK && strings.Count(r.Line(), "\n") != 1 || strings.HasSuffix(r.Message, ".") {
			t.Errorf("%s: %q", Checks[i].Part, r.Line())
		}
	}
	expect(t, all, "containers", OK, "each container of the configuration exists (1); Docker restarts 1 of them", "")
	expect(t, all, "topics", OK, "1 of 2 topics exist, without a fault; the others are created", "")
	expect(t, all, "model", OK, "answered a test question in 1.2s", "")
}

func TestEachFaultIsSaidWithItsFix(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	topics := func(all ...Topic) func(context.Context) (Kafka, error) {
		return func(context.Context) (Kafka, error) { return Kafka{Address: "kafka:9092", Topics: all}, nil }
	}
	for name, c := range map[string]struct {
		change  func(*Subject, *host)
		part    string
		level   Level
		says    string
		fixedBy string
	}{
		"no file":        {func(s *Subject, _ *host) { s.Exists = false }, "config", Fail, "config.yaml does not exist", "logstream init --config config.yaml"},
		"errors":         {func(s *Subject, _ *host) { s.Errors = []string{"config.yaml:1:2: a", "b", "c"} }, "config", Fail, "config.yaml:1:2: a (and 2 more)", "logstream check"},
		"a warning":      {func(s *Subject, _ *host) { s.Warnings = []string{"config.yaml:1:2: warning: a"} }, "config", Warn, "warning: a", "logstream check"},
		"a file as data": {func(s *Subject, _ *host) { s.Settings.Data = file }, "data", Fail, "is a file", "mv " + file},
		"below a file":   {func(s *Subject, _ *host) { s.Settings.Data = filepath.Join(file, "x") }, "data", Fail, "not a directory", "ls -ld"},
		"a huge log":     {func(s *Subject, _ *host) { s.Settings.LogBytes = 1 << 60 }, "disk", Warn, "LogStream may need 1.0 EiB", "docker system df"},
		"a port in use":  {func(s *Subject, _ *host) { s.Settings.Listen = []Address{{"dashboard.listen", taken.Addr().String()}} }, "ports", Fail, "in use by another program", "sudo ss -ltnp"},
		"another's":      {func(s *Subject, _ *host) { s.Settings.Listen = []Address{{"dashboard.listen", "192.0.2.1:5000"}} }, "ports", Fail, "nothing can listen on 192.0.2.1:5000", "ip -brief address"},
		"no Kafka": {func(s *Subject, _ *host) {
			s.Kafka = func(context.Context) (Kafka, error) {
				return Kafka{Address: "kafka:9092"}, errors.New("Kafka is unreachable at kafka:9092")
			}
		}, "kafka", Fail, "unreachable", "nc -vz kafka 9092"},
		"an instance": {func(s *Subject, _ *host) {
			s.Kafka = func(context.Context) (Kafka, error) {
				return Kafka{Embedded: true, Address: "127.0.0.1:9092", Running: "pid 7"}, nil
			}
		}, "data", OK, "the running instance (pid 7)", ""},
		"partitions": {func(s *Subject, _ *host) { s.Kafka = topics(Topic{Name: "t", Fault: TopicPartitions, Have: "3"}) }, "topics", Fail, "has 3 partitions", "--delete --topic t"},
		"compaction": {func(s *Subject, _ *host) {
			s.Kafka = topics(Topic{Name: "t", Fault: TopicCompacted, Setting: "cleanup.policy", Have: "compact", Want: "delete"})
		}, "topics", Fail, "compact", "--add-config cleanup.policy=delete"},
		"no compaction": {func(s *Subject, _ *host) {
			s.Kafka = topics(Topic{Name: "t", Fault: TopicDeletes, Setting: "cleanup.policy", Have: "delete", Want: "compact"})
		}, "topics", Warn, "are deleted", "cleanup.policy=compact"},
		"short retention": {func(s *Subject, _ *host) {
			s.Kafka = topics(Topic{Name: "t", Fault: TopicShort, Setting: "retention.ms", Have: "60000", Want: "7776000000"})
		}, "topics", Warn, "for 1m0s, and should keep them for 90 days", "retention.ms=7776000000"},
		"for ever": {func(s *Subject, _ *host) {
			s.Kafka = topics(Topic{Name: "t", Fault: TopicShort, Setting: "retention.ms", Have: "60000", Want: "-1"})
		}, "topics", Warn, "should keep them for ever", "retention.ms=-1"},
		"no context": {func(s *Subject, _ *host) {
			s.Engine, s.NoEngine = nil, errors.New(`use the docker context "x": it doesn't exist`)
		}, "docker", Fail, "doesn't exist", "docker context ls"},
		"no permission": {func(_ *Subject, h *host) {
			h.err = &container.UnavailableError{Why: "permission denied at unix:///run/test.sock", Remedy: health.Remedy{Text: "add yourself", Command: "sudo usermod -aG docker $USER"}}
		}, "docker", Fail, "permission denied at unix:///run/test.sock (chosen by a test)", "sudo usermod -aG docker $USER"},
		"no info":       {func(_ *Subject, h *host) { h.err = errors.New("the engine refused: 403") }, "docker", Fail, "refused: 403", "docker info"},
		"an old engine": {func(_ *Subject, h *host) { h.about.API = "1.39" }, "docker", Warn, "older than Docker 20.10", "docker version"},
		"no events":     {func(_ *Subject, h *host) { h.refused = map[rights.Use]string{rights.Observe: "GET /events"} }, "rights", Fail, "GET /events", "proxy"},
		"no restart": {func(_ *Subject, h *host) {
			h.refused = map[rights.Use]string{rights.Repair: "POST /containers/{id}/restart"}
		}, "rights", Fail, "repairs make: POST", "proxy"},
		"no create": {func(_ *Subject, h *host) {
			h.refused = map[rights.Use]string{rights.Change: "POST /containers/create"}
		}, "rights", Warn, "change a container", "proxy"},
		"no pause": {func(_ *Subject, h *host) {
			h.refused = map[rights.Use]string{rights.Fault: "POST /containers/{id}/pause"}
		}, "rights", Warn, "inject faults", "proxy"},
		"another clock": {func(_ *Subject, h *host) { h.about.Clock = h.about.Asked.Add(5 * time.Second) }, "clock", Warn, "by 5s", "set-ntp"},
		"a wrong clock": {func(_ *Subject, h *host) { h.about.Clock = h.about.Asked.Add(-time.Hour) }, "clock", Fail, "by 1h0m0s", "set-ntp"},
		"no container":  {func(_ *Subject, h *host) { h.states = nil }, "containers", Warn, `there is no container "web"`, "docker ps -a"},
		"two":           {func(s *Subject, _ *host) { s.Settings.Services[0].Container = "two" }, "containers", Fail, "names 2 containers (a, b)", "docker ps -a"},
		"none named":    {func(s *Subject, _ *host) { s.Settings.Services = s.Settings.Services[1:] }, "containers", Warn, "nothing can be repaired", "docker ps"},
		"autoheal":      {func(_ *Subject, h *host) { h.list[0].Image = "willfarrell/autoheal:latest" }, "rivals", Warn, "restarts containers, too", "docker stop web"},
		"watchtower":    {func(_ *Subject, h *host) { h.list[0].Image = "nickfedor/watchtower" }, "rivals", OK, "updates containers", ""},
		"a stopped one": {func(_ *Subject, h *host) {
			h.list[0].Image, h.list[0].Status = "willfarrell/autoheal", container.Exited
		}, "rivals", OK, "no other program", ""},
		"Podman":          {func(_ *Subject, h *host) { h.about.Podman = true }, "rivals", Warn, "--health-on-failure", "podman inspect"},
		"a hostile image": {func(_ *Subject, h *host) { h.list[0].Image = "autoheal\x1b[2J\nfail  x" }, "rivals", Warn, "(autoheal fail  x)", "docker stop"},
		"no model": {func(s *Subject, _ *host) {
			s.Model = func(context.Context) Model {
				return Model{Name: "m", Problem: "Ollama has no model m", Fix: health.Remedy{Command: "ollama pull m"}}
			}
		}, "model", Warn, "Ollama has no model m", "ollama pull m"},
		"a late model": {func(s *Subject, _ *host) {
			s.Model = func(context.Context) Model {
				return Model{Name: "m", Problem: "it did not answer within 20s", Late: true}
			}
		}, "model", Warn, "within 20s", "healer.llm.timeout"},
		"no model wanted": {func(s *Subject, _ *host) { s.Model = nil }, "model", OK, "runbook", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := healthy(t)
			c.change(s, h)
			all := examined(t, s)
			expect(t, all, c.part, c.level, c.says, c.fixedBy)
			for _, r := range all {
				lines := map[Level]int{OK: 1, Warn: 2, Fail: 2}[r.Level]
				if strings.Count(r.Line(), "\n") != lines {
					t.Errorf("a result has not %d lines: %q", lines, r.Line())
				}
			}
		})
	}
}

func TestASecretThatOthersReadIsReported(t *testing.T) {
	s, _ := healthy(t)
	path := filepath.Join(s.Settings.Data, "secret")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // whatever the umask
		t.Fatal(err)
	}
	expect(t, examined(t, s), "data", Warn, "mode 0644", "chmod 600 "+path)
}

func TestResultAsJSON(t *testing.T) {
	got, err := json.Marshal(Result{Part: "model", Level: Warn, Message: "m", Fix: health.Remedy{Text: "start Ollama", Command: "ollama serve"}})
	if want := `{"part":"model","ok":true,"level":"warn","message":"m","fix":"start Ollama: ollama serve","command":"ollama serve"}`; err != nil || string(got) != want {
		t.Errorf("it is %s, %v; want %s", got, err, want)
	}
	if got := Summary([]Result{{Level: OK}, {Level: Warn}, {Level: Fail}, {Level: Fail}}); got != "1 ok, 1 warning, 2 failures" {
		t.Errorf("the summary is %q", got)
	}
}
