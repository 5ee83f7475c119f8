package gate

import (
	"time"

	"logstream/healer/action"
	"logstream/internal/event"
)

const (
	// OutsideReach is how long the repairs of another healer count.
	OutsideReach = 10 * time.Minute
	mostOutside  = 2           // of them, until they are left to it
	sameFailure  = time.Minute // within it a second restart would be for the same failure
)

// Outside is what others did to repair this container, during incidents of its
// service and within OutsideReach.
type Outside struct {
	Repairs int
	Last    time.Time // when the newest was read
	// Started is when the container was last started from outside in this incident.
	Started time.Time
}

// anotherHealer leaves a container to the other program that repairs it: two that repair
// by turns are worse than either.
func anotherHealer(s Situation) Verdict {
	until := s.Outside.Last.Add(OutsideReach)
	if s.Asked || s.Outside.Repairs < mostOutside || !s.Now.Before(until) {
		return Verdict{}
	}
	return holdUntil("another healer works on this engine: it has repaired this container at least twice; LogStream repairs it again 10 minutes after the last repair by that healer", until)
}

// secondRestart does not restart what something else has just restarted for the same
// failure.
func secondRestart(s Situation) Verdict {
	started := s.Outside.Started
	if s.Asked || started.IsZero() || action.Lossless(s.Action) || s.Now.Sub(started) >= sameFailure {
		return Verdict{}
	}
	return holdUntil("an external change started the container less than a minute ago: LogStream waits, so that it is not restarted twice for the same failure", started.Add(sameFailure))
}

// insideStartPeriod lets what was just started come up, until it answered once.
func insideStartPeriod(s Situation) Verdict {
	if s.Asked || s.LevelDown || action.Lossless(s.Action) || !s.Now.Before(s.StartsUntil) {
		return Verdict{}
	}
	return holdUntil("it was started a moment ago and may take start_period to answer", s.StartsUntil)
}

// full repairs nothing against a full disk: a process that cannot write may not
// come back, and nothing that can be done here frees space.
func full(s Situation) Verdict {
	if s.Full == "" || s.Asked || action.Lossless(s.Action) {
		return Verdict{}
	}
	return Verdict{Escalate: "Its disk is full, and a restart frees no space: " + event.Clip(s.Full, 300)}
}
