package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"logstream/internal/health"
)

const (
	readEvery = 200 * time.Millisecond // a saved file takes effect after two readings
	maxLogged = 20                     // errors, or warnings, of one edit
)

// Watcher is an actor that follows the configuration file of a running
// process. Every change takes effect without a restart of the process; a bad
// edit changes nothing and is reported.
type Watcher struct {
	path     string
	log      *slog.Logger
	registry *health.Registry
	apply    func(next Config) error
	refused  version  // that is not tried again
	files    []string // with secrets, that the newest file names

	mu      sync.Mutex
	running Config
	problem string    // why the newest file is not in use, or empty
	errors  []Finding // of that file, where it has some
}

// NewWatcher follows the file at path, which gave running. apply puts another
// configuration in use, or says why that cannot be; it must not block for long.
func NewWatcher(path string, running Config, log *slog.Logger, registry *health.Registry, apply func(next Config) error) *Watcher {
	return &Watcher{path: path, running: running, log: log.With("component", "config"), registry: registry, apply: apply, files: running.files}
}

// Refuse says before Run that next, which apply took, cannot be used after all.
// It is not tried again until the file changes.
func (w *Watcher) Refuse(next Config, why string) {
	w.refused = next.version
	w.refuse(why)
}

// Problem says why the newest file is not in use; empty where it is.
func (w *Watcher) Problem() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problem
}

// Findings are the errors of the newest file, at most maxLogged, where it is not in
// use because of them.
func (w *Watcher) Findings() []Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.errors
}

// version is what the file was at one moment.
type version struct {
	sum    [sha256.Size]byte
	failed string // why it could not be read
}

// Run reads the file, and those with secrets that it names, again and again until ctx ends, and logs the warnings of
// each version, the first one included. It compares the content and
// not times or names, so that it doesn't matter how an editor replaces the file,
// and waits until two readings are the same, because an editor may be in the
// middle.
func (w *Watcher) Run(ctx context.Context) error {
	ticker := time.NewTicker(readEvery)
	defer ticker.Stop()
	last, settled := version{}, w.refused // the first one counts as a change: the file may have changed since the start
	for {
		content, now := w.read()
		if now == last && now != settled {
			now = w.changed(content, now)
			settled = now
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
	return content, w.version(content)
}

// version is that of a content with the files that it names, as they are now.
func (w *Watcher) version(content []byte) version {
	if len(w.files) == 0 {
		return version{sum: sha256.Sum256(content)}
	}
	all := sha256.New()
	all.Write(content)
	for _, path := range w.files {
		secret, err := ReadSecret(path)
		fmt.Fprintf(all, "\x00%s\x00%s\x00%v", path, secret, err)
	}
	return version{sum: [sha256.Size]byte(all.Sum(nil))}
}

// changed puts a new content in use, or says why not. It gives the version that it has
// seen: where other files with secrets are named than before, one that they are part of.
func (w *Watcher) changed(content []byte, now version) version {
	if now.failed != "" {
		w.log.Error("configuration file cannot be read; the previous configuration stays in use", "error", now.failed)
		w.refuse(now.failed)
		return now
	}
	next, report := Parse(w.path, content, os.LookupEnv)
	if !slices.Equal(w.files, next.files) {
		// The version is made before the files are read: a secret that changes in between
		// is another version then, and not one that was seen.
		w.files = next.files
		now = w.version(content)
		next, report = Parse(w.path, content, os.LookupEnv)
	}
	next.version = now
	report.Warnings = append(report.Warnings, writableByAll(w.path)...)
	if errs := report.Errors; len(errs) > 0 {
		for _, f := range errs[:min(len(errs), maxLogged)] {
			w.log.Error("edited configuration has errors; the previous configuration stays in use", "error", f.String())
		}
		what := errs[0].String()
		if len(errs) > 1 {
			what += fmt.Sprintf(" (and %d more)", len(errs)-1)
		}
		w.refuse(what, errs[:min(len(errs), maxLogged)]...)
		return now
	}
	for _, f := range report.Warnings[:min(len(report.Warnings), maxLogged)] {
		w.log.Warn("configuration warning", "warning", f.String())
	}
	w.accept(next)
	return now
}

// refuse keeps the running configuration and reports why.
func (w *Watcher) refuse(what string, errors ...Finding) {
	w.mu.Lock()
	w.problem, w.errors = what, errors
	w.mu.Unlock()
	w.registry.Report(health.Problem{Part: health.Config, What: what,
		Works:  "everything, with the previous configuration",
		OnHold: "the changes in " + filepath.Base(w.path),
		Remedy: health.Remedy{Text: "correct the file and save it; this command lists every error", Command: "logstream check --config " + w.path}})
}

// accept puts next in use where it differs from what is running.
func (w *Watcher) accept(next Config) {
	w.mu.Lock()
	running := w.running
	w.mu.Unlock()
	sections := running.Changed(next)
	if len(sections) > 0 {
		if err := w.apply(next); err != nil {
			w.log.Error("edited configuration cannot be used; the previous configuration stays in use", "error", err)
			w.refuse(filepath.Base(w.path) + ": " + err.Error())
			return
		}
		w.log.Info("edited configuration applied", "sections", strings.Join(sections, ", "), "services", len(next.Services))
	}
	w.mu.Lock()
	w.running, w.problem, w.errors = next, "", nil
	w.mu.Unlock()
	w.registry.Clear(health.Config)
}
