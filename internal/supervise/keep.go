package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"logstream/internal/health"
	"logstream/internal/retry"
)

// What an actor's error may say beside its text, to be wrapped with %w.
var (
	// ErrStay: the actor is not run again, and the others go on.
	ErrStay = errors.New("not restarted")
	// ErrTerminate: the process is to end.
	ErrTerminate = errors.New("logstream stops")
)

const (
	window      = time.Minute // failures older than this are forgotten
	maxFailures = 8           // in a window; one more and Keep gives up
	firstDelay  = 100 * time.Millisecond
	maxDelay    = 5 * time.Second
	steady      = time.Second // of running, after which a restarted actor is healthy
)

var errEnded = errors.New("it ended unexpectedly")

// Keep runs the actor called name until ctx ends, and runs it again when it
// fails. It returns nil after ctx has ended and run has returned, and after an
// error that is ErrStay; it returns the actor's error where that is
// ErrTerminate, or where the actor failed too often. The registry has a problem of that
// name while the actor is down.
func Keep(ctx context.Context, log *slog.Logger, name string, registry *health.Registry, run func(context.Context) error) error {
	k := keeper{log: log.With("component", name), name: name, registry: registry}
	tries := retry.NewBackoff(firstDelay, maxDelay)
	for {
		err := k.once(ctx, run)
		if ctx.Err() != nil {
			k.stopped(ctx, err)
			return nil
		}
		if err == nil {
			err = errEnded
		}
		switch {
		case errors.Is(err, ErrStay):
			k.log.Error("stopped; not restarting", "error", err)
			k.stay(err)
			return nil
		case errors.Is(err, ErrTerminate):
			return fmt.Errorf("%s: %w", name, err)
		}
		failures := k.failed(time.Now())
		if failures > maxFailures {
			return fmt.Errorf("%s failed %d times within %s, the last time: %w", name, failures, window, err)
		}
		if failures == 1 {
			tries.Reset()
		}
		wait := tries.Next()
		k.down(err)
		k.log.Error("stopped; restarting", "error", err, "failures", failures, "in", wait.Round(time.Millisecond))
		if !retry.Sleep(ctx, wait) {
			return nil
		}
	}
}

type keeper struct {
	log      *slog.Logger
	name     string
	registry *health.Registry
	failures []time.Time // within the window
	reported string      // what we put into the registry
}

// once runs the actor once, and clears its problem when it has run a moment.
func (k *keeper) once(ctx context.Context, run func(context.Context) error) error {
	if k.reported != "" {
		cleared := make(chan struct{})
		timer := time.AfterFunc(steady, func() {
			defer close(cleared)
			k.running()
		})
		defer func() {
			if !timer.Stop() {
				<-cleared // else it could clear what is reported next
			}
		}()
	}
	return guard(ctx, k.name, run)
}

// failed counts a failure and says how many there were within the window.
func (k *keeper) failed(now time.Time) int {
	recent := k.failures[:0]
	for _, at := range k.failures {
		if now.Sub(at) < window {
			recent = append(recent, at)
		}
	}
	k.failures = append(recent, now)
	return len(k.failures)
}

// down reports that the actor is down and will be started again.
func (k *keeper) down(err error) {
	k.reported = fmt.Sprintf("%s stopped: %s; restarting", k.name, firstLine(err))
	works, onHold := consequences(k.name)
	k.registry.Report(health.Problem{Part: k.name, What: k.reported, Works: works, OnHold: onHold,
		Remedy: health.Remedy{Text: "none yet: it restarts by itself; the server log has the whole error"}})
}

// stay reports that the actor will not be started again, unless it reported
// that itself, and better.
func (k *keeper) stay(err error) {
	if t, is := k.registry.Get(k.name); is && t.What != k.reported {
		return
	}
	works, onHold := consequences(k.name)
	k.registry.Report(health.Problem{Part: k.name, What: fmt.Sprintf("%s stopped: %s", k.name, firstLine(err)),
		Works: works, OnHold: onHold, Remedy: health.Remedy{Text: "remove the cause, then restart logstream"}})
}

// running clears what down reported; what the actor reported since then stays.
func (k *keeper) running() {
	if t, is := k.registry.Get(k.name); is && t.What == k.reported {
		k.registry.Clear(k.name)
	}
}

// stopped logs what went wrong while stopping.
func (k *keeper) stopped(ctx context.Context, err error) {
	if err == nil || errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)) {
		return
	}
	k.log.Warn("stopped with an error", "error", err)
}

// consequences are what goes on and what waits while a part is down.
func consequences(part string) (works, onHold string) {
	switch part {
	case health.Monitor:
		return "the page, and repairs of services already known to be down", "checks"
	case health.Healer:
		return "checks, and the page with the last published status", "repairs and changes of status"
	case health.Dashboard:
		return "checks and repairs", "the page and the API"
	case health.Chaos:
		return "checks, repairs and the page", "fault injection"
	case health.Rollup:
		return "checks, repairs and the page", "uptime and the charts of more than the last hour"
	case health.Notify:
		return "checks, repairs and the page", "notifications; what happens meanwhile is sent later"
	case health.Discovery:
		return "monitoring and repair of the services found so far", "discovery of containers that come or go"
	case health.Bus:
		return "checks, kept in memory", "repairs and updates of the page"
	}
	return "the other parts", "the work of " + part
}

// firstLine is an error's text without a stack.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
