package main

import (
	"context"
	"path/filepath"

	"logstream/healer"
	"logstream/healer/action"
	"logstream/healer/specification"
	"logstream/internal/command"
)

// operatorCommands executes what heal.commands names, in the directory of the
// file that names it.
type operatorCommands struct{ dir string }

// Run is healer.Commands'.
func (o operatorCommands) Run(ctx context.Context, c action.Command) (string, error) {
	return command.Run(ctx, command.Command{Args: c.Args, Dir: o.dir, Service: c.Service, Incident: c.Incident})
}

// commands executes commands where a file may name any.
func (a *app) commands() healer.Commands {
	if a.path == "" {
		return nil
	}
	return operatorCommands{filepath.Dir(a.path)}
}

// specifications keeps those of containers in the data directory.
func (a *app) specifications() healer.Specs {
	return specification.Store{Dir: filepath.Join(a.config.Bus.Embedded.Data, "specifications")}
}
