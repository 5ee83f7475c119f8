package action

import (
	"context"
	"time"

	"logstream/healer/history"
	"logstream/internal/service"
)

var restart = Action{
	Name:    service.ActionRestart,
	Tier:    1,
	Cost:    "What it holds in memory is lost, and it does not answer until it has started again.",
	Timeout: func(stop time.Duration) time.Duration { return stop + 15*time.Second },
	// A kill may come twice: the stop signal, and 9 when its time is over.
	Events:     history.Pattern{{"kill", "kill", "die", "stop"}, {"start"}, {"restart"}},
	Needed:     func(s Signs) bool { return s.Own || s.Foreign },
	EffectSeen: startedSince,
	Leaves:     runsAsLeft,
	Call:       func(ctx context.Context, on Runtime, r Request) error { return on.Restart(ctx, r.ID) },
}
