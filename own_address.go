package main

import (
	"context"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// checkAt makes a service's own check once at another address than its url's. It
// publishes nothing, and its sentence is not kept.
func checkAt(ctx context.Context, def service.Definition, address string) (event.HealthLog, error) {
	seen, err := check.At(ctx, def, check.Env{Version: thisBuild().Version, Discreet: true}, address)
	return event.HealthLog{Service: def.Name, Status: seen.Status, Code: seen.Code, Failure: seen.Failure}, err
}
