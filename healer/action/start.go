package action

import (
	"context"
	"time"

	"logstream/healer/history"
	"logstream/internal/service"
)

var start = Action{
	Name:       service.ActionStart,
	Cost:       "Nothing is lost: the container does not run.",
	Timeout:    atMost(10 * time.Second),
	Events:     history.Pattern{{"start"}},
	Needed:     func(s Signs) bool { return s.Level },
	EffectSeen: startedSince,
	Leaves:     runsAsLeft,
	Call:       func(ctx context.Context, on Runtime, r Request) error { return on.Start(ctx, r.ID) },
}
