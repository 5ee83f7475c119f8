package healer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"logstream/healer/action"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/retry"
	"logstream/internal/supervise"
)

// start starts a worker for an effect. Its outcome comes back as an input.
func (l *life) start(e Effect) {
	switch e := e.(type) {
	case Append:
		l.worker("append", func() { l.append(l.work, e) })
	case Publish:
		l.worker("publish", func() { l.publish(e) })
	case Reply:
		before, written := l.replied, make(chan struct{})
		l.replied = written
		l.worker("reply", func() {
			defer close(written)
			l.reply(e, before)
		})
	case Inspect:
		l.worker("inspect", func() { l.give(l.work, timed{in: l.inspect(e)}) })
	case Collect:
		l.worker("collect", func() { l.give(l.work, timed{in: collector{l.deps, l.worker}.collect(l.work, e)}) })
	case Wake:
		l.worker("wake", func() {
			retry.Sleep(l.work, time.Until(e.At))
			l.give(l.work, timed{in: Tick{}})
		})
	case CheckNow:
		l.deps.CheckNow(e.Service)
	case Learn:
		l.worker("learn", func() { learnLines(l, e) })
	case CompareLogs:
		l.worker("compare logs", func() { compareLines(l, e) })
	case KeepSpec:
		l.worker("specification", func() { keepSpec(l, e) })
	case Query:
		l.query(e)
	case Execute:
		l.executing++
		l.worker("execute", func() {
			defer l.over()
			l.give(l.work, timed{in: l.execute(e)})
		})
	}
}

// over says that a call's worker has ended, also where it panicked.
func (l *life) over() {
	select {
	case l.ended <- struct{}{}:
	case <-l.work.Done():
	}
}

func (l *life) worker(name string, do func()) {
	supervise.Go(l.work, l.group, "healer worker "+name, func(context.Context) error {
		do()
		return nil
	})
}

func (l *life) append(ctx context.Context, e Append) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if failed, err := l.write(ctx, e); err != nil {
		l.deps.Logger.Debug("append failed with an unknown outcome", "incident", failed.ID, "seq", failed.Seq, "error", err)
		l.give(l.work, timed{in: AppendFailed{ID: failed.ID, Seq: failed.Seq, Service: failed.Service}})
	}
}

// write writes events one after another, up to the first that fails: a reader must not
// meet an incident without its beginning.
func (l *life) write(ctx context.Context, e Append) (failed event.Incident, err error) {
	for _, next := range e.Events {
		if err := l.deps.Log.Append(ctx, event.TopicIncidents, next.Service, event.Encode(next)); err != nil {
			return next, err
		}
	}
	return event.Incident{}, nil
}

// publishPause is how soon a service that is DOWN is published again. A quick repair is
// over by then, each of whose steps changes it: it has the connection and the processors
// for itself. That it is UP again, or its incident over, waits for nothing.
const publishPause = 40 * time.Millisecond

func (l *life) publish(e Publish) {
	ctx, cancel := context.WithTimeout(l.work, writeLimit)
	defer cancel()
	err := l.deps.Log.Append(ctx, event.TopicServices, e.Service.Service, event.Encode(e.Service))
	if err != nil {
		retry.Sleep(l.work, time.Second) // Kafka is unreachable: not at once again
	}
	if e.Service.Status == event.Down {
		retry.Sleep(l.work, publishPause)
	}
	l.give(l.work, timed{in: Published{Service: e.Service.Service, OK: err == nil}})
}

// reply writes the result of a command until it is acknowledged, and after those
// before it: what a later life reads is the newest hold, or its release.
func (l *life) reply(e Reply, before <-chan struct{}) {
	select {
	case <-before:
	case <-l.work.Done():
		return
	}
	for l.work.Err() == nil {
		if _, leads := l.Owner(); !leads {
			return // the present leader may have a newer request
		}
		ctx, cancel := context.WithTimeout(l.work, writeLimit)
		err := l.deps.Log.Append(ctx, event.TopicCommands, e.Command.Service, event.Encode(e.Command))
		cancel()
		if err == nil {
			return
		}
		l.deps.Logger.Warn("command result not written to Kafka; retrying", "command", e.Command.ID, "error", err)
		retry.Sleep(l.work, time.Second)
	}
}

func (l *life) inspect(e Inspect) Inspected {
	ctx, cancel := context.WithTimeout(l.work, inspectLimit)
	defer cancel()
	out := Inspected{Service: e.Service, Request: e.Request}
	out.State, out.Err = l.deps.Runtime.Find(ctx, e.Ref)
	if out.Err != nil {
		out.Err = unanswered(ctx, out.Err)
		return out
	}
	switch {
	case e.Logs && out.State.Status == container.Paused: // what it wrote says nothing of why, and reading it takes as long as the repair
		out.LogsMissing = pausedLog
	case e.Logs:
		read := readLogs(ctx, l, e.Service, out.State, e.Since)
		out.Logs, out.Truncated, out.FirstSeen, out.Signs, out.LogsMissing = read.lines, read.truncated, read.firstSeen, read.signs, read.missing
	}
	return out
}

// unanswered makes a time-out of ours one of the engine's: it is unreachable.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", container.ErrUnavailable, err)
	}
	return err
}

// execute compares the target with its pins once more, and only then makes the
// call. Nothing stands between the last check and the call.
func (l *life) execute(e Execute) Executed {
	ctx, cancel := context.WithDeadline(l.work, e.Deadline)
	defer cancel()
	out := Executed{Service: e.Service, Incident: e.Incident, Attempt: e.Attempt}
	a, known := action.Of(e.Intent)
	if !known {
		out.NotExecuted = fmt.Sprintf("this version has no action %q", e.Intent.Action)
		return out
	}
	request, why := requestFor(l.deps, e)
	if why == "" {
		why = changedTarget(ctx, l.deps.Runtime, e)
	}
	if out.NotExecuted = why; why != "" {
		return out
	}
	if time.Until(e.Deadline) <= 0 {
		out.NotExecuted = "its deadline passed before the call"
		return out
	}
	if _, leads := l.Owner(); !leads { // the inspection may have taken long
		out.NotExecuted = "another instance acquired the claim"
		return out
	}
	began := time.Now()
	out.Done, out.Err = a.Call(ctx, hands{l.deps.Runtime, l.deps.Commands}, request) // the only place that changes anything
	out.Took = time.Since(began)
	if out.Err != nil {
		out.Err = unanswered(ctx, out.Err)
		return out
	}
	if id := cmp.Or(out.Done.ContainerID, e.Intent.Pins.ContainerID); id != "" {
		if after, err := l.deps.Runtime.Inspect(ctx, id); err == nil {
			out.After = after
		}
	}
	return out
}

// isUnavailable says whether the engine did not answer, rather than refuse.
func isUnavailable(err error) bool { return errors.Is(err, container.ErrUnavailable) }
