package docker

import (
	"maps"
	"reflect"
	"slices"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// subtract is the container's configuration without what it has of its image,
// so that another image's own values take effect. What was asked for and is as
// the image says cannot be distinguished from what the image says.
func subtract(of apicontainer.Config, ports nat.PortMap, from imageConfig) *apicontainer.Config {
	left := of
	left.Env = slices.DeleteFunc(slices.Clone(of.Env), func(v string) bool { return slices.Contains(from.Env, v) })
	left.Labels = maps.Clone(of.Labels)
	maps.DeleteFunc(left.Labels, func(k, v string) bool { own, is := from.Labels[k]; return is && own == v })
	left.ExposedPorts = maps.Clone(of.ExposedPorts)
	maps.DeleteFunc(left.ExposedPorts, func(p nat.Port, _ struct{}) bool {
		_, own := from.ExposedPorts[string(p)]
		_, published := ports[p] // which the engine does only with what is exposed
		return own && !published
	})
	left.Volumes = maps.Clone(of.Volumes)
	maps.DeleteFunc(left.Volumes, func(target string, _ struct{}) bool { _, own := from.Volumes[target]; return own })
	left.Healthcheck = subtractHealth(of.Healthcheck, from.Healthcheck)
	for _, text := range []struct {
		own  *string
		from string
	}{{&left.User, from.User}, {&left.WorkingDir, from.WorkingDir}, {&left.StopSignal, from.StopSignal}} {
		if *text.own == text.from {
			*text.own = ""
		}
	}
	if slices.Equal(of.Shell, from.Shell) {
		left.Shell = nil
	}
	left.OnBuild = nil
	// The engine takes the image's command only where neither was given.
	sameEntrypoint, sameCmd := slices.Equal(of.Entrypoint, from.Entrypoint), slices.Equal(of.Cmd, from.Cmd)
	if sameEntrypoint && (sameCmd || len(of.Cmd) > 0) {
		left.Entrypoint = nil
		if sameCmd {
			left.Cmd = nil
		}
	}
	return &left
}

// subtractHealth removes each field that is the image's: the engine fills
// those that are not given, one by one.
func subtractHealth(of, from *apicontainer.HealthConfig) *apicontainer.HealthConfig {
	if of == nil || from == nil {
		return of
	}
	left := *of
	if slices.Equal(of.Test, from.Test) {
		left.Test = nil
	}
	for _, field := range []struct {
		own  *time.Duration
		from time.Duration
	}{{&left.Interval, from.Interval}, {&left.Timeout, from.Timeout}, {&left.StartPeriod, from.StartPeriod}, {&left.StartInterval, from.StartInterval}} {
		if *field.own == field.from {
			*field.own = 0
		}
	}
	if of.Retries == from.Retries {
		left.Retries = 0
	}
	if reflect.DeepEqual(left, apicontainer.HealthConfig{}) {
		return nil
	}
	return &left
}
