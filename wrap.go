//go:build !e2e

package main

import (
	"context"

	"logstream/healer"
	"logstream/internal/container"
	"logstream/internal/event"
)

// wrap is the actor itself; the build with the tag e2e can make it panic.
func wrap(_ string, run func(context.Context) error) func(context.Context) error { return run }

// wrapLog is the log itself; the build with the tag e2e can make who uses it panic.
func wrapLog(_ string, log event.Log) event.Log { return log }

// wrapRuntime is the runtime itself; the build with the tag e2e can have the
// process end at a call of it, or use another runtime.
func wrapRuntime(r container.Runtime) container.Runtime { return r }

// observed are the healer's parts as they are; the build with the tag e2e can
// record what it decides.
func observed(deps healer.Deps) healer.Deps { return deps }
