//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/bus"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/service"
	"logstream/internal/supervise"
	"logstream/monitor"
	"logstream/monitor/check"
)

// naive is the obvious first version: a goroutine and a ticker for each
// target, begun at a moment of its own, over one client that keeps its connections.
func naive(ctx context.Context, l load, address string) error {
	client := &http.Client{Timeout: l.interval / 2, Transport: &http.Transport{MaxIdleConnsPerHost: l.services}}
	group, ctx := errgroup.WithContext(ctx)
	for i := range l.services {
		supervise.Go(ctx, group, serviceName(i), func(ctx context.Context) error {
			time.Sleep(l.interval * time.Duration(i) / time.Duration(l.services))
			ticker := time.NewTicker(l.interval)
			defer ticker.Stop()
			for {
				response, err := client.Get("http://" + address + "/" + serviceName(i))
				if err == nil {
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				select {
				case <-ctx.Done():
					return nil
				case <-ticker.C:
				}
			}
		})
	}
	return group.Wait()
}

// monitorAll is this project's monitor and bus, as app.go puts them together.
func monitorAll(ctx context.Context, l load, address string) error {
	data, err := os.MkdirTemp("", "logstream-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	registry := &health.Registry{}
	config := bus.Default()
	config.Embedded.Listen, config.Embedded.Data = "127.0.0.1:0", data
	identity := event.Origin{Instance: "bench-0000", Host: "local"}
	log, err := bus.Open(ctx, config, bus.Identity{Instance: identity.Instance, Host: identity.Host}, logger, registry)
	if err != nil {
		return err
	}
	m := monitor.New(monitor.Deps{
		Log: log, Identity: identity, Services: services(l, address), Config: monitor.Default(), Logger: logger, Health: registry,
		Owner: func() (event.Origin, bool) { return event.Origin{Epoch: 1, Nonce: "bench"}, true },
		Check: check.Env{Version: "bench"},
	})
	if l.profile != "" {
		file, err := os.Create(l.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "bus", log.Run)
	supervise.Go(ctx, group, "monitor", m.Run)
	<-ctx.Done()
	pprof.StopCPUProfile()
	if err := writeHeap(l.profile); err != nil {
		return err
	}
	err = group.Wait()
	total := m.Stats().Total
	fmt.Printf("logstream counted %d scheduled checks made, %d late, %d skipped, %d records dropped\n",
		total.Made, total.Late, total.Skipped, log.Dropped())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if closing := log.Close(last); err == nil {
		err = closing
	}
	return err
}

func writeHeap(profile string) error {
	if profile == "" {
		return nil
	}
	file, err := os.Create(profile + ".heap")
	if err != nil {
		return err
	}
	defer file.Close()
	runtime.GC()
	return pprof.WriteHeapProfile(file)
}

func services(l load, address string) []service.Definition {
	all := make([]service.Definition, l.services)
	for i := range all {
		d := service.Default()
		d.Name, d.URL = serviceName(i), "http://"+address+"/"+serviceName(i)
		d.Interval, d.Timeout, d.KeepAlive = l.interval, l.interval/2, l.keepAlive
		all[i] = d
	}
	return all
}

// buildWhole builds the program that people run, and is where it stands.
func buildWhole(ctx context.Context) (string, error) {
	program := filepath.Join(os.TempDir(), "logstream-bench-whole")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return program, build.Run()
}

// configureWhole writes a configuration with the same targets, under which
// nothing is repaired, as config.yaml of a new directory, and is that: it is
// for the data as well.
func configureWhole(l load, address string) (string, error) {
	dir, err := os.MkdirTemp("", "logstream-bench-")
	if err != nil {
		return "", err
	}
	file, err := os.Create(filepath.Join(dir, "config.yaml"))
	if err != nil {
		return "", err
	}
	defer file.Close()
	fmt.Fprintf(file, "bus: {embedded: {listen: 127.0.0.1:0, data: %s}}\ndashboard: {listen: 127.0.0.1:0}\nhealer: {mode: observe, decide: runbook}\n", filepath.Join(dir, "data"))
	fmt.Fprintf(file, "defaults: {interval: %s, timeout: %s}\nservices:\n", l.interval, l.interval/2)
	for i := range l.services {
		fmt.Fprintf(file, "- {name: %s, url: \"http://%s/%s\"}\n", serviceName(i), address, serviceName(i))
	}
	return dir, nil
}

// buildGatus builds the pinned Gatus, once, and is where it stands.
func buildGatus(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "logstream-bench", "gatus-v5.36.0")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	build := exec.CommandContext(ctx, "go", "build", "-modfile", "bench/monitor/gatus.mod", "-o", program, "github.com/TwiN/gatus/v5")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return program, build.Run()
}

// gatusBetween is what Gatus waits before it begins each next endpoint.
const gatusBetween = 222 * time.Millisecond

// configureGatus writes a configuration with the same targets, results in
// memory, and as many checks at a time as it likes.
func configureGatus(l load, address string) (string, error) {
	file, err := os.CreateTemp("", "gatus-*.yaml")
	if err != nil {
		return "", err
	}
	defer file.Close()
	fmt.Fprintf(file, "concurrency: 0\nstorage: {type: memory}\nweb: {address: 127.0.0.1, port: 18099}\nendpoints:\n")
	for i := range l.services {
		fmt.Fprintf(file, "- {name: %s, url: \"http://%s/%s\", interval: %s, conditions: [\"[STATUS] == 200\"]}\n", serviceName(i), address, serviceName(i), l.interval)
	}
	return file.Name(), nil
}
