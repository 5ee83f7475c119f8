//go:build !linux

package process

import (
	"context"

	"logstream/internal/container"
)

// Stats are available on Linux only.
func (r *Runtime) Stats(context.Context, string) (container.Stats, error) {
	return container.Stats{}, unsupported("read the statistics of a process")
}

// Processes are available on Linux only.
func (r *Runtime) Processes(context.Context, string) ([]container.Process, error) {
	return nil, unsupported("list processes")
}
