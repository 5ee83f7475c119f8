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
	lookEvery = 200 * time.Millisecond // a saved file takes effect after two looks
	maxLogged = 20                     // mistakes of one bad edit
)

// Watcher is an actor that follows the configuration file of a running
// process. What it finds changed in services takes effect; for the rest it
// says that a restart is needed; a bad edit changes nothing and is told.
type Watcher struct {
	path  string
	log   *slog.Logger
	board *health.Registry
	apply func([]service.Definition)

	mu       sync.Mutex
	started  Config // what the process was started with, services aside
	services []service.Definition
	problem  string // why the newest file is not in use, or empty
}

// NewWatcher follows the file at path, which gave running. apply is told every
// change of the services, with all of them, and must not block for long.
func NewWatcher(path string, running Config, log *slog.Logger, board *health.Registry, apply func([]service.Definition)) *Watcher {
	return &Watcher{path: path, started: running, services: running.Services, log: log.With("component", "config"), board: board, apply: apply}
}

// Problem says why the newest file is not in use; empty where it is.
func (w *Watcher) Problem() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problem
}

// look is what the file was at one moment.
type look struct {
	sum    [sha256.Size]byte
	failed string // why it could not be read
}

// Run looks at the file until ctx ends. It compares the content and not times
// or names, so that it doesn't matter how an editor replaces the file, and
// waits until two looks see the same, because an editor may be in the middle.
func (w *Watcher) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var last, settled look // the first look counts as a change: the file may have changed since the start
	for {
		content, now := w.look()
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

func (w *Watcher) look() ([]byte, look) {
	content, failed := read(w.path)
	if failed != nil {
		return nil, look{failed: failed.Error()}
	}
	return content, look{sum: sha256.Sum256(content)}
}

// changed takes a new content, or says why not.
func (w *Watcher) changed(content []byte, failed string) {
	if failed != "" {
		w.refuse(failed, failed)
		return
	}
	next, errs := Parse(w.path, content, os.LookupEnv)
	if len(errs) > 0 {
		for _, err := range errs[:min(len(errs), maxLogged)] {
			w.log.Error("the edited file is not in use", "error", err.Error())
		}
		what := errs[0].Error()
		if len(errs) > 1 {
			what += fmt.Sprintf(" (and %d more)", len(errs)-1)
		}
		w.refuse(what, "")
		return
	}
	w.accept(next)
}

// refuse keeps the running configuration and tells why.
func (w *Watcher) refuse(what, logged string) {
	if logged != "" {
		w.log.Error("the file is not in use", "error", logged)
	}
	w.mu.Lock()
	w.problem = what
	w.mu.Unlock()
	w.board.Report(health.Problem{Part: health.Config, What: what,
		Works:  "everything, as it was configured before",
		OnHold: "the changes of " + filepath.Base(w.path),
		Remedy: health.Remedy{Text: "correct the file and save it; this lists all mistakes", Command: "logstream check --config " + w.path}})
}

// accept puts the services of next in use, and tells what needs a restart.
func (w *Watcher) accept(next Config) {
	w.mu.Lock()
	differ := !sameServices(w.services, next.Services)
	w.problem, w.services = "", next.Services
	w.mu.Unlock()
	if differ {
		w.log.Info("the services of the edited file are in use", "services", len(next.Services))
		w.apply(next.Services)
	}
	sections := w.needRestart(next)
	if len(sections) == 0 {
		w.board.Clear(health.Config)
		return
	}
	names := strings.Join(sections, ", ")
	w.log.Warn("a restart is needed for what changed elsewhere than in services", "sections", names)
	w.board.Report(health.Problem{Part: health.Config,
		What:   names + " changed in " + filepath.Base(w.path) + ": a restart is needed for that",
		Works:  "everything, and the services as the file has them now",
		OnHold: "the changes of " + names,
		Remedy: health.Remedy{Text: "restart logstream"}})
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
