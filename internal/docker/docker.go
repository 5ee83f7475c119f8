// Package docker is the container runtime over a Docker engine, and the one
// importer of its client. It speaks the version of the API that the engine
// speaks (20.10 is API 1.41), dials nothing before the first call, and wraps
// every failure as what was attempted, on what, and why: see classify.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"logstream/internal/container"
	"logstream/internal/text"
)

// readTimeout bounds a call that changes nothing, for callers without a deadline
// of their own: an engine that hangs must not hang its watchers.
const readTimeout = 15 * time.Second

// theEngine is the object of calls that concern no container.
const theEngine = "the engine"

// engine is what of the Docker client is used here.
type engine interface {
	Ping(ctx context.Context) (types.Ping, error)
	Info(ctx context.Context) (system.Info, error)
	ServerVersion(ctx context.Context) (types.Version, error)
	ContainerList(ctx context.Context, options apicontainer.ListOptions) ([]apicontainer.Summary, error)
	ContainerInspect(ctx context.Context, id string) (apicontainer.InspectResponse, error)
	ContainerLogs(ctx context.Context, id string, options apicontainer.LogsOptions) (io.ReadCloser, error)
	Events(ctx context.Context, options events.ListOptions) (<-chan events.Message, <-chan error)
	ContainerStart(ctx context.Context, id string, options apicontainer.StartOptions) error
	ContainerRestart(ctx context.Context, id string, options apicontainer.StopOptions) error
	ContainerStop(ctx context.Context, id string, options apicontainer.StopOptions) error
	ContainerKill(ctx context.Context, id, signal string) error
	ContainerPause(ctx context.Context, id string) error
	ContainerUnpause(ctx context.Context, id string) error
	ContainerUpdate(ctx context.Context, id string, change apicontainer.UpdateConfig) (apicontainer.UpdateResponse, error)
	ContainerRename(ctx context.Context, id, name string) error
	ContainerCreate(ctx context.Context, config *apicontainer.Config, host *apicontainer.HostConfig, networks *network.NetworkingConfig, platform *ocispec.Platform, name string) (apicontainer.CreateResponse, error)
	ContainerStatsOneShot(ctx context.Context, id string) (apicontainer.StatsResponseReader, error)
	ContainerTop(ctx context.Context, id string, arguments []string) (apicontainer.TopResponse, error)
	NetworkConnect(ctx context.Context, networkName, id string, endpoint *network.EndpointSettings) error
	NetworkDisconnect(ctx context.Context, networkName, id string, force bool) error
	NetworkInspect(ctx context.Context, networkName string, options network.InspectOptions) (network.Inspect, error)
	ImageInspect(ctx context.Context, id string, options ...client.ImageInspectOption) (image.InspectResponse, error)
	VolumeInspect(ctx context.Context, name string) (volume.Volume, error)
}

var (
	_ engine            = (*client.Client)(nil)
	_ container.Runtime = (*Runtime)(nil)
)

// Runtime is a Docker engine. It is safe for use by many goroutines.
type Runtime struct {
	config Config
	env    surroundings
	where  atomic.Pointer[place]
	self   string // ID of the container that we run in, or empty
	log    *slog.Logger

	quiet, pulse time.Duration // quietTime and pulseTimeout; shorter in tests

	named  sync.Map                      // the ID of the container that last had an exact name, by the name
	agreed atomic.Pointer[client.Client] // speaks the engine's version; nil before the first answer
}

// New makes the runtime of the engine that config names. Nothing is dialled:
// an unreachable engine shows in the first call. An error says what is wrong
// with the configuration, with the environment or with Docker's own files.
func New(config Config, log *slog.Logger) (*Runtime, error) {
	return newRuntime(config, environment(), log)
}

func newRuntime(config Config, env surroundings, log *slog.Logger) (*Runtime, error) {
	r := &Runtime{config: config, env: env, self: readSelf(), log: log, quiet: quietTime, pulse: pulseTimeout}
	where, err := locate(config, env)
	if err != nil {
		return nil, err
	}
	r.where.Store(&where)
	probe, err := r.dial()
	if err != nil {
		return nil, fmt.Errorf("use the Docker engine at %s (%s): %w", where.host, where.source, err)
	}
	log.Debug("Docker engine chosen", "address", where.host, "chosen_by", where.source)
	return r, probe.Close()
}

// dial builds a client; it dials nothing.
func (r *Runtime) dial() (*client.Client, error) {
	options, err := r.where.Load().options()
	if err != nil {
		return nil, err
	}
	return client.NewClientWithOpts(options...)
}

// relocate searches again for an engine where none of the standard sockets existed.
func (r *Runtime) relocate() {
	if !r.where.Load().provisional {
		return
	}
	if where, err := locate(r.config, r.env); err == nil && !where.provisional {
		r.where.Store(&where)
		r.log.Info("Docker engine chosen", "address", where.host, "chosen_by", where.source)
	}
}

// Host is the engine's address, such as unix:///var/run/docker.sock.
func (r *Runtime) Host() string { return r.where.Load().host }

// ChosenBy is what that address was chosen by, such as DOCKER_HOST.
func (r *Runtime) ChosenBy() string { return r.where.Load().source }

// Close gives idle connections back. The runtime can be used again.
func (r *Runtime) Close() error {
	if c := r.agreed.Swap(nil); c != nil {
		return c.Close()
	}
	return nil
}

// Info reads from the engine its version and how many containers it keeps. Its
// address, and what it was chosen by, are given with an error too.
func (r *Runtime) Info(ctx context.Context) (container.Info, error) {
	info, err := r.info(ctx)
	where := r.where.Load()
	return container.Info{Kind: "docker", ID: text.Clip(info.ID, maxAttribute), Version: info.ServerVersion, Containers: info.Containers,
		Address: where.host, ChosenBy: where.source}, err
}

func (r *Runtime) info(ctx context.Context) (system.Info, error) {
	return query(ctx, r, "get the version of", theEngine, func(ctx context.Context, e engine) (system.Info, error) {
		return e.Info(ctx)
	})
}

// query makes a call that changes nothing, within readTimeout.
func query[T any](ctx context.Context, r *Runtime, what, on string, request func(context.Context, engine) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var answer T
	err := r.call(ctx, what, on, func(e engine) (err error) {
		answer, err = request(ctx, e)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

// call makes one call and says of a failure what was attempted on what.
func (r *Runtime) call(ctx context.Context, what, on string, request func(engine) error) error {
	e, err := r.agree(ctx)
	if err == nil {
		err = request(e)
	}
	if err == nil {
		return nil
	}
	return r.fail(what, on, err)
}

// fail wraps what the client said. Of an engine that turns out to speak
// another version than the one agreed on (it was replaced) the agreement is
// forgotten, so that the next call negotiates again.
func (r *Runtime) fail(what, on string, err error) error {
	failure := classify(err)
	switch {
	case failure == otherVersion:
		r.agreed.Store(nil)
	case failure == forbidden && r.self != "":
		failure = noGroup
	}
	return failure.wrap(what, on, r.Host(), err)
}

// errNoVersion is an answer that doesn't come from a Docker engine.
var errNoVersion = errors.New("the server at this address does not report a version of Docker's API")

// agree is a client that speaks the engine's version of the API. The client
// could agree by itself, but when its question failed it would go on with a
// version that the engine may refuse, and a refusal counts as an attempt.
func (r *Runtime) agree(ctx context.Context) (engine, error) {
	if c := r.agreed.Load(); c != nil {
		return c, nil
	}
	r.relocate()
	c, err := r.dial()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, r.pulse) // a stream of events has no deadline
	defer cancel()
	ping, err := c.Ping(limited)
	if err != nil {
		if classify(err) == refused {
			err = errors.New(err.Error()) // nothing was asked for that could be refused
		}
		return nil, errors.Join(err, c.Close())
	}
	if ping.APIVersion == "" {
		return nil, errors.Join(errNoVersion, c.Close())
	}
	c.NegotiateAPIVersionPing(ping)
	if !r.agreed.CompareAndSwap(nil, c) {
		return c, nil // another caller agreed meanwhile; this one serves one call
	}
	r.log.Debug("Docker API version negotiated", "host", r.Host(), "version", c.ClientVersion())
	return c, nil
}
