package healer

import (
	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/internal/container"
	"logstream/internal/event"
)

// A call that consists of several, and was cut off between two of them by the end
// of the process: what it left is completed, or undone, and never begun again.

// halfRaised is what a container's memory limit was before an attempt of the
// incident raised it that was interrupted then; 0: none was.
func halfRaised(attempts []budget.Attempt, c container.State) int64 {
	if len(attempts) == 0 {
		return 0
	}
	last := attempts[len(attempts)-1]
	if before, is := action.HalfRaised(last.Intent, c); is && last.Outcome == event.OutcomeNotExecuted {
		return before
	}
	return 0
}

// interrupted is what a call left that was cut off without its effect.
func interrupted(intent event.ActionStarted, c container.State) string {
	if _, half := action.HalfRaised(intent, c); half {
		return "the call was interrupted after it raised the limit and before it started the container"
	}
	return "the call was interrupted and left no effect"
}
