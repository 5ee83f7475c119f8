package healer_test

import (
	"context"
	"fmt"
	"time"

	"logstream/internal/container"
)

func unsupported(what string) error { return fmt.Errorf("%s: %w", what, container.ErrUnsupported) }

// Connect is container.Runtime's.
func (r *memoryEngine) Connect(context.Context, string, []container.Network) error {
	return unsupported("connect")
}

// Disconnect is container.Runtime's.
func (r *memoryEngine) Disconnect(context.Context, string, []container.Network) error {
	return unsupported("disconnect")
}

// KillStart is container.Runtime's.
func (r *memoryEngine) KillStart(context.Context, string, time.Duration) error {
	return unsupported("kill_start")
}

// SetMemory is container.Runtime's.
func (r *memoryEngine) SetMemory(context.Context, string, int64) error {
	return unsupported("raise_memory")
}

// Specification is container.Runtime's.
func (r *memoryEngine) Specification(context.Context, string) ([]byte, error) {
	return nil, unsupported("read the specification")
}

// Recreate is container.Runtime's.
func (r *memoryEngine) Recreate(context.Context, container.Replacement) (id, kept string, err error) {
	return "", "", unsupported("recreate")
}

// Restore is container.Runtime's.
func (r *memoryEngine) Restore(context.Context, string, string) error { return unsupported("restore") }

// Stats is container.Runtime's.
func (r *memoryEngine) Stats(context.Context, string) (container.Stats, error) {
	return container.Stats{}, unsupported("stats")
}

// Processes is container.Runtime's.
func (r *memoryEngine) Processes(context.Context, string) ([]container.Process, error) {
	return nil, unsupported("processes")
}
