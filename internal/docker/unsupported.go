package docker

import (
	"context"
	"fmt"

	"logstream/internal/container"
)

func unsupported(what string) error { return fmt.Errorf("%s: %w", what, container.ErrUnsupported) }

// Specification is container.Runtime's.
func (r *Runtime) Specification(context.Context, string) ([]byte, error) {
	return nil, unsupported("read the specification")
}

// Recreate is container.Runtime's.
func (r *Runtime) Recreate(context.Context, container.Replacement) (id, kept string, err error) {
	return "", "", unsupported("recreate")
}

// Restore is container.Runtime's.
func (r *Runtime) Restore(context.Context, string, string) error { return unsupported("restore") }
