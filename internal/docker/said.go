package docker

import (
	"context"
	"errors"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
)

// The words of others that decide, all of them: each says what no status and no type
// does. What an inspection can show is inspected.
const (
	// A 404 to a start or a connect is of the container, or of a network of it.
	saysNoContainer = "no such container"
	// A 400 is of the version, or of anything in the request.
	saysVersion, saysTooNew, saysTooOld = "client version", "is too new", "is too old"
	// A proxy before the socket answers 502 and 504, which the client makes the same
	// error of as of the engine's own 500.
	saysBadGateway, saysGatewayTimeout = "bad gateway", "gateway timeout"
	// The client keeps no error of a dial that found nothing at the address.
	saysNoDaemon = "cannot connect to the docker daemon"
	// A proxy that allows some calls only answers the others with a status of its own
	// choice.
	saysForbidden, saysNotAllowed = "forbidden", "not allowed"
)

func says(err error, words string) bool {
	return strings.Contains(strings.ToLower(err.Error()), words)
}

// unless is err, or nil where the engine refused since what was wanted is so
// already: the container shows it.
func (r *Runtime) unless(ctx context.Context, id string, err error, so func(apicontainer.InspectResponse) bool) error {
	var refused *refusal
	if err == nil || !errors.As(err, &refused) {
		return err
	}
	now, lookErr := r.inspect(ctx, id)
	switch {
	case lookErr != nil:
		return lookErr
	case now.ContainerJSONBase != nil && now.State != nil && so(now):
		return nil
	}
	return err
}
