package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/state"
	"logstream/internal/supervise"
)

const (
	// eventsWaiting is how many events wait for a program that reads slowly. While
	// it is full no further event is read from Kafka, which holds nothing else up.
	eventsWaiting = 256
	// lastLinesWithin is how long the end waits for the lines that still wait.
	lastLinesWithin = 2 * time.Second
)

// eventLines writes each event of an incident of this host as a line of JSON: the
// record as it is on logstream.incidents, once, in the order of its incident, from
// the start of the process on. What does not count is passed over: records that
// are unsigned, repeated or of an instance that lost its claim, and claims, which
// belong to no incident.
type eventLines struct {
	began time.Time
	lines chan []byte
	// sent is the seq of the newest event of each incident that was handed over:
	// parts that are opened again read the topic from its beginning.
	sent   map[string]int
	ending chan struct{} // no further event comes
	closed chan struct{} // the writer has ended
}

// newEventLines begins to write to out. A program that reads no more ends the
// lines, and nothing else.
func newEventLines(ctx context.Context, out io.Writer, log *slog.Logger) *eventLines {
	l := &eventLines{began: time.Now(), lines: make(chan []byte, eventsWaiting), sent: map[string]int{}, ending: make(chan struct{}), closed: make(chan struct{})}
	// A write to a standard output that nothing reads would end the process. It
	// is not ignored, which the programs that we start would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	var writer errgroup.Group // whose end is closed: a write may hang for ever
	supervise.Go(context.WithoutCancel(ctx), &writer, "events: output", func(context.Context) error {
		defer close(l.closed)
		var err error
		for line := l.next(); line != nil; line = l.next() {
			if err != nil {
				continue
			}
			if _, err = out.Write(append(line, '\n')); err != nil {
				log.Warn("events are no longer written: their reader has ended; restart LogStream to write them again", "error", err)
			}
		}
		return nil
	})
	return l
}

// next waits for a line; nil at the end, after the last that waits.
func (l *eventLines) next() []byte {
	select {
	case line := <-l.lines:
		return line
	case <-l.ending:
	}
	select {
	case line := <-l.lines:
		return line
	default:
		return nil
	}
}

// close ends the lines after the last that waits, if it is read in time.
func (l *eventLines) close() {
	close(l.ending)
	select {
	case <-l.closed:
	case <-time.After(lastLinesWithin):
	}
}

// follow hands over what happens on host, until ctx ends.
func (l *eventLines) follow(ctx context.Context, events subscriber, host string) error {
	incidents := state.NewIncidents()
	return events.Subscribe(ctx, event.Subscription{Topic: event.TopicIncidents, Handle: func(r event.Record) error {
		if !r.Signed {
			return nil
		}
		e, err := event.DecodeIncident(r.Value)
		if err != nil {
			return err
		}
		in, counts := incidents.Apply(e)
		incidents.Forget(kept)
		if in == nil || !counts || e.Host != host || e.Time.Before(l.began) || e.Seq <= l.sent[e.ID] {
			return nil
		}
		var line bytes.Buffer
		if err := json.Compact(&line, r.Value); err != nil {
			return err
		}
		select {
		case l.lines <- line.Bytes():
			l.sent[e.ID] = e.Seq
		case <-ctx.Done():
		}
		if len(l.sent) > 2*kept {
			maps.DeleteFunc(l.sent, func(id string, _ int) bool { return incidents.Get(id) == nil })
		}
		return nil
	}})
}
