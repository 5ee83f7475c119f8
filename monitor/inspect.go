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

// inspect begins the inspections that are due, as many as may be under way.
func (w *watch) inspect(ctx context.Context, now time.Time) {
	if !w.settled {
		return
	}
	for _, t := range w.targets {
		if w.inspections >= maxInspections {
			return
		}
		if t.inspecting || t.wanted.IsZero() || now.Before(t.notBefore) {
			continue
		}
		wanted, forced, id := t.wanted, t.forced, t.knownBy()
		t.inspecting, t.wanted, t.forced = true, time.Time{}, false
		w.inspections++
		supervise.Go(ctx, w.group, "monitor: inspection of "+t.ref, func(ctx context.Context) error {
			began := time.Now()
			state, err := w.see(ctx, t.ref, id)
			took := time.Since(began)
			if ctx.Err() != nil {
				return nil
			}
			w.do(ctx, func() {
				w.inspections--
				t.inspecting = false
				w.inspected(t, wanted, forced, took, state, err)
			})
			return nil
		})
	}
}

// see is the container that ref names. Where that was its exact name it is asked
// for by its ID first, which spares the engine a list of all.
func (w *watch) see(ctx context.Context, ref, id string) (container.State, error) {
	if id != "" {
		call, cancel := context.WithTimeout(ctx, inspectTimeout)
		defer cancel()
		if state, err := w.runtime.Inspect(call, id); isUnreachable(err) || err == nil && state.Name == ref {
			return state, err
		}
	}
	return w.find(ctx, ref)
}

func (w *watch) find(ctx context.Context, ref string) (container.State, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	return w.runtime.Find(ctx, ref)
}

// inspected takes what one inspection saw, as of wanted.
func (w *watch) inspected(t *target, wanted time.Time, forced bool, took time.Duration, state container.State, err error) {
	if w.targets[t.service] != t || !w.settled {
		return // the service has another container, or all are inspected when the runtime is back
	}
	now := time.Now()
	seen, known := levelOf(t.ref, state, err)
	var many *container.AmbiguousError
	switch {
	case errors.As(err, &many):
		w.ambiguous(t, many)
		return
	case isUnreachable(err):
		w.drop(err)
		return
	case errors.Is(err, container.ErrNotFound) && !t.destroyed:
		w.notFound(t, forced, now)
		return
	case !known:
		w.logger.Warn("container cannot be inspected; retrying", "service", t.service, "container", t.ref, "error", err)
		t.again(now, forced, inspectAgain)
		return
	}
	w.problems.clear(t.problem())
	if err == nil {
		t.learn(state)
		seen = w.written.loops.judge(seen, state, t.startPeriod, now)
	}
	if w.writeLevel(t, seen, wanted, forced, took, now) {
		w.writeHealth(t, state, wanted, forced, took)
	}
}

// writeLevel writes what was seen where it is a change, or with forced; false
// where that waits for the event of a change.
func (w *watch) writeLevel(t *target, seen level, wanted time.Time, forced bool, took time.Duration, now time.Time) bool {
	if seen == t.written && !forced {
		return true
	}
	if seen != t.written && t.announced != "" && seen.status != t.announced && !t.gaveGrace {
		t.gaveGrace = true
		t.again(now, forced, eventGrace)
		return false
	}
	t.gaveGrace = false
	if _, is := w.owner(); !is {
		return true
	}
	t.stamp = nextStamp(t.date(seen, wanted), t.stamp)
	t.written = seen
	w.out.putLevel(t.record(event.CheckContainer, seen, t.stamp, forced, took))
	return true
}

// echoReach is how long after a container went on a pause event is inconclusive:
// after a quick unpause an engine may report another pause, which never happened.
const echoReach = time.Second

// fallPause is how long the inspection waits at least after the level that an event
// showed: a repair that is as quick as the engine has the engine for itself.
const fallPause = 50 * time.Millisecond

// fell writes the level that a die or pause event shows, without the inspection,
// which follows all the same: an engine may answer that one only once it is through
// with the end (Docker 20.10 after 60 ms) or the pause.
func (w *watch) fell(t *target, e container.Event, now time.Time) {
	if !w.settled || t.written.status != event.Up || e.ID != t.written.id || !e.Time.After(t.written.started) {
		return
	}
	state := container.State{ID: e.ID, Name: t.name, StartedAt: t.written.started, ExitCode: e.ExitCode}
	switch {
	case e.Action == container.ActionDie:
		state.Status = container.Exited
		defer func() { t.health = level{} }()
	case e.Action == container.ActionPause && now.Sub(t.wokeAt) >= echoReach:
		state.Status = container.Paused
	default:
		return
	}
	seen, _ := levelOf(t.ref, state, nil)
	w.writeLevel(t, seen, now, false, 0, now)
	t.notBefore = now.Add(fallPause)
}

// notFound takes that a container is not there, without a destroy that says
// why: it was renamed, its name in the configuration is wrong, or it was removed
// while logstream did not run. Its service may answer all the same, so no level
// is written.
func (w *watch) notFound(t *target, forced bool, now time.Time) {
	if !t.gaveGrace { // the event may follow
		t.gaveGrace = true
		t.again(now, forced, eventGrace)
		return
	}
	t.written = level{}
	what := "no container is named " + clean(t.ref)
	remedy := health.Remedy{Text: "correct the container of " + t.service + " in config.yaml; this lists all names", Command: "docker ps -a"}
	if t.renamed != "" {
		what = fmt.Sprintf("its container %s was renamed to %s", clean(t.ref), clean(t.renamed))
		remedy = health.Remedy{Text: "set container: " + clean(t.renamed) + " in config.yaml, or rename it back",
			Command: "docker rename " + clean(t.renamed) + " " + clean(t.ref)}
	}
	w.cannotSee(t, what, remedy)
}

// ambiguous takes that a service names several containers. Nothing is known of
// its container then, and nothing written.
func (w *watch) ambiguous(t *target, many *container.AmbiguousError) {
	t.written = level{}
	w.cannotSee(t, clean(many.Error()), health.Remedy{Text: "set the exact name of one of them as the service's container in config.yaml"})
}

func (w *watch) cannotSee(t *target, why string, remedy health.Remedy) {
	works := "the checks of " + t.service + " by its url"
	if t.alone {
		works = "the other services"
	}
	w.problems.report(t.problem(), health.Problem{
		What:   "service " + t.service + ": " + why,
		Works:  works,
		OnHold: "monitoring and repairing the container of " + t.service,
		Remedy: remedy,
	})
}
