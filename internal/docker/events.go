package docker

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"logstream/internal/container"
	"logstream/internal/text"
)

const (
	// quietTime is how long the stream may pause before the engine is
	// queried whether it is still there: one that hangs ends no stream.
	quietTime = 10 * time.Second
	// pulseTimeout is how long that answer may take.
	pulseTimeout = 10 * time.Second
	// refusalDelay is how long after its answer a refused stream may end: the client
	// reports a refusal on a channel, a moment after it has returned.
	refusalDelay = 50 * time.Millisecond
	// rounding is how far apart an event's time and the reported time may be:
	// to clients of an API before 1.52, Docker 29 reports nanoseconds that went
	// through a floating-point number.
	rounding = 256 * time.Nanosecond
	// tooEarly is how much more than what it is asked for an engine may give: one may read
	// the time in whole seconds.
	tooEarly = time.Second
	// maxAttribute bounds a name or label, in bytes; images choose theirs.
	maxAttribute = 256
)

// passed are the actions that are passed on, and the type of what they are of:
// the exec events of each run of each health check, and attach, are left out,
// at the engine already.
var passed = map[container.Action]events.Type{
	container.ActionCreate: events.ContainerEventType, container.ActionStart: events.ContainerEventType,
	container.ActionRestart: events.ContainerEventType, container.ActionKill: events.ContainerEventType,
	container.ActionDie: events.ContainerEventType, container.ActionStop: events.ContainerEventType,
	container.ActionPause: events.ContainerEventType, container.ActionUnpause: events.ContainerEventType,
	container.ActionOOM: events.ContainerEventType, container.ActionDestroy: events.ContainerEventType,
	container.ActionRename: events.ContainerEventType, container.ActionHealth: events.ContainerEventType,
	container.ActionConnect: events.NetworkEventType, container.ActionDisconnect: events.NetworkEventType,
}

// Events calls handle with what happens to containers, in the engine's order,
// those at since included, until ctx or the stream ends. It always asks with a
// time (the engine's own where since is zero): the engine answers before it
// has subscribed, but from the subscription on it replays what happened since
// that time, so nothing after ready is missed, however slow the engine is. A
// stream without events while the engine no longer answers is given up.
func (r *Runtime) Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	err := r.events(ctx, since, ready, handle)
	if ctx.Err() != nil {
		return fmt.Errorf("follow the events of %s: %w", theEngine, context.Cause(ctx))
	}
	return r.fail("follow the events of", theEngine, err)
}

func (r *Runtime) events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	e, err := r.agree(ctx)
	if err != nil {
		return err
	}
	if since.IsZero() {
		if since, err = engineTime(ctx, e); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tooLate := time.AfterFunc(readTimeout, cancel)
	messages, ended := e.Events(ctx, events.ListOptions{Since: unixTime(since.Add(-rounding)), Filters: eventFilter()})
	if !tooLate.Stop() {
		return context.DeadlineExceeded
	}
	if err := r.stands(ctx, e, ended); err != nil {
		return err
	}
	ready()
	return r.follow(ctx, e, messages, ended, func(event container.Event) {
		if event.Time.Before(since) && !event.Time.Before(since.Add(-tooEarly)) {
			return // what is older still was dated by a clock that was set back since
		}
		handle(event)
	})
}

// stands reports why the stream doesn't stand. The client returns as soon as the engine
// has answered, and reports a refusal a moment later.
func (r *Runtime) stands(ctx context.Context, e engine, ended <-chan error) error {
	err := r.beat(ctx, e)
	select {
	case failed := <-ended:
		return orEnd(failed)
	case <-time.After(refusalDelay):
		return err
	}
}

func (r *Runtime) follow(ctx context.Context, e engine, messages <-chan events.Message, ended <-chan error, handle func(container.Event)) error {
	quiet := time.NewTimer(r.quiet)
	defer quiet.Stop()
	for {
		select {
		case message := <-messages:
			if event, ok := toEvent(message); ok {
				handle(event)
			}
		case err := <-ended:
			return orEnd(err)
		case <-quiet.C:
			if err := r.beat(ctx, e); err != nil {
				return err
			}
		}
		quiet.Reset(r.quiet)
	}
}

// orEnd is why the stream ended, and never nil.
func orEnd(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// beat pings the engine.
func (r *Runtime) beat(ctx context.Context, e engine) error {
	ctx, cancel := context.WithTimeout(ctx, r.pulse)
	defer cancel()
	_, err := e.Ping(ctx)
	return err
}

// engineTime is the engine's clock, which may not be ours.
func engineTime(ctx context.Context, e engine) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	info, err := e.Info(ctx)
	if err != nil {
		return time.Time{}, err
	}
	now, err := time.Parse(time.RFC3339Nano, info.SystemTime)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the engine's clock: %w", err)
	}
	return now, nil
}

// unixTime writes a time as the engine wants it: seconds and nanoseconds.
func unixTime(t time.Time) string {
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

func eventFilter() filters.Args {
	filter := filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)), filters.Arg("type", string(events.NetworkEventType)))
	for action := range passed {
		filter.Add("event", string(action))
	}
	return filter
}

// toEvent reads one of the engine's events, and reports whether it is one that
// is passed on.
func toEvent(m events.Message) (container.Event, bool) {
	// The engine's word for a change of health has the health in it.
	word, health, _ := strings.Cut(string(m.Action), ": ")
	action := container.Action(word)
	if of, is := passed[action]; !is || m.Type != of || m.Actor.ID == "" {
		return container.Event{}, false
	}
	attribute := func(name string) string { return text.Clip(m.Actor.Attributes[name], maxAttribute) }
	if m.Type == events.NetworkEventType {
		return networkEvent(m, action, attribute)
	}
	event := container.Event{
		Time:    eventTime(m),
		Name:    attribute("name"),
		ID:      text.Clip(m.Actor.ID, maxAttribute),
		Action:  action,
		Image:   attribute("image"),
		Project: attribute(labelProject),
		Service: attribute(labelService),
	}
	switch action {
	case container.ActionKill:
		event.Signal = attribute("signal")
	case container.ActionDie:
		// An engine that gives none leaves 0, as for a good end.
		event.ExitCode, _ = strconv.Atoi(attribute("exitCode"))
	case container.ActionCreate:
		event.Replace = replacedName(event.Name, attribute(labelReplace))
	case container.ActionHealth:
		event.Health = container.Health(text.Clip(health, maxAttribute))
	}
	return event, true
}

// networkEvent is that a container joined or left a network. The engine says
// which by its ID alone, and says so of other things than containers too.
func networkEvent(m events.Message, action container.Action, attribute func(string) string) (container.Event, bool) {
	id := attribute("container")
	if id == "" {
		return container.Event{}, false
	}
	return container.Event{Time: eventTime(m), ID: id, Action: action, Network: attribute("name")}, true
}

func eventTime(m events.Message) time.Time {
	if m.TimeNano != 0 {
		return time.Unix(0, m.TimeNano).UTC()
	}
	return time.Unix(m.Time, 0).UTC()
}
