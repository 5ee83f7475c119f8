package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/healer/gate"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What follows from which service needs which.

// checkSlack is how much longer than a dependency's time-out an extra check of
// it is waited for.
const checkSlack = 2 * time.Second

// dependence is what this life knows of how a service waited for others.
type dependence struct {
	since time.Time            // of the present wait; zero: there is none
	freed time.Time            // the last instant at which it waited
	root  string               // the last that it waited for
	about string               // the incident that asked is about
	asked map[string]time.Time // when an extra check was asked for, by dependency
}

// need is one service that another needs, directly or through others.
type need struct {
	name       string
	seen       bool          // it was observed since the incident was opened
	asked      time.Time     // when an extra check of it was asked for; zero: it was not
	limit      time.Duration // how long that is waited for
	inspection freshness     // of its container's inspection, where that decides
}

// late says whether the extra check gave no observation in time.
func (n need) late(now time.Time) bool {
	return !n.seen && !n.asked.IsZero() && !now.Before(n.asked.Add(n.limit))
}

// rootOf is what a service is to those that depend on it; empty: it is well, or
// nothing of our own shows that it is not. A check that has never succeeded shows
// nothing, and what only others report is not repaired.
func rootOf(c *Controller, s *serviceState) gate.Root {
	if s == nil || s.removed {
		return ""
	}
	own, known := s.status.OwnLast()
	conclusive := s.status.WasUp() || !s.def.HasOwnCheck()
	switch {
	case acting(s):
		return gate.RootRepairing
	case s.status.Level() == event.Down, conclusive && s.status.OwnDown(), !s.def.Heal.Confirm && s.status.ForeignDown():
		return downRoot(c, s)
	case conclusive && s.open() && !s.status.Good():
		return gate.RootUnsettled
	case conclusive && known && own.Status == event.Down:
		return gate.RootSuspect
	}
	return ""
}

// outlived is for how long a service was UP beside a job that had ended, where it does
// not need that to run.
const (
	outlived = time.Minute
	seldom   = 5 * time.Minute // what is checked more seldom than that may have failed later
)

// isDoneFor says whether what a service needs is a job that had ended with exit code 0
// well before the service failed: a migration, say, which does not have to run. One in
// whose network it runs does.
func isDoneFor(c *Controller, s, on *serviceState) bool {
	if on == nil || !on.open() || !s.open() || on.def.HasOwnCheck() || acting(on) || parentOf(c, s) == on.def.Name {
		return false
	}
	of, cause := on.inspection.state, on.incident.CauseID
	kept := of.RestartPolicy == "always" || of.RestartPolicy == "unless-stopped"
	return (cause == "finished" || cause == "ended_unwatched" && !on.ran[of.ID] && !kept) &&
		on.inspection.err == nil && of.Status == container.Exited && of.ExitCode == 0 &&
		s.incident.FirstBad.Add(-min(s.def.Interval+s.def.Timeout, seldom)).Sub(on.incident.FirstBad) >= outlived // it was good until its check before that
}

func downRoot(c *Controller, s *serviceState) gate.Root {
	switch {
	case s.open() && s.incident.State == state.Escalated:
		return gate.RootEscalated
	case s.def.Container == "":
		return gate.RootWatched
	case c.mode(s.def) == service.Observe:
		return gate.RootObserved
	}
	return gate.RootDown
}

// actingOf is the first of those services on which an action is under way, or
// being verified; empty: there is none.
func actingOf(c *Controller, names []string) string {
	for _, name := range names {
		if acting(c.services[name]) {
			return name
		}
	}
	return ""
}

// acting says whether an action on a service is under way, or being verified.
func acting(s *serviceState) bool { return s.open() && View{Incident: s.incident}.acts() }

// newDependency is what the gates know of a service's dependencies. It takes
// into s how long it waits for them.
func newDependency(c *Controller, s *serviceState, now time.Time) gate.Dependency {
	g, name := graphOf(c), s.def.Name
	all := g.DependenciesOf(name)
	d := gate.Dependency{Acting: actingOf(c, g.DependentsOf(name)), ActingBelow: actingOf(c, all)}
	d.Unlinked = !isLinked(c, s)
	if len(all) == 0 || !s.open() {
		return d
	}
	if s.incident.Held == gateDependency {
		d.HeldFor = s.incident.Root
	}
	d.Name = g.RootOf(name, func(other string) bool {
		on := c.services[other]
		return rootOf(c, on) != "" && !isDoneFor(c, s, on)
	})
	w := &s.dependence
	w.since = since(w.since, d.Name != "", now)
	if d.Name != "" {
		root := c.services[d.Name]
		d.Root, d.For = rootOf(c, root), now.Sub(w.since)
		if root.open() {
			d.Incident = root.incident.ID
		}
		w.freed, w.root = now, d.Name
		return d
	}
	if d.HeldFor != "" && w.freed.IsZero() {
		w.freed, w.root = now, d.HeldFor // it waited in an earlier life
	}
	d.Freed, d.Last = w.freed, w.root
	for _, other := range all {
		if at := wellSince(c.services[other]); at.After(d.Freed) {
			d.Freed, d.Last = at, other
		}
	}
	needed := s.status.OwnNeeded()
	d.Decided = d.Freed.Add(s.def.StartPeriod + s.def.Timeout + time.Duration(needed+1)*s.def.Interval)
	d.Proven = s.status.OwnBadSince(d.Freed) >= needed
	d.NetworkGone = networkMayBeGone(c, s, now)
	return d
}

// wellSince is when a service that had an incident was well again; zero: it had
// none, or is not.
func wellSince(s *serviceState) time.Time {
	switch {
	case s.incident == nil || !s.status.Good():
		return time.Time{}
	case s.open():
		return s.status.Since
	case s.incident.Resolved != nil:
		return *s.incident.Resolved
	}
	return time.Time{}
}

const gateDependency = "dependency"

// newNeeds are all services that one needs, and whether each was observed since
// its incident was opened.
func newNeeds(c *Controller, s *serviceState, now time.Time) []need {
	if !s.open() {
		return nil
	}
	var all []need
	parent := parentOf(c, s)
	for _, name := range graphOf(c).DependenciesOf(s.def.Name) {
		other := c.services[name]
		n := need{name: name, limit: other.def.Timeout + checkSlack}
		if s.dependence.about == s.incident.ID {
			n.asked = s.dependence.asked[name]
		}
		own, known := other.status.OwnLast() // of one that reports by itself nothing can be asked
		n.seen = !other.def.HasOwnCheck() || known && own.Time().After(s.incident.Opened)
		if inspects(other, parent) {
			n.inspection = other.inspection.dueAfter(s.incident.Opened, now)
		}
		all = append(all, n)
	}
	return all
}

// inspects says whether an inspection of a dependency is waited for: its container stands
// for a check, or something happened to it, such as that it lost a network.
func inspects(other *serviceState, parent string) bool {
	return other.def.IsContainerAlone() || other.def.Name == parent || other.def.Container != "" && !other.inspection.isCurrent()
}

// planChecks has each dependency checked before a service is restarted: those
// above turn DOWN before their root does. What gives no observation in time is
// not waited for any longer, and the evidence says so.
func planChecks(v View) (Decision, bool) {
	if v.Situation.Asked {
		return Decision{}, false
	}
	var due []string
	waits := false
	for _, n := range v.Needs {
		switch {
		case n.inspection == overdue, !n.seen && n.asked.IsZero():
			due = append(due, n.name)
		case n.inspection == underway, !n.seen && !n.late(v.Now):
			waits = true
		}
	}
	if len(due) > 0 {
		return Decision{Kind: DoCheck, Check: due}, true
	}
	return wait(), waits
}

// checkNow asks for what planChecks wants: a check, or an inspection where the
// container stands for one.
func checkNow(c *Controller, s *serviceState, names []string, now time.Time) {
	w := &s.dependence
	if w.about != s.incident.ID {
		w.about, w.asked = s.incident.ID, map[string]time.Time{}
	}
	parent := parentOf(c, s)
	for _, name := range names {
		other := c.services[name]
		if other.def.HasOwnCheck() && w.asked[name].IsZero() {
			c.emit(CheckNow{Service: name})
		}
		if inspects(other, parent) && other.inspection.dueAfter(s.incident.Opened, now) == overdue {
			c.inspect(other, now)
		}
		w.asked[name] = now
	}
}

// detachedNeeds are the services that one needs itself, and whose containers are no longer
// in a network that they were in and that its own is in, in words. What was good since
// does without it.
func detachedNeeds(c *Controller, s *serviceState) []string {
	var all []string
	for _, name := range slices.Compact(needNames(c, s.def.Name)) {
		other := c.services[name]
		of := other.inspection.state
		had, _ := other.memory.networks(of.ID)
		next := other.memory.next
		if !other.inspection.isCurrent() || other.inspection.err != nil || next != nil && time.Time(s.served).After(next.Since) {
			continue
		}
		for _, lost := range networksLost(had, of) {
			if slices.ContainsFunc(s.inspection.state.Networks, func(n container.Network) bool { return n.Name == lost }) {
				all = append(all, name+" is no longer in the network "+lost)
			}
		}
	}
	return all
}

// isMissed says whether a service that needs this one was not good in a check of its own
// that began after since. One whose check never succeeded, or had failed before, says
// nothing.
func isMissed(c *Controller, s *serviceState, since time.Time) bool {
	return slices.ContainsFunc(graphOf(c).NeededBy(s.def.Name), func(name string) bool {
		on := c.services[name]
		own, known := on.status.OwnLast()
		before := on.status.Probe()
		if before.Failing && before.FirstBad.Before(since.Add(-on.def.Interval-on.def.Timeout)) {
			return false
		}
		return on.def.HasOwnCheck() && on.status.WasUp() && (!known || own.Status == event.Down || !own.Time().After(since))
	})
}

// unchecked are the facts about dependencies that could not be checked in time.
func unchecked(v View) []event.Fact {
	var facts []event.Fact
	for _, n := range v.Needs {
		if n.late(v.Now) {
			facts = append(facts, event.Fact{Key: "dependency " + n.name, Value: "not checked in time",
				Why: fmt.Sprintf("An extra check of it gave no result within %s.", n.limit)})
		}
	}
	return facts
}

// brokenDependency says that a dependency turned DOWN: then no repair of the
// service can be verified, and none is made.
func brokenDependency(v View) (string, bool) {
	d := v.Situation.Dependency
	return d.Name + ", which it depends on, is DOWN", d.Name != "" && d.Root.IsDown()
}

// suppressed is a hold as it is written.
func suppressed(v View, verdict gate.Verdict) event.Suppressed {
	data := event.Suppressed{Gate: verdict.Gate, Reason: verdict.Reason, Until: verdict.Until}
	if d := v.Situation.Dependency; verdict.Gate == gateDependency {
		data.Root, data.RootIncident = d.Name, d.Incident
	}
	if l := v.Inspection; verdict.Gate == "operator" && l.isCurrent() && l.err == nil && l.state.Status == container.Exited {
		at := later(l.state.StartedAt, l.state.FinishedAt).UTC()
		data.StateSince = &at
	}
	return data
}
