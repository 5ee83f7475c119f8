package process

import (
	"context"
	"fmt"

	"logstream/internal/container"
)

// A child has no network, no limit and no image of its own: what changes these
// is not supported.

func unsupported(what string) error { return fmt.Errorf("%s: %w", what, container.ErrUnsupported) }

// Connect is container.Runtime's.
func (r *Runtime) Connect(context.Context, string, []container.Network) error {
	return unsupported("connect")
}

// Disconnect is container.Runtime's.
func (r *Runtime) Disconnect(context.Context, string, []container.Network) error {
	return unsupported("disconnect")
}

// SetMemory is container.Runtime's.
func (r *Runtime) SetMemory(context.Context, string, int64) error { return unsupported("raise_memory") }

// Specification is container.Runtime's.
func (r *Runtime) Specification(context.Context, string) ([]byte, error) {
	return nil, unsupported("read the specification")
}

// Recreate is container.Runtime's.
func (r *Runtime) Recreate(context.Context, container.Replacement) (id, kept string, err error) {
	return "", "", unsupported("recreate")
}

// Restore is container.Runtime's.
func (r *Runtime) Restore(context.Context, container.Restoration) error {
	return unsupported("restore")
}
