package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/supervise"
)

// look begins the looks that are due, as many as may be under way.
func (w *watch) look(ctx context.Context, now time.Time) {
	if !w.settled {
		return
	}
	for _, t := range w.targets {
		if w.looks >= maxLooks {
			return
		}
		if t.busy || t.asked.IsZero() || now.Before(t.after) {
			continue
		}
		asked, forced := t.asked, t.forced
		t.busy, t.asked, t.forced = true, time.Time{}, false
		w.looks++
		supervise.Go(ctx, w.group, "monitor: a look at "+t.ref, func(ctx context.Context) error {
			began := time.Now()
			state, err := w.find(ctx, t.ref)
			took := time.Since(began)
			if ctx.Err() != nil {
				return nil
			}
			w.do(ctx, func() {
				w.looks--
				t.busy = false
				w.saw(t, asked, forced, took, state, err)
			})
			return nil
		})
	}
}

func (w *watch) find(ctx context.Context, ref string) (container.State, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return w.runtime.Find(ctx, ref)
}

// saw takes what one look saw, as of asked.
func (w *watch) saw(t *target, asked time.Time, forced bool, took time.Duration, state container.State, err error) {
	if w.targets[t.service] != t || !w.settled {
		return // it is somebody else's, or will be looked at when the engine is back
	}
	now := time.Now()
	seen, known := levelOf(t.ref, state, err)
	var many *container.AmbiguousError
	switch {
	case errors.As(err, &many):
		w.ambiguous(t, many)
		return
	case isAway(err):
		w.drop(err)
		return
	case errors.Is(err, container.ErrNotFound) && !t.destroyed:
		w.notFound(t, forced, now)
		return
	case !known:
		w.logger.Warn("a container can't be looked at, trying again", "service", t.service, "container", t.ref, "error", err)
		t.ask(now, forced)
		t.after = now.Add(lookAgain)
		return
	}
	w.notes.clear(t.about())
	if err == nil {
		t.learn(state)
	}
	if seen == t.shown && !forced {
		return
	}
	if seen != t.shown && t.announced != "" && seen.status != t.announced && !t.waited {
		t.waited = true
		t.ask(now, forced)
		t.after = now.Add(eventGrace)
		return
	}
	t.waited = false
	if _, is := w.owner(); !is {
		return
	}
	t.stamp = nextStamp(t.date(seen, asked), t.stamp)
	t.shown = seen
	w.out.putLevel(event.HealthLog{
		Timestamp: event.Seconds(t.stamp), Service: t.service, Status: seen.status,
		LatencyMS: milliseconds(took), Check: event.CheckContainer, Error: seen.err,
	})
}

// notFound says that a container is not there, without a destroy that would say
// why: it was renamed, its name in the configuration is wrong, or it went while
// nobody watched. Its service may answer all the same, so no level is written.
func (w *watch) notFound(t *target, forced bool, now time.Time) {
	if !t.waited { // the event may follow
		t.waited = true
		t.ask(now, forced)
		t.after = now.Add(eventGrace)
		return
	}
	t.shown = level{}
	what := "no container is named " + clean(t.ref)
	remedy := health.Remedy{Text: "correct container: of " + t.service + " in config.yaml; to list all names", Command: "docker ps -a"}
	if t.renamed != "" {
		what = fmt.Sprintf("its container %s was renamed to %s", clean(t.ref), clean(t.renamed))
		remedy = health.Remedy{Text: "set container: " + clean(t.renamed) + " in config.yaml, or rename it back",
			Command: "docker rename " + clean(t.renamed) + " " + clean(t.ref)}
	}
	w.notes.raise(t.about(), health.Problem{
		What:   "service " + t.service + ": " + what,
		Works:  "the checks of " + t.service + " by its url",
		OnHold: "seeing and repairing the container of " + t.service,
		Remedy: remedy,
	})
}

// ambiguous says that a service names several containers. Nothing is known of
// its container then, and nothing written.
func (w *watch) ambiguous(t *target, many *container.AmbiguousError) {
	t.shown = level{}
	w.notes.raise(t.about(), health.Problem{
		What:   "container of " + t.service + ": " + clean(many.Error()),
		Works:  "the checks of " + t.service + " by its url",
		OnHold: "seeing and repairing the container of " + t.service,
		Remedy: health.Remedy{Text: "give the exact name of one of them as the service's container in config.yaml"},
	})
}
