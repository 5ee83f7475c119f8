//go:build e2e

// Package death measures how soon the end of a container is on system-logs:
// from the instant that the engine stamps its die event with, to the instant at
// which a reader of the topic has the level that says DOWN. Beside it, in the
// same deaths, how soon a bare client of the engine's socket has that event.
//
//	go test -tags e2e -run '^$' -bench . -benchtime 30x ./bench/death
package death

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/bus"
	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/docker"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/monitor"
)

const (
	name     = "mortal"
	patience = 20 * time.Second
)

// engines are those of these measurements.
var engines engine.Set

func TestMain(m *testing.M) {
	engines.Prepare = func(e *engine.Engine) error {
		return images.LoadAll(context.Background(), e, images.Webapp)
	}
	code := m.Run()
	if err := engines.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// arrival is when something that happened at a time was there.
type arrival struct{ of, at time.Time }

func BenchmarkDeath(b *testing.B) {
	e, err := engines.Default()
	if err != nil {
		b.Fatal(err)
	}
	e.Docker(b, "run", "-d", "--name", name, images.Webapp.Name)
	raw, levels := bareClient(b, e), topic(b, e)
	await(b, levels, event.Up)
	var bare, ours []time.Duration
	for b.Loop() {
		e.Docker(b, "kill", name)
		die := receive(b, raw)
		down := await(b, levels, event.Down)
		bare, ours = append(bare, die.at.Sub(die.of)), append(ours, down.Sub(die.of))
		e.Docker(b, "start", name)
		await(b, levels, event.Up)
	}
	b.ReportMetric(0, "ns/op") // of a death with its start: it says nothing
	b.ReportMetric(milliseconds(median(ours)), "ms-median")
	b.ReportMetric(milliseconds(slices.Max(ours)), "ms-max")
	b.ReportMetric(milliseconds(median(bare)), "ms-bare-median")
	b.ReportMetric(float64(median(ours))/float64(median(bare)), "x-bare")
}

func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// bareClient reads the engine's die events with nothing in between.
func bareClient(b *testing.B, e *engine.Engine) <-chan arrival {
	b.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
	}}}
	filter := url.QueryEscape(`{"type":["container"],"event":["die"]}`)
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://engine/events?filters="+filter, nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	arrivals := make(chan arrival, 1000)
	go func() {
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			at := time.Now()
			var message struct{ TimeNano int64 }
			if json.Unmarshal(lines.Bytes(), &message) == nil {
				arrivals <- arrival{time.Unix(0, message.TimeNano), at}
			}
		}
	}()
	return arrivals
}

// level is what a reader of system-logs has of the container.
type level struct {
	status event.Status
	at     time.Time
}

// topic runs a monitor and the embedded broker as the program has them, and
// reads what comes of it.
func topic(b *testing.B, e *engine.Engine) <-chan level {
	b.Helper()
	log := slog.New(slog.NewTextHandler(b.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	registry, identity := &health.Registry{}, event.Origin{Instance: "bench-1", Host: "local"}
	config := bus.Default()
	config.Embedded.Listen, config.Embedded.Data = "127.0.0.1:0", b.TempDir()
	kafka, err := bus.Open(b.Context(), config, bus.Identity{Instance: identity.Instance, Host: identity.Host}, log, registry)
	if err != nil {
		b.Fatal(err)
	}
	runtime, err := docker.New(docker.Config{Host: e.Host()}, log)
	if err != nil {
		b.Fatal(err)
	}
	def := service.Default()
	def.Name, def.Container = name, name
	owner := identity
	owner.Epoch, owner.Nonce = 1, "bench"
	watching := monitor.New(monitor.Deps{Log: kafka, Runtime: runtime, Identity: identity, Owner: func() (event.Origin, bool) { return owner, true },
		Services: []service.Definition{def}, Logger: log, Health: registry})
	levels := make(chan level, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	var parts errgroup.Group
	parts.Go(func() error { return kafka.Run(ctx) })
	parts.Go(func() error { return watching.Run(ctx) })
	parts.Go(func() error {
		return kafka.Subscribe(ctx, event.Subscription{Topic: event.TopicHealth, Handle: func(r event.Record) error {
			at := time.Now()
			h, err := event.DecodeHealthLog(r.Value)
			if err == nil && h.Check == event.CheckContainer {
				levels <- level{h.Status, at}
			}
			return err
		}})
	})
	b.Cleanup(func() {
		cancel()
		_ = parts.Wait() // by its context
		last, done := context.WithTimeout(context.Background(), patience)
		defer done()
		if err := kafka.Close(last); err != nil {
			b.Error(err)
		}
	})
	return levels
}

func receive(b *testing.B, arrivals <-chan arrival) arrival {
	b.Helper()
	select {
	case a := <-arrivals:
		return a
	case <-time.After(patience):
		b.Fatal("the engine reports no die event")
		return arrival{}
	}
}

// await is when the next level of that status was there.
func await(b *testing.B, levels <-chan level, status event.Status) time.Time {
	b.Helper()
	end := time.After(patience)
	for {
		select {
		case l := <-levels:
			if l.status == status {
				return l.at
			}
		case <-end:
			b.Fatalf("no level says %s", status)
		}
	}
}
