package healer

import (
	"slices"
	"strings"
	"time"

	"logstream/healer/fleet"
	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
	"logstream/internal/text"
)

const (
	quickExit    = 10 * time.Second // a container that ends by itself sooner is not configured right
	keyLine      = 200              // bytes of a log line in a sentence
	oomReach     = 10 * time.Minute // ends out of memory within it belong together
	signReach    = time.Minute      // lines from so long before the failure may show its reason
	earlierShown = 3                // incidents of the past, in the evidence
)

// served is when a check of our own last succeeded; zero: not known in this life.
type served time.Time

func (s *served) count(h event.HealthLog) {
	if h.Status != event.Down && h.Time().After(time.Time(*s)) {
		*s = served(h.Time())
	}
}

// signsSince is from when on a log line may show why the service fails.
func (s *serviceState) signsSince() time.Time {
	if s.status.FirstBad.IsZero() {
		return time.Time{}
	}
	return s.status.FirstBad.Add(-signReach)
}

// around is what is known around a service's container.
type around struct {
	down, slow []string // services that it needs
	detached   []string // and that lost a network in which it reaches them, each in words
	neighbours fleet.Picture
	earlier    []event.Fact
	lives      []history.Life
	ignored    bool   // a stop of it was ended by a kill
	compose    string // its name in its Compose project
}

// newAround gathers it for a service about which something is open.
func newAround(c *Controller, s *serviceState, now time.Time) around {
	if !s.open() {
		return around{}
	}
	var a around
	for _, name := range s.def.DependsOn {
		switch on := c.services[name]; {
		case on == nil, isDoneFor(c, s, on):
		case on.status.Value == event.Down:
			a.down = append(a.down, name)
		case on.status.Value == event.Degraded && on.status.Last.Failure == event.FailureLatency:
			a.slow = append(a.slow, name)
		}
	}
	a.detached = detachedNeeds(c, s)
	a.neighbours = lookAtFleet(c, now)
	all := c.incidents.Of(s.def.Name, c.host)
	a.earlier = earlier(all)
	h, of := c.engine.Of(s.containerName()), s.inspection.state
	a.lives = history.Lives(h, of.ID, stopOf(of), now)
	a.ignored = history.IgnoredStop(h, of.ID, stopOf(of)) || tookItsTimeout(all, of)
	a.compose = s.compose
	if _, name, is := strings.Cut(s.def.Container, "/"); is && a.compose == "" {
		a.compose = name
	}
	return a
}

// earlier are the last incidents of a service, and what ended them.
func earlier(all []*state.Incident) []event.Fact {
	var facts []event.Fact
	for _, in := range slices.Backward(all) {
		if in.State != state.Resolved || in.CauseID == "" {
			continue
		}
		value := in.CauseID + ": " + in.How
		if in.How == event.HowHealed {
			value += " by " + in.Action
		}
		facts = append(facts, event.Fact{Key: "earlier incident", Value: value, Why: "It ended at " + in.Resolved.UTC().Format(time.RFC3339) + "."})
		if len(facts) == earlierShown {
			break
		}
	}
	return facts
}

// tookItsTimeout says whether a restart of ours of this container took its whole
// stop time-out: the process did not obey.
func tookItsTimeout(all []*state.Incident, of container.State) bool {
	for _, in := range all[max(0, len(all)-reachBack):] {
		pinned := ""
		for _, e := range in.Events {
			switch data := e.Data.(type) {
			case event.ActionStarted:
				pinned = data.Pins.ContainerID
			case event.ActionFinished:
				took := time.Duration(data.DurationMS * float64(time.Millisecond))
				if data.Action == service.ActionRestart && data.Outcome == event.OutcomeOK && pinned == of.ID && of.StopTimeout > time.Second && took >= of.StopTimeout {
					return true
				}
			}
		}
	}
	return false
}

// withEvidence adds to the facts of a container what stands beside its inspection.
func withEvidence(v View, f runbook.Facts) runbook.Facts {
	c, good := v.Inspection.state, v.Target.Good
	f.PortTaken, f.ReadOnly, f.ComposeService = c.PortTaken, c.ReadOnly, v.Around.compose
	f.Signs = v.Inspection.logs.signs
	f.DependenciesDown, f.DependenciesSlow, f.DependenciesDetached = v.Around.down, v.Around.slow, v.Around.detached
	f.IgnoresStop = v.Around.ignored
	f.QuickExits, f.OOMs = quickExits(v.Around.lives, unproven(v)), outOfMemory(v.Around.lives)
	if c.Status != container.Running {
		f.KeyLine = text.Clip(v.Inspection.logs.key, keyLine)
	}
	f.FailsAgain = failsAgain(v)
	if f.State == string(container.Running) && f.Check == event.Down {
		f.Collected = v.Collection.of(c, v.Now)
	}
	if good != nil {
		f.Changed = good.ContainerID != c.ID && (differ(good.ImageID, c.ImageID) || differ(good.SpecHash, c.SpecHash))
		f.Updated = good.ContainerID == c.ID && differ(good.PreviousImageID, c.ImageID) && v.Status.FirstBad.Sub(good.ImageSince) < v.Config.Update.Watch
		withUpdate(v, &f)
	}
	f.NetworksLost = networksLost(v.Target.Networks, c)
	f.NoNetwork = c.Detached && !v.Target.NetworksKnown
	f.Notes = notes(v, f)
	return f
}

// missingFacts are those of a container that does not exist. The service answers
// all the same where a check of our own is good that began after that was seen.
func missingFacts(v View) runbook.Facts {
	f := answers(v, runbook.Facts{Container: v.Name, Missing: true, ComposeService: v.Around.compose, Notes: slices.Concat(neighbours(v), v.Around.earlier)})
	own, known := v.Status.OwnLast()
	if v.Def.HasOwnCheck() && known && own.Status != event.Down && !v.Status.OwnDown() && v.Incident != nil && own.Time().After(v.Incident.Opened) {
		f.Check = own.Status
	}
	return f
}

// failsAgain says whether the service failed before the container was
// started, and no check of our own has succeeded since.
func failsAgain(v View) bool {
	started, last := v.Inspection.state.StartedAt, time.Time(v.Served)
	if began := v.History.Began(v.Inspection.state.ID, started); began.Before(started) { // where it is later, it may be read late
		started = began
	}
	first := v.Status.FirstBad
	return !started.IsZero() && !first.IsZero() && first.Before(started) && !last.After(started) && !v.Situation.Stopping
}

// unproven is for how long a container runs at least before its start can be
// verified, or quickExit where that is less: an end before then is one at the start.
func unproven(v View) time.Duration {
	return min(quickExit, time.Duration(verifyNeeded(v.Config, v.Def))*v.Def.Interval)
}

// quickExits counts the newest ends in a row that were alike: by itself, with the
// same exit code, and sooner after the start than soon. One that it came to later
// counts as the first of them: what ends it again after a start ended it then.
func quickExits(lives []history.Life, soon time.Duration) int {
	n := 0
	for _, life := range slices.Backward(lives) {
		quick := life.Ran >= 0 && life.Ran < soon
		if life.End != history.EndByItself || life.ExitCode != lives[len(lives)-1].ExitCode || n == 0 && !quick {
			break
		}
		if n++; !quick {
			break
		}
	}
	return n
}

// outOfMemory counts the ends out of memory within oomReach up to the newest end.
func outOfMemory(lives []history.Life) int {
	n := 0
	for _, life := range lives {
		if life.End == history.EndOOM && lives[len(lives)-1].At.Sub(life.At) < oomReach {
			n++
		}
	}
	return n
}

// differ says whether two values are known and not the same.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// networksLost are the networks among those that a container had while its service was
// healthy, and has not now.
func networksLost(had []event.Network, c container.State) []string {
	if c.Status != container.Running || c.NetworkOf != "" {
		return nil
	}
	var lost []string
	for _, n := range had {
		if !slices.ContainsFunc(c.Networks, func(now container.Network) bool { return now.Name == n.Name }) {
			lost = append(lost, n.Name)
		}
	}
	return lost
}
