package gate

import (
	"fmt"
	"time"

	"logstream/healer/action"
)

// What holds repairs for a reason that is not the container's: all services
// together, an operator's wish, a window of time.

// Blind is what all services together say of the observer.
type Blind struct {
	Now     string // why it is blind, as its incident says; empty: it is not
	Opening bool   // its incident is being opened
	Suspect bool   // too few other services were checked to know
	// Proof is until when runs of HEALTHCHECKs are waited for, which show whether the
	// few services that fail are well; zero: none is.
	Proof time.Time
	// Until the checks since say so, a service that was seen by a blind observer is
	// not DOWN: how many failed since, and how many it takes.
	Since  time.Time // when it saw again; zero: it was not, or may not have been, blind lately
	Failed int
	Needed int
}

// blind believes no check while most of them fail together, or may do. What Docker shows
// to be stopped or paused is another matter: to start that loses nothing.
func blind(s Situation) Verdict {
	switch {
	case s.Asked || s.LevelDown:
		return Verdict{}
	case s.Blind.Now != "":
		return hold(s.Blind.Now + "; check results are inconclusive until checks reach the services again")
	case s.Blind.Opening:
		return wait
	case s.Blind.Suspect:
		return hold("other services may fail as well: their next checks show whether LogStream is cut off from them")
	case !s.Blind.Proof.IsZero():
		return holdUntil("LogStream may be cut off from this service and others: the next runs of their HEALTHCHECKs show whether they work", s.Blind.Proof)
	case !s.Blind.Since.IsZero() && s.Blind.Failed < s.Blind.Needed:
		return hold("LogStream may have been cut off from this service: the next checks show whether the service needs a repair")
	}
	return Verdict{}
}

// Unseen holds the verification of a repair while a blind observer sees nothing of
// it.
func Unseen(s Situation) Verdict {
	if s.Blind.Now == "" || s.LevelDown {
		return Verdict{}
	}
	return Verdict{Gate: "blind", Reason: s.Blind.Now + "; whether the repair holds is seen once checks reach the service again"}
}

// Silence is an operator's switch for one service.
type Silence struct {
	By     string
	Reason string
	Until  time.Time
}

func silenced(s Situation) Verdict {
	if s.Silence == nil || s.Asked {
		return Verdict{}
	}
	reason := "the service is silenced"
	if s.Silence.Reason != "" {
		reason += ": " + s.Silence.Reason
	}
	return holdUntil(reason, s.Silence.Until)
}

func inMaintenance(s Situation) Verdict {
	if s.MaintenanceUntil.IsZero() || s.Asked {
		return Verdict{}
	}
	return holdUntil("a maintenance window of config.yaml is open", s.MaintenanceUntil)
}

// Breaker is whether so few services of this host are healthy, or were until a
// moment ago, that only what loses nothing is done.
type Breaker struct {
	Tripped        bool
	Healthy, Known int           // when it tripped
	Least          int           // percent
	Window         time.Duration // for so long enough have to be healthy
	Stable         time.Time     // since when enough are; zero: not enough
}

func tooFewHealthy(s Situation) Verdict {
	b := s.Breaker
	if !b.Tripped || s.Asked || action.Lossless(s.Action) {
		return Verdict{}
	}
	counted := fmt.Sprintf("%d of %d services on this host were healthy, fewer than budget.min_healthy (%d%%)", b.Healthy, b.Known, b.Least)
	if !b.Stable.IsZero() {
		return holdUntil(fmt.Sprintf("%s: only what loses nothing is done until enough have been healthy for %s", counted, b.Window), b.Stable.Add(b.Window))
	}
	return hold(counted + ": only what loses nothing is done")
}
