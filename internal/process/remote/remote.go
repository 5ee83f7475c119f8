//go:build e2e

// Package remote is a container.Runtime at the other end of a Unix socket, for
// tests: so containers outlive the process that repairs them, as those of an
// engine do. Each call has a connection of its own.
package remote

import (
	"errors"
	"time"

	"logstream/internal/container"
)

// request is one call.
type request struct {
	Method string
	Ref    string // a name, or an ID
	Tail   int
	Grace  time.Duration
	Since  time.Time
}

// answer is what a call returned. That of Events is one of many: the first says
// that the stream stands.
type answer struct {
	Info  container.Info
	State container.State
	List  []container.Listed
	Ports []string
	Lines []container.Line
	Event *container.Event
	Fault string // empty: none
	Kind  int    // of the fault: its place in kinds, from 1; 0: none of them
}

// kinds are the errors that the other end distinguishes.
var kinds = []error{container.ErrNotFound, container.ErrUnavailable, container.ErrUnsupported}

func (a *answer) fail(err error) {
	if err == nil {
		return
	}
	a.Fault = err.Error()
	for i, kind := range kinds {
		if errors.Is(err, kind) {
			a.Kind = i + 1
		}
	}
}

func (a *answer) err() error {
	switch {
	case a.Fault == "":
		return nil
	case a.Kind > 0:
		return fault{a.Fault, kinds[a.Kind-1]}
	}
	return errors.New(a.Fault)
}

// fault is an error of the other end.
type fault struct {
	text string
	kind error
}

func (f fault) Error() string { return f.text }
func (f fault) Unwrap() error { return f.kind }
