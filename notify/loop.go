package notify

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/retry"
	"logstream/internal/supervise"
)

const (
	tickEach = time.Second
	// mostUnwritten is how many records may wait for Kafka; what is beyond may be
	// sent again after a restart.
	mostUnwritten = 1000
	writeWithin   = 5 * time.Second
)

// life is one Run. Fold and receivers belong to its loop.
type life struct {
	*Notifier
	group     *errgroup.Group
	fold      *Fold
	receivers []*receiver
	calls     chan func()
	results   chan func() // not buffered: what is taken is done
	unwritten chan event.Notification
	ready     bool // all that was on the topics at the start is read
}

func newLife(n *Notifier, group *errgroup.Group) *life {
	l := &life{Notifier: n, group: group, fold: NewFold(n.deps.Identity.Host, n.deps.Config),
		calls: make(chan func(), 256), results: make(chan func()), unwritten: make(chan event.Notification, mostUnwritten)}
	for _, r := range n.deps.Config.Receivers {
		l.receivers = append(l.receivers, &receiver{Receiver: r, backoff: retry.NewBackoff(firstRetry, lastRetry)})
	}
	return l
}

// read follows the topics: incidents first, whose claims say what counts.
func (l *life) read(ctx context.Context) error {
	now := time.Now()
	stages := [][]event.Subscription{
		{{Topic: event.TopicIncidents, Handle: reading(l, ctx, event.DecodeIncident, l.fold.ReadIncident)}},
		{
			{Topic: event.TopicServices, Version: event.ServiceVersion, Handle: reading(l, ctx, event.DecodeService, l.fold.ReadService)},
			{Topic: event.TopicNotifications, Since: now.Add(-sentKept), Handle: reading(l, ctx, event.DecodeNotification, l.fold.ReadNotification)},
		},
	}
	for _, stage := range stages {
		caught := make(chan struct{}, len(stage))
		for _, s := range stage {
			s.CaughtUp = func() { caught <- struct{}{} }
			supervise.Go(ctx, l.group, "notify reads "+s.Topic, func(ctx context.Context) error {
				if err := l.deps.Log.Subscribe(ctx, s); ctx.Err() == nil {
					return fmt.Errorf("read %s: %w", s.Topic, err)
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
	l.give(ctx, func() { l.ready = true })
	return nil
}

// reading is a handler that gives signed records to the fold, in the loop.
func reading[T any](l *life, ctx context.Context, decode func([]byte) (T, error), take func(T)) func(event.Record) error {
	return func(rec event.Record) error {
		if !rec.Signed {
			return nil
		}
		record, err := decode(rec.Value)
		if err == nil {
			l.give(ctx, func() { take(record) })
		}
		return err
	}
}

// give has the loop do something.
func (l *life) give(ctx context.Context, call func()) {
	select {
	case l.calls <- call:
	case <-ctx.Done():
	}
}

func (l *life) loop(ctx context.Context) error {
	ticker := time.NewTicker(tickEach)
	defer ticker.Stop()
	for {
		changed := l.deps.Health.Changed() // before the list is read
		l.act(ctx, time.Now())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case call := <-l.calls:
			call()
			for more := true; more; { // a replay is folded without deciding after each record
				select {
				case call := <-l.calls:
					call()
				default:
					more = false
				}
			}
		case result := <-l.results:
			result()
		case <-changed:
		case <-ticker.C:
			l.fold.Tick(time.Now())
		}
	}
}

// act begins whatever there is to do for the receivers that wait for nothing.
func (l *life) act(ctx context.Context, now time.Time) {
	l.fold.SetProblems(l.deps.Health.List(), now)
	origin, owns := l.deps.Owner()
	if !l.ready || !owns || ctx.Err() != nil {
		return
	}
	for _, r := range l.receivers {
		for !r.busy && !now.Before(r.notBefore) {
			d, is := l.fold.Next(r.Receiver, now)
			if !is {
				break
			}
			if d.Outcome != event.NotificationSent {
				l.record(l.recordOf(d, "", origin, now))
				continue
			}
			l.begin(ctx, r, d, origin)
		}
	}
}

// recordOf says what became of a decision.
func (l *life) recordOf(d Decision, title string, origin event.Origin, now time.Time) event.Notification {
	return event.Notification{Time: now.UTC(), Receiver: d.Receiver, Event: d.Note.Event, Outcome: d.Outcome, News: d.News, Repeat: d.Note.Repeat,
		Service: d.Note.Service, Incident: d.Note.Incident, Title: title, Origin: origin}
}

// record folds what became of a decision, and has it written.
func (l *life) record(n event.Notification) {
	l.fold.ReadNotification(n)
	select {
	case l.unwritten <- n:
	default:
		l.log.Warn("notification not recorded: too many records wait for Kafka; a restart may send it again", "receiver", n.Receiver, "event", n.Event)
	}
}

// begin sends a message. It is finished within a moment after ctx ended.
func (l *life) begin(ctx context.Context, r *receiver, d Decision, origin event.Origin) {
	r.busy = true
	supervise.Go(ctx, l.group, "notify "+d.Receiver, func(ctx context.Context) error {
		sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, cancel) })()
		m := l.message(r.Receiver, d.Note, time.Now())
		err := r.send(sending, m)
		sent := l.recordOf(d, m.Title, origin, time.Now())
		select {
		case l.results <- func() { l.finish(r, sent, err) }:
		case <-ctx.Done():
			if err == nil {
				l.writeLast(ctx, sent)
			}
		}
		return nil
	})
}

// finish takes how a message went.
func (l *life) finish(r *receiver, sent event.Notification, err error) {
	r.busy = false
	l.status.set(sent.Receiver, err)
	if err != nil {
		wait := r.backoff.Next()
		r.notBefore = time.Now().Add(wait)
		l.log.Warn("notification failed; retrying", "receiver", sent.Receiver, "event", sent.Event, "error", err, "in", wait.Round(time.Second))
		return
	}
	r.backoff.Reset()
	l.log.Info("notification sent", "receiver", sent.Receiver, "event", sent.Event, "service", sent.Service, "incident", sent.Incident)
	l.record(sent)
}

// write writes the records, in their order.
func (l *life) write(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			l.writeLast(ctx)
			return ctx.Err()
		case n := <-l.unwritten:
			for tries := retry.NewBackoff(firstRetry/4, lastRetry/30); l.append(ctx, n) != nil; {
				if !tries.Wait(ctx) {
					l.writeLast(ctx, n)
					return ctx.Err()
				}
			}
		}
	}
}

// writeLast writes records, and those that wait, once more when ctx has ended:
// without them a restart would send again.
func (l *life) writeLast(ctx context.Context, records ...event.Notification) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
	defer cancel()
	for {
		for _, n := range records {
			if err := l.append(ctx, n); err != nil {
				l.log.Warn("notification not recorded: a restart may send it again", "receiver", n.Receiver, "error", err)
			}
		}
		select {
		case n := <-l.unwritten:
			records = []event.Notification{n}
		default:
			return
		}
	}
}

func (l *life) append(ctx context.Context, n event.Notification) error {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	return l.deps.Log.Append(ctx, event.TopicNotifications, n.Receiver, event.Encode(n))
}
