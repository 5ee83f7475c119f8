package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"

	"logstream/internal/container"
)

// specification is all that making a container again takes, the values of its
// variables included, as the engine showed it. It is written to no log.
type specification struct {
	Version  int // specificationVersion
	Name     string
	ID       string // of the container that it was read of
	ImageID  string
	Config   *apicontainer.Config
	Host     *apicontainer.HostConfig
	Networks map[string]*network.EndpointSettings
	Mounts   []apicontainer.MountPoint // volumes without a name given have theirs here
	Image    *imageConfig              // nil: the image was gone by then
}

const specificationVersion = 1

// imageConfig is what an image gives a container that does not say otherwise.
// The engine mixes the two, so what is the image's own has to be known.
type imageConfig struct {
	User, WorkingDir, StopSignal string
	Env, Cmd, Entrypoint, Shell  []string
	ExposedPorts, Volumes        map[string]struct{}
	Labels                       map[string]string
	Healthcheck                  *apicontainer.HealthConfig
}

// Specification is what Recreate makes the container of when it is gone.
func (r *Runtime) Specification(ctx context.Context, id string) ([]byte, error) {
	c, err := r.inspectWhole(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := r.specify(ctx, c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

func (r *Runtime) specify(ctx context.Context, c apicontainer.InspectResponse) (specification, error) {
	s := specification{
		Version: specificationVersion, Name: strings.TrimPrefix(c.Name, "/"), ID: c.ID, ImageID: c.Image,
		Config: c.Config, Host: c.HostConfig, Mounts: c.Mounts,
	}
	if c.NetworkSettings != nil {
		s.Networks = c.NetworkSettings.Networks
	}
	of, err := r.image(ctx, c.Image)
	if errors.Is(err, errNoImage) {
		return s, nil
	}
	s.Image = imageConfigOf(of)
	return s, err
}

// readSpecification reads what Specification wrote.
func readSpecification(data []byte) (specification, error) {
	var s specification
	if err := json.Unmarshal(data, &s); err != nil {
		return s, errors.New("the specification is not valid JSON") // the decoder's own words might quote a secret
	}
	if s.Version != specificationVersion || s.Name == "" || s.Config == nil || s.Host == nil {
		return s, fmt.Errorf("the specification is incomplete, or of version %d instead of %d", s.Version, specificationVersion)
	}
	return s, nil
}

var errNoImage = errors.New("the image is no longer on the engine's machine")

// image is the image with that name or ID, or errNoImage.
func (r *Runtime) image(ctx context.Context, ref string) (image.InspectResponse, error) {
	found, err := query(ctx, r, "inspect", "image "+ref, func(ctx context.Context, e engine) (image.InspectResponse, error) {
		return e.ImageInspect(ctx, ref)
	})
	if cerrdefs.IsNotFound(err) {
		return found, fmt.Errorf("%w: image %s: %w", errNoImage, ref, container.ErrUnsupported)
	}
	return found, err
}

func imageConfigOf(of image.InspectResponse) *imageConfig {
	c := of.Config
	if c == nil {
		return &imageConfig{}
	}
	return &imageConfig{
		User: c.User, WorkingDir: c.WorkingDir, StopSignal: c.StopSignal,
		Env: c.Env, Cmd: c.Cmd, Entrypoint: c.Entrypoint, Shell: c.Shell,
		ExposedPorts: c.ExposedPorts, Volumes: c.Volumes, Labels: c.Labels, Healthcheck: c.Healthcheck,
	}
}

// imageFor is the image with that ID (empty: that of the specification), by the
// name that a person gave it where that still means it, else by another name of
// its own, else by its ID.
func (r *Runtime) imageFor(ctx context.Context, s specification, id string) (string, error) {
	if id == "" {
		id = s.ImageID
	}
	of, err := r.image(ctx, id)
	if err != nil {
		return "", err
	}
	named, err := r.image(ctx, s.Config.Image)
	switch {
	case err == nil && named.ID == of.ID:
		return s.Config.Image, nil
	case err != nil && !errors.Is(err, errNoImage):
		return "", err
	}
	repository, _, _ := strings.Cut(s.Config.Image, ":")
	for _, tag := range of.RepoTags {
		if strings.HasPrefix(tag, repository+":") {
			return tag, nil
		}
	}
	if len(of.RepoTags) > 0 {
		return of.RepoTags[0], nil
	}
	return id, nil
}
