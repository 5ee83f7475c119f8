package monitor

import (
	"context"
	"errors"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/retry"
)

const (
	// A lost stream is asked for again after this, doubling up to the most;
	// from the beginning after one that stood for steady.
	firstReconnect = 250 * time.Millisecond
	maxReconnect   = 5 * time.Second
	steady         = 10 * time.Second
)

var errStreamEnded = errors.New("the event stream ended")

// follow reads the engine's events, over losses, until ctx ends.
func (w *watch) follow(ctx context.Context) error {
	tries := retry.NewBackoff(firstReconnect, maxReconnect)
	for {
		stood, err := w.stream(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !w.do(ctx, func() { w.unreachable(err, time.Now()) }) {
			return nil
		}
		if stood >= steady {
			tries.Reset()
		}
		if !tries.Wait(ctx) {
			return nil
		}
	}
}

// stream reads one event stream to its end, and says for how long it stood and
// why it ended.
func (w *watch) stream(ctx context.Context) (stood time.Duration, err error) {
	ctx, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	var since time.Time
	refs := map[string]string{}
	planned := make(chan struct{})
	plan := func() {
		defer close(planned)
		w.drop = drop
		since = w.written.since(time.Now())
		for name, t := range w.targets {
			if t.id == "" {
				refs[name] = t.ref
			}
		}
	}
	if !w.do(ctx, plan) {
		return 0, context.Cause(ctx)
	}
	select {
	case <-planned:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if err := w.prepare(ctx, refs); err != nil {
		return 0, err
	}
	var readyAt time.Time
	ready := func() {
		now := time.Now()
		readyAt = now
		w.do(ctx, func() { w.ready(now) })
	}
	err = w.runtime.Events(ctx, since, ready, func(e container.Event) {
		now := time.Now()
		w.do(ctx, func() { w.happened(e, now) })
	})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == nil {
		err = errStreamEnded
	}
	if !readyAt.IsZero() {
		stood = time.Since(readyAt)
	}
	return stood, err
}

// prepare makes sure that the runtime answers, and finds the containers that were
// not found yet: which events matter depends on their ids and projects.
func (w *watch) prepare(ctx context.Context, refs map[string]string) error {
	call, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	if _, err := w.runtime.Info(call); err != nil {
		return err
	}
	for name, ref := range refs {
		state, err := w.find(ctx, ref)
		if isUnreachable(err) {
			return err
		}
		if err != nil {
			continue // what is wrong with it, its inspection will say
		}
		w.do(ctx, func() {
			if t := w.targets[name]; t != nil && t.ref == ref {
				t.learn(state)
			}
		})
	}
	return nil
}

// isUnreachable says whether an error is that of a runtime that cannot be
// reached, or hangs.
func isUnreachable(err error) bool {
	return errors.Is(err, container.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// ready: the stream stands, and may still give the past. Nothing is inspected
// before that is over, so that it stands on the log before any level.
func (w *watch) ready(now time.Time) {
	w.up, w.settled, w.readyAt, w.replayedAt = true, false, now, now
	if w.written.newest.IsZero() {
		w.written.newest = now // after a loss, from there on
	}
	for _, t := range w.targets {
		t.wanted = time.Time{}
	}
	w.registry.Clear(health.Docker)
	w.logger.Info("reading container events")
}

// replayed says whether all that was missed is read.
func (w *watch) replayed(now time.Time) bool {
	return w.up && !w.settled && (now.Sub(w.replayedAt) >= replayQuiet || now.Sub(w.readyAt) >= replayMost)
}

// settle: all that was missed is written.
func (w *watch) settle(now time.Time) {
	w.settled, w.lossWritten = true, false
	w.out.putEvent(event.Docker{Time: now.UTC(), Action: event.StreamBack, Origin: w.identity})
	for _, t := range w.targets {
		t.want(now, true)
	}
}

// unreachable: the stream ended, or could not be had.
func (w *watch) unreachable(err error, now time.Time) {
	if w.up || !w.lossWritten {
		w.logger.Warn("Docker is unreachable", "error", err)
	}
	w.up, w.settled = false, false
	if !w.lossWritten {
		w.lossWritten = true
		w.out.putEvent(event.Docker{Time: now.UTC(), Action: event.StreamLost, Origin: w.identity})
	}
	why := err.Error()
	remedy := health.Remedy{Text: "start Docker, or set its address as docker.host in config.yaml or as DOCKER_HOST", Command: "sudo systemctl start docker"}
	var known *container.UnavailableError
	if errors.As(err, &known) {
		why, remedy = known.Why, known.Remedy
	}
	w.registry.Report(health.Problem{
		Part:   health.Docker,
		What:   "Docker is unreachable: " + clean(why),
		Works:  "checks by url, and the page",
		OnHold: "detecting that containers stop and start, and repairs of containers",
		Remedy: remedy,
	})
}
