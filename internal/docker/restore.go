package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
	"logstream/internal/retry"
)

// reservedAgain is how soon it is tried again to put a container in a place that
// the engine has reserved.
const reservedAgain = 200 * time.Millisecond

// Restore gives the kept container its place again, with the restart policy of
// the one that had it meanwhile, which is its own of before. What was restored
// already is started.
func (r *Runtime) Restore(ctx context.Context, with container.Restoration) error {
	former, err := r.inspectWhole(ctx, with.Kept)
	if err != nil {
		return err
	}
	if with.ID == "" {
		return r.restoreAlone(ctx, former, with)
	}
	now, err := r.inspectWhole(ctx, with.ID)
	if err != nil {
		return err
	}
	place, formerName := strings.TrimPrefix(now.Name, "/"), strings.TrimPrefix(former.Name, "/")
	switch {
	case placeOf(place) == formerName:
		return r.Start(ctx, former.ID)
	case placeOf(formerName) != place:
		return fmt.Errorf("restore %s: it was not kept when %s was made", formerName, place)
	}
	if err := r.movable(ctx, now); err != nil {
		return fmt.Errorf("restore %s: %w", place, err)
	}
	if err = r.setAside(ctx, now, place); err == nil {
		err = r.putInPlace(ctx, former, place, now.HostConfig.RestartPolicy, true)
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", place, r.putBack(ctx, now, place, func(c apicontainer.InspectResponse) bool { return c.ID == former.ID }, err))
	}
	return nil
}

// restoreAlone gives the kept container its place again where nothing took it.
func (r *Runtime) restoreAlone(ctx context.Context, former apicontainer.InspectResponse, with container.Restoration) error {
	name := strings.TrimPrefix(former.Name, "/")
	place := cmp.Or(placeOf(name), name) // it may be back already
	switch there, err := r.occupant(ctx, place); {
	case err != nil:
		return err
	case there != "" && there != former.ID:
		return cannot("restore %s: container %s exists, with the ID %s", name, place, short(there))
	}
	policy := apicontainer.RestartPolicy{Name: apicontainer.RestartPolicyMode(with.RestartPolicy), MaximumRetryCount: with.RestartLimit}
	if err := r.putInPlace(ctx, former, place, policy, !with.Stopped); err != nil {
		return fmt.Errorf("restore %s: %w", place, err)
	}
	return nil
}

// putInPlace gives the container the policy and the name, in this order: what has
// the place always has its policy. Then it starts it.
func (r *Runtime) putInPlace(ctx context.Context, c apicontainer.InspectResponse, place string, policy apicontainer.RestartPolicy, start bool) error {
	if err := r.setPolicy(ctx, c.ID, c.HostConfig.RestartPolicy, policy); err != nil {
		return err
	}
	if c.Name != "/"+place {
		if err := r.rename(ctx, c.ID, place); err != nil {
			return err
		}
	}
	if !start {
		return nil
	}
	return r.Start(ctx, c.ID)
}

// putBack undoes what was begun and failed for that reason: the container, as it
// was inspected before, is in its place again, and what is there instead is set
// aside where it is ours. The error says what came of it.
func (r *Runtime) putBack(ctx context.Context, was apicontainer.InspectResponse, place string, ours func(apicontainer.InspectResponse) bool, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackTimeout+stopTimeout(was.Config.StopTimeout))
	defer cancel()
	var made string
	err := r.takePlace(ctx, was, place, ours, &made)
	for err != nil && r.isReserved(ctx, was.ID, place, ours) && retry.Sleep(ctx, reservedAgain) {
		err = r.takePlace(ctx, was, place, ours, &made)
	}
	if made != "" {
		reason = fmt.Errorf("%w; what was made instead is kept as %s", reason, made)
	}
	if err != nil {
		return fmt.Errorf("%w; the former container %s could not be put back: %w; see docker ps -a: it may be stopped, and named %s",
			reason, short(was.ID), err, keptName(place, was.ID))
	}
	if !was.State.Running {
		return fmt.Errorf("%w; the former container is in its place again, not running, as before", reason)
	}
	return fmt.Errorf("%w; the former container is in its place again, and running", reason)
}

// takePlace puts the container in its place, and sets aside what is there where it
// is ours: made is the name under which that is kept then.
func (r *Runtime) takePlace(ctx context.Context, was apicontainer.InspectResponse, place string, ours func(apicontainer.InspectResponse) bool, made *string) error {
	kept, err := r.clear(ctx, place, ours)
	if err != nil {
		return err
	}
	if kept != "" {
		*made = kept
	}
	is, err := r.inspectWhole(ctx, was.ID)
	if err != nil {
		return err
	}
	return r.putInPlace(ctx, is, place, was.HostConfig.RestartPolicy, was.State.Running)
}

// isReserved says whether a container could not have its place although nothing
// has it, or what we made: the engine goes on with a creation whose caller has
// left, and reserves the name before it shows the container.
func (r *Runtime) isReserved(ctx context.Context, id, place string, ours func(apicontainer.InspectResponse) bool) bool {
	if is, err := r.inspectWhole(ctx, id); err != nil || is.Name == "/"+place {
		return false
	}
	there, err := r.occupant(ctx, place)
	if err != nil || there == "" {
		return err == nil
	}
	c, err := r.inspectWhole(ctx, there)
	return errors.Is(err, container.ErrNotFound) || err == nil && ours(c)
}

// withdraw frees the place of a container that was made and failed for that
// reason, so that another can be made.
func (r *Runtime) withdraw(ctx context.Context, place string, ours func(apicontainer.InspectResponse) bool, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackTimeout)
	defer cancel()
	made, err := r.clear(ctx, place, ours)
	switch {
	case err != nil:
		return fmt.Errorf("%w; what was made could not be set aside: %w; see docker ps -a", reason, err)
	case made != "":
		return fmt.Errorf("%w; what was made is kept as %s", reason, made)
	}
	return reason
}

// clear sets aside what has the place, if it is ours, and gives the name under
// which that is kept. Another user may have put a container there meanwhile, as a
// deployment does: that is never touched.
func (r *Runtime) clear(ctx context.Context, place string, ours func(apicontainer.InspectResponse) bool) (kept string, err error) {
	id, err := r.occupant(ctx, place)
	if err != nil || id == "" {
		return "", err
	}
	c, err := r.inspectWhole(ctx, id)
	if errors.Is(err, container.ErrNotFound) {
		return "", nil
	} else if err != nil || !ours(c) {
		return "", err
	}
	if err := r.setAside(ctx, c, place); err != nil {
		return "", err
	}
	return keptName(place, id), nil
}
