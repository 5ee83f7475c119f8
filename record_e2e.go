//go:build e2e

package main

import (
	"os"
	"time"

	"logstream/healer"
	"logstream/healer/replay"
	"logstream/internal/service"
)

// A test names the directory in which each life of the healer leaves what it
// was given and what it decided, and says which scenario it is, on which engine.
const (
	recordingsDir     = "LOGSTREAM_RECORDINGS"
	recordingScenario = "LOGSTREAM_SCENARIO"
	recordingEngine   = "LOGSTREAM_SCENARIO_ENGINE"
)

// observed has the healer's decisions recorded where a test asks for it. A
// recording that fails ends the process: a scenario with a hole guards nothing.
func observed(deps healer.Deps) healer.Deps {
	dir := os.Getenv(recordingsDir)
	if dir == "" {
		return deps
	}
	deps.Observe = func(services []service.Definition, began time.Time) func(healer.Input, time.Time, []healer.Effect) {
		file, err := os.CreateTemp(dir, "*.jsonl")
		must(err)
		recorder, err := replay.NewRecorder(file, replay.Header{Scenario: os.Getenv(recordingScenario), Engine: os.Getenv(recordingEngine),
			Instance: deps.Instance, Host: deps.Host, Config: deps.Config, Services: services, Protected: deps.Protected, Start: began})
		must(err)
		return func(in healer.Input, at time.Time, out []healer.Effect) { must(recorder.Observe(in, at, out)) }
	}
	return deps
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
