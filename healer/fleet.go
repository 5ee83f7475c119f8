package healer

import (
	"fmt"
	"time"

	"logstream/healer/depend"
	"logstream/healer/fleet"
	"logstream/healer/gate"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// All services of the host together: whether the observer is blind, for which
// there is one incident of the reserved service, and the breaker.

const (
	fleetKind = "fleet"
	// blindCause is the cause of the fleet's incident.
	blindCause = "observer_blind"
	// blindReach is how long after the observer saw again what it saw before counts
	// for less: longer than any check may take to be decided again.
	blindReach = time.Hour
)

// hostFleet is what is known of all services together.
type hostFleet struct {
	self    *serviceState // of the reserved service: it has an incident and its journal, and nothing else
	watch   fleet.Watch
	picture fleet.Picture
	current bool // the picture is of this step

	census  *fleet.Census   // of all but those that are removed, as they were in the newest picture
	graph   *depend.Graph   // whose needs it has; nil: it is to be made again
	touched []*serviceState // that may have changed since
	turns   turns
}

// touch notes that what is known of a service may change in this step.
func (f *hostFleet) touch(s *serviceState) {
	if !s.touched && s != f.self {
		s.touched = true
		f.touched = append(f.touched, s)
	}
}

func newHostFleet(now time.Time) *hostFleet {
	def := service.Default()
	def.Name = event.ReservedService
	return &hostFleet{self: newServiceState(def, nil, now), census: fleet.NewCensus()}
}

// serviceOf is the service of an incident: one of this host's, or the reserved
// one; nil where there is none.
func serviceOf(c *Controller, name string) *serviceState {
	if name == event.ReservedService {
		return c.fleet.self
	}
	return c.services[name]
}

// lookAtFleet makes the picture of this step. Only those are read again that may have
// changed: a fleet that fails at once asks for it with each decision.
func lookAtFleet(c *Controller, now time.Time) fleet.Picture {
	f := c.fleet
	if f.current {
		return f.picture
	}
	count := f.touched
	if g := graphOf(c); f.graph != g {
		f.census.Clear()
		f.graph, count = g, nil
		for _, name := range c.order {
			count = append(count, c.services[name])
		}
	}
	for _, s := range f.touched {
		s.touched = false
	}
	for _, s := range count {
		if present := c.services[s.def.Name]; present == nil || present.removed {
			f.census.Remove(s.def.Name)
		} else {
			f.census.Set(memberOf(c, present))
		}
	}
	f.touched = f.touched[:0]
	f.picture, f.current = f.census.Picture(), true
	f.watch.Note(f.picture, int(c.config.Budget.MinHealthy), c.config.Verify.For, now)
	return f.picture
}

func memberOf(c *Controller, s *serviceState) fleet.Member {
	own := s.status.Probe()
	red := own.Red || s.status.Value == event.Down && (own.Checked.IsZero() || own.Failing)
	proof, runs := healthProof(s, own)
	return fleet.Member{Name: s.def.Name, Needs: needNames(c, s.def.Name), Status: s.status.Value, Wanted: s.open() && s.incident.Held == "operator" && s.incident.HeldUntil == nil,
		Stopped: s.status.Level() == event.Down, Health: s.status.Healthcheck(), Probed: s.def.HasOwnCheck() && s.def.Scheme() != schemeDisk,
		Interval: s.def.Interval + s.def.Timeout, Checked: own.Checked, Failing: own.Failing, FirstBad: own.FirstBad, Failure: own.Failure, Red: red, Proof: proof, Runs: runs}
}

// schemeDisk is of the check that inspects this machine's own disk.
const schemeDisk = "disk"

// reconcileFleet decides again about the fleet's incident.
func reconcileFleet(c *Controller, now time.Time) {
	self := c.fleet.self
	switch {
	case !c.leads():
		return
	case self.journal.Pending():
		c.repeat(self, now)
		return
	case self.deferred.next(c, now):
		return
	case !self.open() && !anyDown(c):
		c.fleet.watch.Note(fleet.Picture{}, 0, c.config.Verify.For, now)
		return
	}
	d := planFleet(self.incident, lookAtFleet(c, now), &c.fleet.watch, c.config.Verify.For, c.instance, now)
	if d.Kind == DoAppend {
		c.append(self, d.By, d.Data, now)
	}
}

// takeUpFleet takes up the fleet's incident of an earlier life.
func takeUpFleet(c *Controller, now time.Time) {
	self := c.fleet.self
	self.journal.Drop()
	if all := c.incidents.Of(event.ReservedService, c.host); len(all) > 0 {
		self.incident = all[len(all)-1]
	}
	reconcileFleet(c, now)
}

func anyDown(c *Controller) bool {
	for _, s := range c.services {
		if s.status.Value == event.Down {
			return true
		}
	}
	return false
}

// planFleet decides the one next thing about the fleet's incident. It is pure.
func planFleet(in *state.Incident, p fleet.Picture, w *fleet.Watch, window time.Duration, instance string, now time.Time) Decision {
	if in == nil || in.State == state.Resolved {
		if !p.Blind() {
			return wait()
		}
		return write(event.ByLogstream, event.Opened{Error: blindSentence(p), Check: "fleet", Instance: instance, FirstBad: p.Group().Since.UTC(), Kind: fleetKind})
	}
	if _, diagnosed := in.Last(event.TypeDiagnosed); !diagnosed {
		return write(event.ByRunbook, diagnosedBlind(in.Error))
	}
	calm := w.CalmSince()
	over := !calm.IsZero() && now.Sub(calm) >= window
	verdict := gate.Verdict{Gate: "blind", Reason: "repairs wait until LogStream reaches its services again; check this machine's network, DNS and proxy"}
	if p.Contradicted() {
		verdict = gate.None("most of their HEALTHCHECKs fail as well, so the services themselves fail")
	}
	switch {
	case (!over || p.Contradicted()) && (in.Held != verdict.Gate || in.HeldReason != verdict.Reason):
		return write(event.ByGuard, event.Suppressed{Gate: verdict.Gate, Reason: verdict.Reason})
	case over:
		return resolve(View{Incident: in, Now: now}, event.HowRecovered, calm)
	}
	return wait()
}

// blindSentence is what the fleet's incident says.
func blindSentence(p fleet.Picture) string {
	g := p.Group()
	within := max(time.Second, (g.Within + time.Second - 1).Truncate(time.Second))
	sentence := fmt.Sprintf("The observer is blind: %d of %d services failed within %s while their containers run", g.Together, p.Targets, within)
	if p.Probed < fleet.Least {
		sentence += fmt.Sprintf("; HEALTHCHECKs that succeed: %d", g.Well)
	}
	return sentence
}

// diagnosedBlind is the cause of the fleet's incident. Nothing is done about it:
// no container is at fault.
func diagnosedBlind(sentence string) event.Diagnosed {
	why := "most services failed at once while their containers run, so the network between LogStream and them is at fault; a restart would only interrupt a service"
	return event.Diagnosed{CauseID: blindCause, Cause: sentence + ".", CausePast: "The observer was blind: most services failed at once while their containers ran.",
		Action: service.ActionNone, Target: event.ReservedService, Confidence: 0.9,
		Legal:      []event.Choice{{Letter: "A", Action: service.ActionNone, Why: why}},
		NotOffered: []event.Refusal{{Action: service.ActionRestart, Why: "the containers run, so a restart would fix nothing"}},
		Runbook:    &event.Opinion{Cause: sentence + ".", Action: service.ActionNone, Confidence: 0.9, Why: why}}
}

// blindness is what the gate knows of a service.
func blindness(c *Controller, s *serviceState, now time.Time) gate.Blind {
	if !s.def.HasOwnCheck() {
		return gate.Blind{}
	}
	in := c.fleet.self.incident
	p := lookAtFleet(c, now)
	since := s.proofWait.observe(proofDue(c, s, p), s.status.Probe().Failing, now)
	if in != nil && in.Resolved != nil && now.Sub(*in.Resolved) < blindReach {
		since = later(since, *in.Resolved)
	}
	switch {
	case in != nil && in.State != state.Resolved:
		return gate.Blind{Now: uncapital(in.Error)}
	case p.Blind():
		return gate.Blind{Opening: true}
	case p.Suspect(memberOf(c, s)):
		return gate.Blind{Suspect: true}
	case s.proofWait.ended.IsZero() && now.Before(s.proofWait.until):
		return gate.Blind{Proof: s.proofWait.until}
	case !since.IsZero():
		return gate.Blind{Since: since, Failed: s.status.OwnBadSince(since), Needed: s.status.OwnNeeded()}
	}
	return gate.Blind{}
}

// breaker is what the gate knows of all services.
func breaker(c *Controller, now time.Time) gate.Breaker {
	lookAtFleet(c, now)
	out := gate.Breaker{Least: int(c.config.Budget.MinHealthy), Window: c.config.Verify.For}
	out.Tripped, out.Stable = c.fleet.watch.Tripped()
	out.Healthy, out.Known = c.fleet.watch.AtTrip()
	return out
}
