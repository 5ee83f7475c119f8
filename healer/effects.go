package healer

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

// carry starts a worker for an effect. Its outcome comes back as an input.
func (l *life) carry(e Effect) {
	switch e := e.(type) {
	case Append:
		l.worker("append", func() { l.write(l.work, e) })
	case Publish:
		l.worker("publish", func() { l.publish(e) })
	case Answer:
		l.worker("answer", func() { l.answer(e) })
	case Look:
		l.worker("look", func() { l.give(l.work, timed{in: l.look(e)}) })
	case Ask:
		l.ask(e)
	case Act:
		l.acting++
		l.worker("act", func() {
			defer l.over()
			l.give(l.work, timed{in: l.act(e)})
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

func (l *life) write(ctx context.Context, e Append) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := l.deps.Log.Append(ctx, event.TopicIncidents, e.Event.Service, event.Encode(e.Event)); err != nil {
		l.deps.Logger.Debug("an append's outcome is unknown", "incident", e.Event.ID, "seq", e.Event.Seq, "error", err)
		l.give(l.work, timed{in: AppendFailed{ID: e.Event.ID, Seq: e.Event.Seq, Service: e.Event.Service}})
	}
}

func (l *life) publish(e Publish) {
	ctx, cancel := context.WithTimeout(l.work, writeLimit)
	defer cancel()
	err := l.deps.Log.Append(ctx, event.TopicServices, e.Service.Service, event.Encode(e.Service))
	if err != nil {
		l.pause(time.Second) // the log is away: not at once again
	}
	l.give(l.work, timed{in: Published{Service: e.Service.Service, OK: err == nil}})
}

func (l *life) answer(e Answer) {
	ctx, cancel := context.WithTimeout(l.work, writeLimit)
	defer cancel()
	if err := l.deps.Log.Append(ctx, event.TopicCommands, e.Command.Service, event.Encode(e.Command)); err != nil {
		l.deps.Logger.Warn("the result of a command could not be written", "command", e.Command.ID, "error", err)
	}
}

func (l *life) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-l.work.Done():
	}
}

func (l *life) look(e Look) Looked {
	ctx, cancel := context.WithTimeout(l.work, lookLimit)
	defer cancel()
	out := Looked{Service: e.Service, Request: e.Request}
	out.State, out.Err = l.deps.Runtime.Find(ctx, e.Ref)
	if out.Err != nil {
		out.Err = unanswered(ctx, out.Err)
		return out
	}
	if lines, err := l.deps.Runtime.Logs(ctx, out.State.ID, logLines); err == nil {
		out.Logs = readable(lines)
	}
	return out
}

// unanswered makes a time-out an engine that does not answer.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", container.ErrUnavailable, err)
	}
	return err
}

// readable makes container output fit to be shown: it is somebody else's
// text, bounded, and without what moves a terminal's cursor.
func readable(lines []container.Line) []string {
	lines = lines[max(0, len(lines)-logLines):]
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = clip(strings.Map(func(r rune) rune {
			if r == '\t' {
				return ' '
			}
			if !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, redact.Text(line.Text)), logLine)
	}
	return out
}

// act compares the target with its pins once more, and only then makes the
// call. Nothing stands between the last check and the call.
func (l *life) act(e Act) Acted {
	ctx, cancel := context.WithDeadline(l.work, e.Deadline)
	defer cancel()
	out := Acted{Service: e.Service, Incident: e.Incident, Attempt: e.Attempt}
	now, err := l.deps.Runtime.Inspect(ctx, e.Pins.ContainerID)
	if err != nil {
		out.NotMade = fmt.Sprintf("looking at the container failed: %v", err)
		return out
	}
	if out.NotMade = pinsHold(e.Pins, now); out.NotMade != "" {
		return out
	}
	if time.Until(e.Deadline) <= 0 {
		out.NotMade = "its deadline passed before the call"
		return out
	}
	began := time.Now()
	out.Err = l.call(ctx, e.Action, e.Pins.ContainerID)
	out.Took = time.Since(began)
	if out.Err != nil {
		out.Err = unanswered(ctx, out.Err)
		return out
	}
	if after, err := l.deps.Runtime.Inspect(ctx, e.Pins.ContainerID); err == nil {
		out.After = after
	}
	return out
}

// call is the only place that changes anything: one of these, and nothing else.
func (l *life) call(ctx context.Context, action, id string) error {
	switch action {
	case service.ActionStart:
		return l.deps.Runtime.Start(ctx, id)
	case service.ActionRestart:
		return l.deps.Runtime.Restart(ctx, id)
	case service.ActionUnpause:
		return l.deps.Runtime.Unpause(ctx, id)
	}
	return fmt.Errorf("%q is not an action", action)
}
