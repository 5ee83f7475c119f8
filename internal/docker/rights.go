package docker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/network"

	cerrdefs "github.com/containerd/errdefs"

	"logstream/internal/container"
	"logstream/internal/docker/rights"
)

// Right is one kind of call that LogStream makes, and whether it is let through
// to the engine: a proxy before its socket may refuse some.
type Right struct {
	Call    string // such as POST /containers/{id}/start
	For     rights.Use
	Allowed bool
}

// tries makes each call of rights.Calls on a container, a network and an image
// that do not exist, so that it changes nothing: the engine answers that there is
// none, and a proxy that refuses the call says something else. Those that are not
// here were made before any other, or are needed by the examination alone.
var tries = map[string]func(ctx context.Context, e engine, none string) error{
	"GET /info":   func(ctx context.Context, e engine, _ string) error { _, err := e.Info(ctx); return err },
	"GET /events": tryEvents,
	"GET /containers/json": func(ctx context.Context, e engine, _ string) error {
		_, err := e.ContainerList(ctx, apicontainer.ListOptions{Limit: 1})
		return err
	},
	"GET /containers/{id}/json": func(ctx context.Context, e engine, none string) error {
		_, err := e.ContainerInspect(ctx, none)
		return err
	},
	"GET /containers/{id}/logs": func(ctx context.Context, e engine, none string) error {
		lines, err := e.ContainerLogs(ctx, none, apicontainer.LogsOptions{ShowStdout: true, Tail: "1"})
		if err == nil {
			err = lines.Close()
		}
		return err
	},
	"GET /containers/{id}/stats": func(ctx context.Context, e engine, none string) error {
		stats, err := e.ContainerStatsOneShot(ctx, none)
		if err == nil {
			err = stats.Body.Close()
		}
		return err
	},
	"GET /containers/{id}/top": func(ctx context.Context, e engine, none string) error {
		_, err := e.ContainerTop(ctx, none, nil)
		return err
	},
	"GET /networks/{id}": func(ctx context.Context, e engine, none string) error {
		_, err := e.NetworkInspect(ctx, none, network.InspectOptions{})
		return err
	},
	"GET /images/{image}/json": func(ctx context.Context, e engine, none string) error {
		_, err := e.ImageInspect(ctx, none)
		return err
	},
	"GET /volumes/{name}": func(ctx context.Context, e engine, none string) error {
		_, err := e.VolumeInspect(ctx, none)
		return err
	},

	"POST /containers/{id}/start": func(ctx context.Context, e engine, none string) error {
		return e.ContainerStart(ctx, none, apicontainer.StartOptions{})
	},
	"POST /containers/{id}/restart": func(ctx context.Context, e engine, none string) error {
		return e.ContainerRestart(ctx, none, apicontainer.StopOptions{})
	},
	"POST /containers/{id}/unpause": func(ctx context.Context, e engine, none string) error { return e.ContainerUnpause(ctx, none) },
	"POST /containers/{id}/kill":    func(ctx context.Context, e engine, none string) error { return e.ContainerKill(ctx, none, "SIGTERM") },
	"POST /containers/{id}/stop": func(ctx context.Context, e engine, none string) error {
		return e.ContainerStop(ctx, none, apicontainer.StopOptions{})
	},
	"POST /containers/{id}/update": func(ctx context.Context, e engine, none string) error {
		_, err := e.ContainerUpdate(ctx, none, apicontainer.UpdateConfig{})
		return err
	},
	"POST /containers/{id}/rename": func(ctx context.Context, e engine, none string) error { return e.ContainerRename(ctx, none, none+"-2") },
	"POST /containers/create": func(ctx context.Context, e engine, none string) error {
		_, err := e.ContainerCreate(ctx, &apicontainer.Config{Image: none}, &apicontainer.HostConfig{}, nil, nil, none)
		return err
	},
	"POST /networks/{id}/connect": func(ctx context.Context, e engine, none string) error { return e.NetworkConnect(ctx, none, none, nil) },
	"POST /networks/{id}/disconnect": func(ctx context.Context, e engine, none string) error {
		return e.NetworkDisconnect(ctx, none, none, false)
	},
	"DELETE /containers/{id}": func(ctx context.Context, e engine, none string) error {
		h, is := e.(harmer)
		if !is {
			return nil
		}
		return h.ContainerRemove(ctx, none, apicontainer.RemoveOptions{})
	},
	"POST /containers/{id}/pause": func(ctx context.Context, e engine, none string) error { return e.ContainerPause(ctx, none) },
}

// tryEvents reads the events of a span that is over.
func tryEvents(ctx context.Context, e engine, _ string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, errs := e.Events(ctx, events.ListOptions{Since: "1", Until: "2"})
	err := <-errs
	if errors.Is(err, context.Canceled) || err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}

// Rights tries every call that LogStream makes. An error says why the engine
// cannot be queried.
func (r *Runtime) Rights(ctx context.Context) ([]Right, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	e, err := r.agree(ctx)
	if err != nil {
		return nil, r.fail("try the calls of", theEngine, err)
	}
	random := make([]byte, 16)
	rand.Read(random) // never fails, by its documentation
	none := "logstream-none-" + hex.EncodeToString(random)
	all := make([]Right, 0, len(rights.Calls))
	for _, c := range rights.Calls {
		try, is := tries[c.String()]
		if !is {
			continue
		}
		err := try(ctx, e, none)
		denied := isDenied(err)
		if failure := classify(err); err != nil && !denied && failure != gone && failure != refused {
			return nil, failure.wrap("try "+c.String()+" of", theEngine, r.Host(), err)
		}
		all = append(all, Right{Call: c.String(), For: c.For, Allowed: !denied})
	}
	return all, nil
}

// isDenied says whether a proxy refused the call: the engine itself answers
// that what was named does not exist, and proxies have the other codes.
func isDenied(err error) bool {
	if err == nil {
		return false
	}
	return cerrdefs.IsPermissionDenied(err) || cerrdefs.IsUnauthorized(err) || says(err, saysForbidden) || says(err, saysNotAllowed)
}

// About is what an engine says of itself.
type About struct {
	Version string
	API     string    // the version of the API that is spoken with it
	Podman  bool      // it is Podman, which speaks Docker's API
	Clock   time.Time // the engine's; zero: not known
	Asked   time.Time // when it was asked for, by our clock
}

// About reads what the engine is.
func (r *Runtime) About(ctx context.Context) (About, error) {
	asked := time.Now()
	info, err := r.info(ctx)
	if err != nil {
		return About{}, err
	}
	a := About{Version: info.ServerVersion, Asked: asked.Add(time.Since(asked) / 2)}
	a.Clock, _ = time.Parse(time.RFC3339Nano, info.SystemTime) // zero where it says none
	if c := r.agreed.Load(); c != nil {
		a.API = c.ClientVersion()
	}
	version, err := query(ctx, r, "get the components of", theEngine, func(ctx context.Context, e engine) (types.Version, error) { return e.ServerVersion(ctx) })
	if errors.Is(err, container.ErrUnavailable) {
		return a, err
	}
	for _, part := range version.Components { // a proxy may not let us see them
		a.Podman = a.Podman || strings.Contains(strings.ToLower(part.Name), "podman")
	}
	return a, nil
}
