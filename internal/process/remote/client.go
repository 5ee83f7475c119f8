//go:build e2e

package remote

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"logstream/internal/container"
	"logstream/internal/process"
)

// Runtime is one that Serve serves at the socket. What child processes cannot do
// is not supported here either.
type Runtime struct {
	*process.Runtime // of no children: for what it does not support
	socket           string
}

var _ container.Runtime = (*Runtime)(nil)

// Dial is the runtime behind the socket; nothing is dialled before the first call.
func Dial(socket string) *Runtime {
	return &Runtime{process.New(slog.New(slog.DiscardHandler), nil), socket}
}

// open sends a request. The connection ends with ctx.
func (r *Runtime) open(ctx context.Context, q request) (net.Conn, *gob.Decoder, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", r.socket)
	if err == nil {
		if err = gob.NewEncoder(conn).Encode(q); err != nil {
			conn.Close()
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", container.ErrUnavailable, err)
	}
	return conn, gob.NewDecoder(conn), nil
}

func (r *Runtime) call(ctx context.Context, q request) (answer, error) {
	conn, in, err := r.open(ctx, q)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var a answer
	if err := in.Decode(&a); err != nil {
		return answer{}, fmt.Errorf("%w: %w", container.ErrUnavailable, errors.Join(ctx.Err(), err))
	}
	return a, a.err()
}

// Info is container.Runtime's, as all that follow are.
func (r *Runtime) Info(ctx context.Context) (container.Info, error) {
	a, err := r.call(ctx, request{Method: "Info"})
	return a.Info, err
}

// Find is the child with that name.
func (r *Runtime) Find(ctx context.Context, ref string) (container.State, error) {
	a, err := r.call(ctx, request{Method: "Find", Ref: ref})
	return a.State, err
}

// Inspect is the child with that ID.
func (r *Runtime) Inspect(ctx context.Context, id string) (container.State, error) {
	a, err := r.call(ctx, request{Method: "Inspect", Ref: id})
	return a.State, err
}

// List is every child.
func (r *Runtime) List(ctx context.Context) ([]container.Listed, error) {
	a, err := r.call(ctx, request{Method: "List"})
	return a.List, err
}

// Ports are none.
func (r *Runtime) Ports(ctx context.Context, id string) ([]string, error) {
	a, err := r.call(ctx, request{Method: "Ports", Ref: id})
	return a.Ports, err
}

// Logs are the child's last lines.
func (r *Runtime) Logs(ctx context.Context, id string, tail int) ([]container.Line, error) {
	a, err := r.call(ctx, request{Method: "Logs", Ref: id, Tail: tail})
	return a.Lines, err
}

// Start starts the child.
func (r *Runtime) Start(ctx context.Context, id string) error {
	_, err := r.call(ctx, request{Method: "Start", Ref: id})
	return err
}

// Restart restarts the child.
func (r *Runtime) Restart(ctx context.Context, id string) error {
	_, err := r.call(ctx, request{Method: "Restart", Ref: id})
	return err
}

// Unpause lets the child go on.
func (r *Runtime) Unpause(ctx context.Context, id string) error {
	_, err := r.call(ctx, request{Method: "Unpause", Ref: id})
	return err
}

// KillStart restarts the child with that grace.
func (r *Runtime) KillStart(ctx context.Context, id string, grace time.Duration) error {
	_, err := r.call(ctx, request{Method: "KillStart", Ref: id, Grace: grace})
	return err
}

// Events follows them until the connection or ctx ends.
func (r *Runtime) Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	conn, in, err := r.open(ctx, request{Method: "Events", Since: since})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for {
		var a answer
		switch err := in.Decode(&a); {
		case err != nil:
			return fmt.Errorf("%w: %w", container.ErrUnavailable, errors.Join(ctx.Err(), err))
		case a.Fault != "":
			return a.err()
		case a.Event == nil:
			ready()
		default:
			handle(*a.Event)
		}
	}
}
