// Package fleet judges all services of a host together: whether it is the
// observer that is blind, and whether so few are healthy that more repairs are
// a risk. It reads nothing but its members.
package fleet

import (
	"cmp"
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	// Least is how many services it takes before they are judged together: of
	// fewer, half may well fail for reasons of their own.
	Least = 5
	// soon is the longest interval of a check that is worth waiting for before a
	// repair; services that are checked more seldom are judged without.
	soon = time.Minute
)

// Member is one service, as it is known now.
type Member struct {
	Name  string
	Needs []string // the services that it needs

	Status event.Status // what it is held to be; empty or PENDING: not known
	Wanted bool         // that it is DOWN: a person decided so
	// Stopped says that its container does not run, which Docker shows.
	Stopped bool
	Health  event.Status // its container's HEALTHCHECK; empty: it has none

	// Probed says that a check of ours leaves this process for it. What follows is
	// of that check.
	Probed   bool
	Interval time.Duration // from one check to the answer of the next
	Checked  time.Time     // when the newest began; zero: none did in this life of the process
	Failing  bool          // it failed
	FirstBad time.Time     // when the first of those that failed in a row began
	Failure  event.Failure // why it fails
	Red      bool          // it is DOWN by its thresholds, or was before this life of the process
	Proof    Proof         // while it fails: what its container's HEALTHCHECK shows since
	Runs     time.Duration // how often that runs; 0: never, or not soon enough to be waited for
}

// last is when it was last seen to be good, at the latest, before it failed.
func (m Member) last() time.Time { return m.FirstBad.Add(-m.Interval) }

// Picture is what the members show together, until one of them changes: it is not kept
// over that.
type Picture struct {
	// Of those that are probed, without dependents whose root explains why they
	// fail: how many there are, and how many are DOWN while their containers run.
	Targets, Red int
	Probed       int // with those dependents
	// Of all whose status is known, without dependents whose root is DOWN.
	Healthy, Known int
	Members        int

	census *Census // nil: there is no member
}

// Group are those that fail together.
type Group struct {
	Together int           // how many of them are DOWN
	Within   time.Duration // the time in which those failed first
	Since    time.Time     // when the first of them did
	// Witnesses are the HEALTHCHECKs of those that are together; Against are those
	// that fail as well.
	Witnesses, Against int
	Well, Ill, Awaited int // of those that are together, by their Proof
}

// end is a bound of the time in which what made a member fail must have begun.
type end struct {
	at    time.Time
	opens bool
}

// answering are the failures of a service that was reached: one that it needs
// may be why.
var answering = []event.Failure{event.FailureStatus, event.FailureBody, event.FailureAnswer, event.FailureLatency,
	event.FailureHeaderTimeout, event.FailureBodyTimeout, event.FailureAuth}

// explained says whether a member fails because of one that it needs: it was
// reached, and that one fails too. One that its HEALTHCHECK holds to be healthy
// explains nothing.
func explained(m Member, of func(name string) (Member, bool)) bool {
	if !m.Failing || !slices.Contains(answering, m.Failure) {
		return false
	}
	return slices.ContainsFunc(m.Needs, func(name string) bool {
		root, known := of(name)
		failing := root.Failing || root.Stopped || root.Status == event.Down
		return known && failing && (root.Health != event.Up || root.Stopped)
	})
}

// gather finds the instant at which most of those that fail can have begun to
// together: each of them says that it was between its last good check and its
// first bad one.
func gather(failed []*entry) (g Group) {
	bounds := make([]end, 0, 2*len(failed))
	for _, m := range failed {
		bounds = append(bounds, end{m.last(), true}, end{m.FirstBad, false})
	}
	slices.SortFunc(bounds, func(a, b end) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Compare(order(a), order(b))
	})
	most, open := 0, 0
	var when time.Time
	for _, b := range bounds {
		if !b.opens {
			open--
			continue
		}
		if open++; open > most {
			most, when = open, b.at
		}
	}
	var last time.Time
	for _, m := range failed {
		if m.last().After(when) || m.FirstBad.Before(when) {
			continue
		}
		if m.Red {
			g.Together++
		}
		if g.Since.IsZero() || m.FirstBad.Before(g.Since) {
			g.Since = m.FirstBad
		}
		if m.FirstBad.After(last) {
			last = m.FirstBad
		}
		if m.Health != "" {
			g.Witnesses++
		}
		if m.Health == event.Down {
			g.Against++
		}
		switch m.Proof {
		case Well:
			g.Well++
		case Ill:
			g.Ill++
		case Awaited:
			g.Awaited++
		}
	}
	g.Within = last.Sub(g.Since)
	return g
}

// order lets what begins at an instant begin before what ends there.
func order(e end) int {
	if e.opens {
		return 0
	}
	return 1
}

// Contradicted says whether the containers' own HEALTHCHECKs fail as well: then
// it is not the observer.
func (p Picture) Contradicted() bool {
	if p.census == nil || p.census.against == 0 {
		return false
	}
	g := p.Group()
	return g.Against > 0 && 2*g.Against > g.Witnesses
}

// Blind says whether it is the observer that fails: half or more of all turned
// DOWN together, while their containers run.
func (p Picture) Blind() bool {
	if p.few() {
		return p.fewCutOff()
	}
	return p.Targets >= Least && 2*p.census.both >= p.Targets && 2*p.Group().Together >= p.Targets && !p.Contradicted()
}

// StillBlind says whether an observer that was blind is so still.
func (p Picture) StillBlind() bool {
	if p.few() {
		return p.fewStillCutOff()
	}
	return 2*p.Red >= max(p.Targets, 1) && !p.Contradicted()
}

// Suspect says whether a member that fails may be one of many: so few others were
// checked since it failed first that the observer may be blind, and most of those
// fail too. What is checked seldom is not waited for.
func (p Picture) Suspect(m Member) bool {
	if !m.Probed || !m.Failing || m.Stopped || p.Targets < Least || p.Contradicted() {
		return false
	}
	return p.census.suspect(m)
}
