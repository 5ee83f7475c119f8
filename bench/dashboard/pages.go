//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing/fstest"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/dashboard"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

// pages is this project's dashboard, on a log that is its standard input: what it
// costs to read Kafka is not in it, for no other server does.
func pages(ctx context.Context, services int) error {
	defs := make([]service.Definition, services)
	for i := range defs {
		defs[i] = service.Default()
		defs[i].Name, defs[i].URL = serviceName(i), "http://127.0.0.1:1"
	}
	log := input{lines: make(chan []byte, 1000)}
	d, err := dashboard.New(dashboard.Deps{
		Config: dashboard.Config{Listen: "127.0.0.1:0"}, Log: log, Identity: event.Origin{Instance: instance, Host: host},
		Static:   fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}},
		Services: func() []service.Definition { return defs },
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	if err := d.Listen(); err != nil {
		return err
	}
	fmt.Println(d.Addr())
	ctx, end := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "dashboard", d.Run)
	events := bufio.NewScanner(os.Stdin)
	for events.Scan() {
		select {
		case log.lines <- append([]byte(nil), events.Bytes()...):
		case <-ctx.Done():
		}
	}
	end()
	return group.Wait()
}

// input is a log whose topic of observations is what comes in, and whose others
// are empty.
type input struct{ lines chan []byte }

func (input) Append(context.Context, string, string, []byte) error { return nil }
func (input) Enqueue(string, string, []byte)                       {}

func (l input) Subscribe(ctx context.Context, s event.Subscription) error {
	if s.CaughtUp != nil {
		s.CaughtUp()
	}
	if s.Topic != event.TopicHealth {
		<-ctx.Done()
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case value := <-l.lines:
			if err := s.Handle(event.Record{Topic: s.Topic, Time: time.Now(), Value: value, Signed: true}); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
			}
		}
	}
}
