package healer

import (
	"time"

	"logstream/healer/gate"
)

// wake has it decided again at the instant at which a hold ends, where that is
// before the next regular tick: up to a tick late is long beside a start.
func wake(c *Controller, verdict gate.Verdict, now time.Time) {
	if verdict.Until != nil && verdict.Until.After(now) && verdict.Until.Sub(now) < tickEach {
		c.emit(Wake{*verdict.Until})
	}
}
