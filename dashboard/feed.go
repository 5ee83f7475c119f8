package dashboard

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

const (
	commandsKept = 7 * 24 * time.Hour
	// healthAtStart bounds how many observations of the past hour are read: of
	// more, rollups stand in for the older ones.
	healthAtStart = 40_000
)

var errUnsigned = errors.New("unsigned")

// follow reads the topics in an order that gives the same state at every start: claims
// say whose records count, and definitions which names are configured. Those of
// decisions are read equally late, so that a command's result comes with what it did.
func (r *run) follow(ctx context.Context, group *errgroup.Group) error {
	start := time.Now()
	r.oldest = start.Add(-commandsKept)
	stages := [][]event.Subscription{
		{{Topic: event.TopicIncidents, Linger: event.Linger, Handle: r.readIncident}},
		{{Topic: event.TopicServices, Linger: event.Linger, Version: event.ServiceVersion, Handle: r.readService}},
		append(r.rollups(start),
			event.Subscription{Topic: event.TopicHealth, Since: start.Add(-view.HistoryKept), Newest: healthAtStart, Handle: r.readHealth},
			event.Subscription{Topic: event.TopicCommands, Since: r.oldest, Linger: event.Linger, Handle: r.readCommand},
			event.Subscription{Topic: event.TopicThinking, Since: start, Handle: r.readThinking},
		),
	}
	for _, stage := range stages {
		caught := make(chan struct{}, len(stage))
		for _, s := range stage {
			handle, live := s.Handle, false // both belong to the subscription's goroutine
			s.Handle = func(rec event.Record) error {
				err := handle(rec)
				if live {
					r.metrics.Read(rec.Topic, time.Since(rec.Time))
				}
				return err
			}
			s.CaughtUp = func() {
				live = true
				r.metrics.Read(s.Topic, 0)
				r.send(ctx, func(l *loop) {
					l.live[s.Topic] = true
					if l.caughtUp() {
						l.repeats.Resume(now())
					}
					l.changed(true, []view.Change{{Kind: view.KindResync}})
				})
				caught <- struct{}{}
			}
			supervise.Go(ctx, group, "dashboard: "+s.Topic, func(ctx context.Context) error {
				if err := r.deps.Log.Subscribe(ctx, s); ctx.Err() == nil {
					return err
				}
				return nil
			})
		}
		for range stage {
			select {
			case <-ctx.Done():
				return nil
			case <-caught:
			}
		}
	}
	return nil
}

// rollups are the topics of rollups, from as far back as they are remembered.
func (r *run) rollups(start time.Time) []event.Subscription {
	var all []event.Subscription
	for level, kept := range view.RollupsKept {
		all = append(all, event.Subscription{Topic: event.Levels[level].Topic, Since: start.Add(-kept), Handle: func(rec event.Record) error {
			if !rec.Signed {
				return errUnsigned
			}
			rolled, err := event.DecodeRollup(rec.Value)
			if err == nil {
				r.send(r.ctx, func(l *loop) { l.fleet.ApplyRollup(level, rolled) })
			}
			return err
		}})
	}
	return all
}

// Handlers of records. An error goes to the bus, which counts it; the dead
// letters are the healer's to write.

func (r *run) readIncident(rec event.Record) error {
	if !rec.Signed {
		return errUnsigned
	}
	e, err := event.DecodeIncident(rec.Value)
	if err != nil {
		return err
	}
	r.send(r.ctx, func(l *loop) {
		before := len(l.fleet.Incidents.All())
		changes := l.fleet.ApplyIncident(e, now())
		l.countIncident(e, changes, before)
		l.changed(l.live[rec.Topic], changes)
		if e.Type == event.TypeActionStarted && counted(changes) && e.Host == r.deps.Identity.Host {
			l.repeats.Acted(e.Service, e.Time)
		}
		if e.Type == event.TypeClaim && l.live[rec.Topic] {
			l.infoChanged()
		}
	})
	return nil
}

// counted says whether an event of an incident counted, by what it changed.
func counted(changes []view.Change) bool {
	return slices.ContainsFunc(changes, func(c view.Change) bool { return c.Kind == view.KindIncident })
}

func (r *run) readService(rec event.Record) error {
	if !rec.Signed {
		return errUnsigned
	}
	s, err := event.DecodeService(rec.Value)
	if err != nil {
		return err
	}
	r.send(r.ctx, func(l *loop) { l.changed(l.live[rec.Topic], l.fleet.ApplyService(s, now())) })
	return nil
}

func (r *run) readHealth(rec event.Record) error {
	h, err := event.DecodeHealthLog(rec.Value)
	if err != nil {
		return err
	}
	r.send(r.ctx, func(l *loop) {
		changes := l.fleet.ApplyHealth(h, rec.Signed, rec.Time, now())
		l.changed(l.live[rec.Topic], changes)
		l.repeats.Apply(h, rec.Signed, rec.Time)
		if l.live[rec.Topic] {
			l.countCheck(h, rec.Signed, changes)
		}
	})
	return nil
}

func (r *run) readCommand(rec event.Record) error {
	if !rec.Signed {
		return errUnsigned
	}
	c, err := event.DecodeCommand(rec.Value)
	if err != nil {
		return err
	}
	if c.Time.Before(r.oldest) {
		return nil // it was not read when it was new, so a copy of it could not be recognised
	}
	r.send(r.ctx, func(l *loop) {
		changes, changed := l.fleet.ApplyCommand(c, now())
		l.changed(l.live[rec.Topic], changes)
		if changed && l.live[rec.Topic] {
			l.infoChanged() // it may be a hold
		}
	})
	return nil
}

// readThinking takes what a model writes. An unsigned record may be
// forged.
func (r *run) readThinking(rec event.Record) error {
	if !rec.Signed {
		return errUnsigned
	}
	t, err := event.DecodeThinking(rec.Value)
	if err != nil {
		return err
	}
	r.send(r.ctx, func(l *loop) { l.changed(l.live[rec.Topic], l.fleet.ApplyThinking(t)) })
	return nil
}

// reconfigure hands on what is configured from now on.
func (r *run) reconfigure(ctx context.Context, applied <-chan []service.Definition) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case defs := <-applied:
			r.send(ctx, func(l *loop) { l.changed(true, l.fleet.Configure(defs, now())) })
			select {
			case r.poke <- struct{}{}:
			default:
			}
		}
	}
}
