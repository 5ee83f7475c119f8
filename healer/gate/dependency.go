package gate

import (
	"fmt"
	"time"
)

// Root is why a service that another depends on holds that one's repair.
type Root string

// What a root may be.
const (
	RootDown      Root = "down"      // it is DOWN, and its repair is to come
	RootEscalated Root = "escalated" // it is DOWN, and a person has been called for it
	RootObserved  Root = "observed"  // it is DOWN, and its mode is observe
	RootWatched   Root = "watched"   // it is DOWN, and has no container that could be repaired
	RootRepairing Root = "repairing" // its repair is under way, or is not verified yet
	RootSuspect   Root = "suspect"   // its newest check failed
	RootUnsettled Root = "unsettled" // it was DOWN, and is not UP again
)

// IsDown says whether it is known to be DOWN.
func (r Root) IsDown() bool {
	switch r {
	case RootDown, RootEscalated, RootObserved, RootWatched:
		return true
	}
	return false
}

var rootReasons = map[Root]string{
	RootDown:      "a service that it depends on is DOWN",
	RootEscalated: "a service that it depends on is DOWN and escalated: a person is needed",
	RootObserved:  "a service that it depends on is DOWN, and its mode is observe: a person has to repair it",
	RootWatched:   "a service that it depends on is DOWN and has no container, so LogStream cannot repair it",
	RootRepairing: "the repair of a service that it depends on is not verified yet",
	RootSuspect:   "the newest check of a service that it depends on failed",
	RootUnsettled: "a service that it depends on was DOWN and is not UP again yet",
}

// Dependency is what is known of the services that a service depends on, directly
// or through others, and of those that depend on it.
type Dependency struct {
	Name     string // the root: the deepest of them that is not well; empty: all are
	Root     Root   // what it is
	Incident string // the root's open incident; empty: none is open
	For      time.Duration
	HeldFor  string // the root that the service's incident is held for already

	Last    string    // the last root
	Freed   time.Time // when it was well again; zero: there was none
	Decided time.Time // when the service's own checks will have decided since then
	Proven  bool      // they have: as many failed since as its thresholds ask for

	// Unlinked says that some of what its container depends on is not known yet:
	// not all containers were inspected since LogStream started.
	Unlinked bool
	// NetworkGone says that its container uses the network of one that was started
	// after it, or may have been: then no check can succeed before a restart.
	NetworkGone bool
	Acting      string // a dependent on which an action is under way or being verified; empty: there is none
	// ActingBelow is one that it depends on, of which the same is so.
	ActingBelow string
}

// waitsForRoot has the deepest of the failed services on a path of dependencies
// repaired first: those above it fail because of it, and are checked again with
// checks of their own once it is UP. What an operator asks for does not wait.
func waitsForRoot(s Situation) Verdict {
	d := s.Dependency
	switch {
	case s.Asked:
		return Verdict{}
	case d.Name == "" && d.Unlinked && !s.EngineLost:
		return wait
	case d.Name != "" && !d.Root.IsDown() && d.Name == d.HeldFor:
		return wait // it is held for that root already, and that is on its way
	case d.Name != "" && d.Incident == "" && d.For < patience:
		return wait // the root's own incident follows in a moment
	case d.Name != "":
		return hold(fmt.Sprintf("waits for %s: %s", d.Name, rootReasons[d.Root]))
	case !d.Freed.IsZero() && !d.Proven && !d.NetworkGone && !s.LevelDown && s.Now.Before(d.Decided):
		return holdUntil(fmt.Sprintf("%s, which it depends on, is UP again: the next checks show whether it needs a repair of its own", d.Last), d.Decided)
	}
	return Verdict{}
}

// pathActs has a service wait until the action on another one on its path of
// dependencies has ended, also where an operator asked for its repair: of two at
// once neither can be verified. One on a service that depends on it ends in a
// moment, since it cannot be verified any more.
func pathActs(s Situation) Verdict {
	d := s.Dependency
	switch {
	case d.ActingBelow != "":
		return hold(fmt.Sprintf("waits for %s: %s", d.ActingBelow, rootReasons[RootRepairing]))
	case d.Acting != "":
		return wait
	}
	return Verdict{}
}
