package healer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"logstream/healer/action"
	"logstream/internal/container"
	"logstream/internal/redact"
	"logstream/internal/text"
)

// What stands between an intent that was confirmed and its call.

// Commands executes the operator's own commands; *command.Runner documents it.
type Commands interface {
	Run(ctx context.Context, c action.Command) (output string, err error)
}

// Specs keeps the specifications of containers, which are secret;
// *specification.Store documents it.
type Specs interface {
	Kept() (keys []string, err error) // specification.Key makes one
	Keep(service, hash string, spec []byte) error
	Load(service, hash string) ([]byte, error)
	Sweep(configured []string, after time.Duration, now time.Time) (swept bool, err error)
}

// hands are what an action may use.
type hands struct {
	Runtime
	commands Commands
}

// Run executes an operator's command. What it prints is shown, so it is made
// fit for that.
func (h hands) Run(ctx context.Context, c action.Command) (string, error) {
	if h.commands == nil {
		return "", errors.New("this instance executes no commands")
	}
	output, err := h.commands.Run(ctx, c)
	secrets := redact.OfArguments(c.Args)
	if err != nil {
		err = errors.New(printable(err.Error(), secrets)) // it may have the last line in it
	}
	return printable(output, secrets), err
}

// printable is output as it may be kept and shown: without secrets, those that are
// known among them, each line of it printable.
func printable(output string, secrets []string) string {
	var lines []string
	for line := range strings.Lines(output) {
		lines = append(lines, redact.Known(text.Line(line), secrets...))
	}
	redact.Keys(lines)
	for i, line := range lines {
		lines[i] = redact.Text(line)
	}
	return strings.Join(lines, "\n")
}

// requestFor is what the call of an intent is about, or why it cannot be made.
// What is secret is fetched here: neither the intent nor the controller has it.
func requestFor(deps Deps, e Execute) (action.Request, string) {
	r := action.Request{ID: e.Intent.Pins.ContainerID, Pins: e.Intent.Pins}
	if e.Intent.Params == nil {
		return r, ""
	}
	r.Params = *e.Intent.Params
	if r.Params.SpecHash != "" {
		if deps.Specs == nil {
			return r, "this instance keeps no specifications"
		}
		spec, err := deps.Specs.Load(e.Service, r.Params.SpecHash)
		if err != nil {
			return r, fmt.Sprintf("the specification of its container cannot be read: %v", err)
		}
		r.Spec = spec
	}
	if name := r.Params.Command; name != "" {
		args, known := commandOf(deps, e.Service, name)
		if !known {
			return r, fmt.Sprintf("heal.commands in config.yaml no longer names %q", name)
		}
		r.Command = action.Command{Name: name, Args: args, Service: e.Service, Incident: e.Incident}
	}
	return r, ""
}

// commandOf is the command of a service with that name, as it is configured now.
func commandOf(deps Deps, service, name string) ([]string, bool) {
	for _, def := range deps.Services() {
		if def.Name == service {
			c, known := def.Heal.Commands.Named(name)
			return c.Args, known && len(c.Args) > 0
		}
	}
	return nil, false
}

// changedTarget says how the target differs from what was pinned, or nothing.
func changedTarget(ctx context.Context, runtime Runtime, e Execute) string {
	pins := e.Intent.Pins
	switch {
	case pins.ContainerID != "":
		now, err := runtime.Inspect(ctx, pins.ContainerID)
		if err != nil {
			return fmt.Sprintf("the inspection failed: %v", err)
		}
		return action.Changed(e.Ref, pins, now)
	case e.Ref == "":
		return ""
	}
	switch found, err := runtime.Find(ctx, e.Ref); {
	case err == nil:
		return "there is a container of its name again: " + found.Name
	case !errors.Is(err, container.ErrNotFound):
		return fmt.Sprintf("the inspection failed: %v", err)
	}
	return ""
}
