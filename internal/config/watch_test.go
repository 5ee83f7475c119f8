package config

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/internal/health"
	"logstream/internal/service"
)

// watched is a file that a Watcher follows.
type watched struct {
	t        *testing.T
	path     string
	registry *health.Registry
	watcher  *Watcher
	applied  chan Config
	refusal  error // of the function that applies
	log      lines
}

// lines are what was logged.
type lines chan string

func (l lines) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

func watch(t *testing.T, content string) *watched {
	t.Helper()
	w := &watched{t: t, path: filepath.Join(t.TempDir(), "config.yaml"), registry: &health.Registry{}, applied: make(chan Config, 10), log: make(lines, 100)}
	w.save(content)
	running, report := Load(w.path)
	if len(report.Errors) > 0 {
		t.Fatal(report)
	}
	w.watcher = NewWatcher(w.path, running, slog.New(slog.NewTextHandler(w.log, nil)), w.registry, func(next Config) error {
		if w.refusal == nil {
			w.applied <- next
		}
		return w.refusal
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.watcher.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// save replaces the file as an editor does: a new one under the old name.
func (w *watched) save(content string) {
	w.t.Helper()
	if err := os.WriteFile(w.path+"~", []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(w.path+"~", w.path); err != nil {
		w.t.Fatal(err)
	}
}

// reports waits until the registry's part config says something with want in it, or
// nothing where want is empty.
func (w *watched) reports(want string) {
	w.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		changed := w.registry.Changed()
		problem, is := w.registry.Get(health.Config)
		if want == "" && !is || want != "" && strings.Contains(problem.What, want) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			w.t.Fatalf("the registry says %q, want %q", problem.What, want)
		}
	}
}

func (w *watched) takes(want ...string) Config {
	w.t.Helper()
	began := time.Now()
	var next Config
	select {
	case next = <-w.applied:
		var names []string
		for _, s := range next.Services {
			names = append(names, s.Name)
		}
		if strings.Join(names, " ") != strings.Join(want, " ") {
			w.t.Fatalf("applied %q, want %q", names, want)
		}
	case <-time.After(5 * time.Second):
		w.t.Fatalf("nothing was applied, want %q", want)
	}
	if took := time.Since(began); took > time.Second {
		w.t.Errorf("took effect after %s", took)
	}
	return next
}

func TestASavedFileTakesEffect(t *testing.T) {
	w := watch(t, good)
	w.save("services: [{name: a, url: 'http://a'}, {name: b, url: 'http://b'}]")
	w.takes("a", "b")
	w.save("services: [{name: b, url: 'http://b', interval: 4s}]")
	if next := w.takes("b"); len(next.Services) != 1 || next.Services[0].Interval != 4*time.Second {
		t.Errorf("applied %+v", next.Services)
	}
	w.save("defaults: {timeout: 3s}\nservices: [{name: b, url: 'http://b', interval: 4s}]")
	w.takes("b")
	w.save("services: []")
	w.takes()
}

func TestABadEditChangesNothing(t *testing.T) {
	w := watch(t, good)
	w.save("services: [{name: a, url: 'http://a', intervall: 2s}]")
	w.reports("config.yaml:1:39: services[0].intervall: unknown key; did you mean interval?")
	if list := w.watcher.Findings(); len(list) == 0 || list[0].Line == 0 || list[0].Suggestion != "interval" {
		t.Errorf("the errors are %+v", list)
	}
	if !strings.Contains(w.watcher.Problem(), "intervall") || len(w.applied) != 0 {
		t.Errorf("the problem is %q, and %d changes were applied", w.watcher.Problem(), len(w.applied))
	}
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	w.reports("does not exist")
	w.save(good)
	w.reports("")
	if w.watcher.Problem() != "" || len(w.watcher.Findings()) != 0 || len(w.applied) != 0 {
		t.Errorf("the problem is %q, and %d changes were applied", w.watcher.Problem(), len(w.applied))
	}
}

func TestEverySectionTakesEffect(t *testing.T) {
	w := watch(t, good)
	w.save("services: [{name: b, url: 'http://b'}]\nhealer: {mode: auto}\nbus: {embedded: {max_size: 8MiB}}")
	next := w.takes("b")
	if next.Healer.Mode != service.Auto || next.Bus.Embedded.MaxSize != 8<<20 {
		t.Errorf("applied %+v", next)
	}
	w.save("services: [{name: b, url: 'http://b'}]\n")
	if next = w.takes("b"); next.Healer.Mode != service.Observe {
		t.Errorf("applied %+v", next)
	}
}

func TestWhatCannotBeAppliedStaysReportedUntilTheNextEdit(t *testing.T) {
	w := watch(t, good)
	w.refusal = errors.New("dashboard: the address is in use")
	w.save(good + "\ndashboard: {listen: '127.0.0.1:5001'}")
	w.reports("config.yaml: dashboard: the address is in use")
	if !strings.Contains(w.watcher.Problem(), "in use") {
		t.Errorf("the problem is %q", w.watcher.Problem())
	}
	w.refusal = nil
	w.save(good + "\ndashboard: {listen: '127.0.0.1:5002'}")
	w.reports("")
	if next := <-w.applied; next.Dashboard.Listen != "127.0.0.1:5002" {
		t.Errorf("applied %+v", next.Dashboard)
	}
}

func TestARefusedConfigurationIsNotTriedAgain(t *testing.T) {
	w := watch(t, good)
	w.save("services: [{name: b, url: 'http://b'}]")
	refused := w.takes("b")
	running, _ := Parse(w.path, []byte(good), os.LookupEnv)
	applied := make(chan Config, 1)
	again := NewWatcher(w.path, running, slog.New(slog.DiscardHandler), &health.Registry{}, func(next Config) error { applied <- next; return nil })
	again.Refuse(refused, "the port is taken")
	ctx, cancel := context.WithTimeout(t.Context(), 3*readEvery)
	defer cancel()
	if err := again.Run(ctx); err != nil || len(applied) != 0 || again.Problem() != "the port is taken" {
		t.Errorf("%v, applied %d, the problem is %q", err, len(applied), again.Problem())
	}
}

func TestWorldWritableFileIsWarnedAbout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]int{0o644: 0, 0o660: 0, 0o666: 1, 0o602: 1} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, report := Load(path)
		if len(report.Warnings) != want || want == 1 && !strings.Contains(report.Warnings[0].String(), "chmod o-w "+path) {
			t.Errorf("mode %o: %v", mode, report.Warnings)
		}
	}
}

func TestWarningsAreLoggedAtTheStartAndAfterAnEdit(t *testing.T) {
	w := watch(t, "services: [{name: a, url: 'http://a', interval: 1s, timeout: 2s}]")
	warned := func(want string) {
		t.Helper()
		for {
			select {
			case line := <-w.log:
				if strings.Contains(line, "level=WARN") && strings.Contains(line, want) {
					return
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("no warning says %q", want)
			}
		}
	}
	warned("services[0].timeout")
	w.save("services: []")
	w.takes()
	warned("nothing is monitored")
}
