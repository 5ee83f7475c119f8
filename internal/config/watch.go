package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"time"

	"logstream/internal/health"
	"logstream/internal/service"
)

const (
	readEvery = 200 * time.Millisecond // a saved file takes effect after two readings
	maxLogged = 20                     // errors, or warnings, of one edit
)

// Watcher is an actor that follows the configuration file of a running
// process. What it finds changed in services takes effect; for the rest it
// says that a restart is needed; a bad edit changes nothing and is reported.
type Watcher struct {
	path     string
	log      *slog.Logger
	registry *health.Registry
	apply    func([]service.Definition)

	mu       sync.Mutex
	started  Config // what the process was started with, services aside
	services []service.Definition
	problem  string // why the newest file is not in use, or empty
}

// NewWatcher follows the file at path, which gave running. apply gets
// all services at every change of one, and must not block for long.
func NewWatcher(path string, running Config, log *slog.Logger, registry *health.Registry, apply func([]service.Definition)) *Watcher {
	return &Watcher{path: path, started: running, services: running.Services, log: log.With("component", "config"), registry: registry, apply: apply}
}

// Problem says why the newest file is not in use; empty where it is.
func (w *Watcher) Problem() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problem
}

// version is what the file was at one moment.
type version struct {
	sum    [sha256.Size]byte
	failed string // why it could not be read
}

// Run reads the file again and again until ctx ends, and logs the warnings of
// each version, the first one included. It compares the content and
// not times or names, so that it doesn't matter how an editor replaces the file,
// and waits until two readings are the same, because an editor may be in the
// middle.
func (w *Watcher) Run(ctx context.Context) error {
	ticker := time.NewTicker(readEvery)
	defer ticker.Stop()
	var last, settled version // the first one counts as a change: the file may have changed since the start
	for {
		content, now := w.read()
		if now == last && now != settled {
			settled = now
			w.changed(content, now.failed)
		}
		last = now
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (w *Watcher) read() ([]byte, version) {
	content, unreadable := read(w.path)
	if unreadable != nil {
		return nil, version{failed: unreadable.String()}
	}
	return content, version{sum: sha256.Sum256(content)}
}

// changed puts a new content in use, or says why not.
func (w *Watcher) changed(content []byte, failed string) {
	if failed != "" {
		w.log.Error("configuration file cannot be read; the previous configuration stays in use", "error", failed)
		w.refuse(failed)
		return
	}
	next, report := Parse(w.path, content, os.LookupEnv)
	if errs := report.Errors; len(errs) > 0 {
		for _, f := range errs[:min(len(errs), maxLogged)] {
			w.log.Error("edited configuration has errors; the previous configuration stays in use", "error", f.String())
		}
		what := errs[0].String()
		if len(errs) > 1 {
			what += fmt.Sprintf(" (and %d more)", len(errs)-1)
		}
		w.refuse(what)
		return
	}
	for _, f := range report.Warnings[:min(len(report.Warnings), maxLogged)] {
		w.log.Warn("configuration warning", "warning", f.String())
	}
	w.accept(next)
}

// refuse keeps the running configuration and reports why.
func (w *Watcher) refuse(what string) {
	w.mu.Lock()
	w.problem = what
	w.mu.Unlock()
	w.registry.Report(health.Problem{Part: health.Config, What: what,
		Works:  "Everything, with the previous configuration.",
		OnHold: "The changes in " + filepath.Base(w.path) + ".",
		Remedy: health.Remedy{Text: "Correct the file and save it; this command lists every error", Command: "logstream check --config " + w.path}})
}

// accept puts the services of next in use, and reports what needs a restart.
func (w *Watcher) accept(next Config) {
	w.mu.Lock()
	differ := !sameServices(w.services, next.Services)
	w.problem, w.services = "", next.Services
	w.mu.Unlock()
	if differ {
		w.log.Info("edited services applied", "services", len(next.Services))
		w.apply(next.Services)
	}
	sections := w.needRestart(next)
	if len(sections) == 0 {
		w.registry.Clear(health.Config)
		return
	}
	names := strings.Join(sections, ", ")
	w.log.Warn("restart logstream to apply these sections", "sections", names)
	w.registry.Report(health.Problem{Part: health.Config,
		What:   names + " changed in " + filepath.Base(w.path) + ": restart logstream to apply that",
		Works:  "Everything; changes of services are applied already.",
		OnHold: "The changes of " + names + ".",
		Remedy: health.Remedy{Text: "Restart logstream."}})
}

// needRestart are the sections that differ from those the process runs with.
func (w *Watcher) needRestart(next Config) []string {
	var sections []string
	now, then := reflect.ValueOf(w.started), reflect.ValueOf(next)
	for i := range now.NumField() {
		name := now.Type().Field(i).Name
		if name != "Services" && !reflect.DeepEqual(now.Field(i).Interface(), then.Field(i).Interface()) {
			sections = append(sections, strings.ToLower(name))
		}
	}
	return sections
}

func sameServices(a, b []service.Definition) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}
