package fleet

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// Of fewer than Least services half may well fail for reasons of their own. That it is
// the observer that is cut off from them takes more: each fails as what is cut off
// does, and their HEALTHCHECKs, which run inside and need no path from here, prove
// that they are well. One service alone is never held to be cut off: a HEALTHCHECK
// may be shallow, and succeed while the service hangs.

const (
	// Few is how many it takes that fail together.
	Few = 2
	// inspected is how much later than it begins a run of a HEALTHCHECK is seen: it takes
	// its time, and a container is inspected each few seconds.
	inspected = 15 * time.Second
	// LongestRuns is the longest interval of a HEALTHCHECK that is worth waiting for.
	LongestRuns = soon
)

// Proof is what the HEALTHCHECK of a service's container shows since the first check
// of ours failed.
type Proof int

// The proofs.
const (
	NoProof Proof = iota // nothing: there is none, or it runs too seldom to be waited for
	Awaited              // nothing yet: no run that began since has ended
	Well                 // a run began since, and succeeded
	Ill                  // it fails, or something else shows that the fault is the container's
)

// cutting are the failures of a service that was not reached. What hangs is: its
// kernel takes the connection.
var cutting = []event.Failure{event.FailureConnectTimeout, event.FailureUnreachable, event.FailureConnectRefused, event.FailureDNS}

func (m Member) mayBeCut() bool { return m.Failing && slices.Contains(cutting, m.Failure) }

// few says whether there are fewer services than are judged by their checks alone.
func (p Picture) few() bool { return p.Probed < Least }

// fewCutOff is Blind of few: half or more turned DOWN together, two or more of those
// are proven to be well, and what the others' HEALTHCHECKs show is known.
func (p Picture) fewCutOff() bool {
	g := p.Group()
	return g.Together >= Few && 2*g.Together >= p.Targets && g.Well >= Few && g.Ill == 0 && g.Awaited == 0
}

// fewStillCutOff is StillBlind of few: those that are DOWN are not reached yet.
func (p Picture) fewStillCutOff() bool {
	return p.census != nil && p.census.cut >= Few && 2*p.census.cut >= p.Targets && !p.Contradicted()
}

// Awaits is for how long runs of HEALTHCHECKs are waited for once a member, one of
// few, is DOWN: it and others may be cut off, and two or more of them may be proven to
// be well. The others may turn DOWN as much later as they are checked. 0: not at all.
func (p Picture) Awaits(m Member) time.Duration {
	if p.census == nil || !p.few() || !m.Probed || !m.mayBeCut() || m.Stopped {
		return 0
	}
	n, provable := 0, 0
	var runs, checks time.Duration
	for _, other := range p.census.targets.all {
		with := other.mayBeCut() && !other.Stopped && other.failedWith(m)
		unseen := !other.Failing && other.Checked.Before(m.FirstBad) && other.Interval <= soon
		switch {
		case with && other.Proof == Ill:
			return 0
		case !with && !unseen:
			continue
		case with && other.Proof != NoProof, unseen && other.Runs > 0:
			provable++
			runs, checks = max(runs, other.Runs), max(checks, min(other.Interval, soon))
		}
		n++
	}
	if n < Few || provable < Few || 2*n < p.Targets {
		return 0
	}
	return runs + checks + inspected
}
