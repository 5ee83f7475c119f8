package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"logstream/internal/container"
	"logstream/internal/redact"
	"logstream/internal/text"
)

// defaultStopTimeout is the engine's, for a container without its own.
const defaultStopTimeout = 10 * time.Second

// defaultCPUPeriod is the kernel's, in microseconds, for a quota without one.
const defaultCPUPeriod = 100_000

// Inspect is the container with that ID as it is now.
func (r *Runtime) Inspect(ctx context.Context, id string) (container.State, error) {
	answer, err := r.inspect(ctx, id)
	if err != nil {
		return container.State{}, err
	}
	state, err := toState(answer)
	if err != nil {
		return container.State{}, fmt.Errorf("inspect container %s: %w: the answer of %s is not valid: %w",
			short(id), container.ErrUnavailable, r.Host(), err)
	}
	state.Self = r.self != "" && strings.HasPrefix(state.ID, r.self)
	if state.Kept, err = r.kept(ctx, answer); err != nil {
		return container.State{}, err
	}
	if state.Project != "" {
		if state.Replacing, err = r.replacing(ctx, state.Name, state.ID); err != nil {
			return container.State{}, err
		}
	}
	return state, nil
}

// cpus is the limit, however it was given.
func cpus(limits apicontainer.Resources) float64 {
	switch {
	case limits.NanoCPUs > 0:
		return float64(limits.NanoCPUs) / 1e9
	case limits.CPUQuota > 0 && limits.CPUPeriod > 0:
		return float64(limits.CPUQuota) / float64(limits.CPUPeriod)
	case limits.CPUQuota > 0:
		return float64(limits.CPUQuota) / defaultCPUPeriod
	}
	return 0
}

// variables are the names only: their values are secret.
func variables(environment []string) []string {
	var names []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, text.Clip(name, maxAttribute))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *Runtime) inspect(ctx context.Context, id string) (apicontainer.InspectResponse, error) {
	return query(ctx, r, "inspect", "container "+short(id), func(ctx context.Context, e engine) (apicontainer.InspectResponse, error) {
		return e.ContainerInspect(ctx, id)
	})
}

// short is an ID as docker ps shows it.
func short(id string) string { return id[:min(len(id), 12)] }

// toState reads a container out of the engine's answer.
func toState(c apicontainer.InspectResponse) (container.State, error) {
	if c.ContainerJSONBase == nil || c.State == nil || c.Config == nil || c.HostConfig == nil || c.ID == "" {
		return container.State{}, errors.New("it lacks the container's ID, State, Config or HostConfig")
	}
	started, err := instant(c.State.StartedAt)
	if err != nil {
		return container.State{}, fmt.Errorf("StartedAt: %w", err)
	}
	finished, err := instant(c.State.FinishedAt)
	if err != nil {
		return container.State{}, fmt.Errorf("FinishedAt: %w", err)
	}
	hash, err := specHash(c)
	if err != nil {
		return container.State{}, fmt.Errorf("hash its specification: %w", err)
	}
	secrets := redact.OfEnvironment(c.Config.Env)
	health, output := healthOf(c.State.Health, secrets)
	return container.State{
		Name:          strings.TrimPrefix(c.Name, "/"),
		ID:            c.ID,
		Image:         c.Config.Image,
		ImageID:       c.Image,
		SpecHash:      hash,
		Status:        container.Status(c.State.Status),
		StartedAt:     started,
		FinishedAt:    finished,
		ExitCode:      c.State.ExitCode,
		OOMKilled:     c.State.OOMKilled,
		Error:         readable(c.State.Error, secrets), // it may have the command line in it
		RestartPolicy: string(c.HostConfig.RestartPolicy.Name),
		RestartLimit:  c.HostConfig.RestartPolicy.MaximumRetryCount,
		AutoRemove:    c.HostConfig.AutoRemove,
		RestartCount:  c.RestartCount,
		Health:        health,
		HealthOutput:  output,
		HealthEach:    healthEach(health, c.Config.Healthcheck),
		HealthRun:     newestRun(c.State.Health),
		StopSignal:    signalNumber(c.Config.StopSignal),
		StopTimeout:   stopTimeout(c.Config.StopTimeout),
		Project:       c.Config.Labels[labelProject],
		Service:       c.Config.Labels[labelService],
		HostPorts:     hostPorts(c.HostConfig.PortBindings),
		Published:     published(c.HostConfig.PortBindings),
		PortTaken:     portTaken(c.State.Error),
		Networks:      attachments(c),
		NetworkOf:     networkOf(c.HostConfig.NetworkMode),
		Detached:      detached(c),
		DependsOn:     dependsOn(c.Config.Labels[labelDependsOn]),
		Memory:        limitOf(c.HostConfig.Memory),
		CPUs:          cpus(c.HostConfig.Resources),
		ReadOnly:      c.HostConfig.ReadonlyRootfs,
		Variables:     variables(c.Config.Env),
	}, nil
}

// maxOutput bounds what is kept of a health check's output, in bytes.
const maxOutput = 256

// healthOf is what the container's own health check says; of an unhealthy one
// also what it printed last. What an engine may say besides, none among it, is
// nothing.
func healthOf(h *apicontainer.Health, secrets []string) (health container.Health, output string) {
	if h == nil {
		return "", ""
	}
	switch health = container.Health(h.Status); health {
	case container.Starting, container.Healthy:
		return health, ""
	case container.Unhealthy:
	default:
		return "", ""
	}
	if n := len(h.Log); n > 0 && h.Log[n-1] != nil && h.Log[n-1].ExitCode != 0 {
		output = text.Clip(strings.TrimSpace(readable(h.Log[n-1].Output, secrets)), maxOutput)
	}
	return health, output
}

// defaultHealthEach is the engine's, for a HEALTHCHECK without its own interval.
const defaultHealthEach = 30 * time.Second

func healthEach(health container.Health, of *apicontainer.HealthConfig) time.Duration {
	switch {
	case health == "":
		return 0
	case of == nil || of.Interval <= 0:
		return defaultHealthEach
	}
	return of.Interval
}

// newestRun is the last of the runs that the engine keeps: it keeps those that ended.
func newestRun(h *apicontainer.Health) container.HealthRun {
	if h == nil || len(h.Log) == 0 || h.Log[len(h.Log)-1] == nil {
		return container.HealthRun{}
	}
	run := h.Log[len(h.Log)-1]
	return container.HealthRun{Began: run.Start.UTC(), Took: run.End.Sub(run.Start), OK: run.ExitCode == 0}
}

// readable is what others wrote, as one line, without secrets: those of the
// container's variables, and what looks like one.
func readable(s string, secrets []string) string {
	return redact.Text(redact.Known(text.Line(s), secrets...))
}

// hostPorts are those that were asked for, whether the container runs or not.
func hostPorts(bindings nat.PortMap) string {
	var ports []string
	for _, all := range bindings {
		for _, b := range all {
			if b.HostPort != "" {
				ports = append(ports, b.HostPort)
			}
		}
	}
	slices.Sort(ports)
	return strings.Join(slices.Compact(ports), " ")
}

// instant reads a time; the engine's "never" is the zero time.
func instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

func stopTimeout(seconds *int) time.Duration {
	if seconds == nil {
		return defaultStopTimeout
	}
	return time.Duration(*seconds) * time.Second
}
