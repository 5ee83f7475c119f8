package healer

import (
	"errors"
	"slices"
	"strings"
	"time"

	"logstream/healer/action"
	"logstream/healer/budget"
	"logstream/healer/gate"
	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/healer/status"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

const (
	patience     = 2 * time.Second        // what comes by itself within it is waited for without an event
	patienceMax  = 5 * time.Second        // engine events that never come are waited for at most so long
	actAgain     = 10 * time.Minute       // the same act from outside again within it is intentional
	injectReach  = 15 * time.Second       // a stop that follows an `inject` within it is chaos's
	injectSlack  = 2 * time.Second        // and one that was read so shortly before it
	refusedReach = 500 * time.Millisecond // how long after a call was refused its events may be read
	reachBack    = 16                     // incidents of one service that are read in any case
)

// View is all that is known when planning about one service: built for one step, only
// read, and not kept after it.
type View struct {
	Now     time.Time
	Config  Config
	CLI     string // the program of the commands that are shown, such as docker
	Def     service.Definition
	Name    string // of the container
	Removed bool
	Edited  time.Time      // when Def was last changed
	ByHand  *event.Command // for which an incident is to be begun

	Status   *status.Status
	Incident *state.Incident
	Attempts []budget.Attempt
	Forced   string // the action that an operator requested or a program proposed, until one was executed, a person was called, or none can be
	Proposed bool   // by a program: it waits for approval
	GoodRun  run

	Undo       *state.Undoable // that the incident was opened to undo; nil: none, or no more
	Undone     []event.Refusal // actions that operators undid of late
	Target     action.Target   // of an action, as it was inspected
	Inspection inspection
	Collection collection
	Served     served
	Around     around // what else is known of it
	Update     *event.Update
	Accused    bool // the image that runs is bad, and was not failing before
	UpdateSeen bool // an incident was opened about it already
	History    history.History
	Stop       history.Stop // how the container is stopped

	Execution    execution
	Verification verification
	Consultation consultation
	OpenQueries  int // of all services
	Model        ModelState

	// Parent is the service whose container's network it uses, and ParentStarted
	// when that was started; empty: there is none, or it does not run.
	Parent        string
	ParentStarted time.Time
	Needs         []need // the services that it depends on, directly or through others
	Situation     gate.Situation
	Seen          time.Time         // when the present life of its container was first inspected; zero: it was not
	Decidable     bool              // the facts are complete
	Diagnosis     runbook.Diagnosis // what they mean
}

// began is when the present life of the container had begun at the latest, by our clock:
// never in the future, where the engine's clock, or both, were set back since.
func (v View) began() time.Time {
	began := v.History.Began(v.Inspection.state.ID, v.Inspection.state.StartedAt)
	if began.After(v.Now) && !v.Seen.IsZero() {
		return v.Seen
	}
	return began
}

// newView builds the view of a service, and takes into s since when it waits
// for what.
func newView(c *Controller, s *serviceState, now time.Time) View {
	v := View{Now: now, Config: c.config, CLI: c.cli, Def: s.def, Name: s.containerName(), Removed: s.removed, Edited: s.edited, ByHand: s.byHand,
		Status: s.status, Incident: s.incident, GoodRun: s.goodRun, Inspection: s.inspection, Collection: s.collection, Served: s.served, Around: newAround(c, s, now),
		History: c.engine.Of(s.containerName()), Stop: stopOf(s.inspection.state), Model: c.model, OpenQueries: openQueries(c, now)}
	v.Stop.ReadSince = c.began
	if s.healthRun.container == s.inspection.state.ID {
		v.Seen = s.healthRun.seen
	}
	v.Update, v.Accused, v.UpdateSeen = s.update.Update, accused(s), updateSeen(c, s)
	if s.incident != nil {
		v.Attempts = budget.Attempts(s.incident.Events)
		v.Forced = forcedAction(s.incident)
		v.Proposed = openedFor(s.incident)
		if v.Proposed && (opensUpdate(v) || !proposalStands(s, now)) {
			v.Forced = ""
		}
	}
	if s.verification.attempt > 0 {
		own, known := s.status.OwnLast()
		s.verification.observe(c.engine.Lost() && s.def.Container != "", s.status.Level(), known, verifyTimeout(c.config, s.def), now)
		s.verification.await(own, known, s.def, verifyTimeout(c.config, s.def), now)
	}
	v.Target, v.Undo, v.Undone = targetOf(c, s, v), noteUndo(c, s.incident), undone(c, s, now)
	impossible := isImpossible(v)
	if impossible {
		v.Forced = "" // the incident goes on as any other
	}
	own := v.History.Own(intents(c, s))
	v.Situation, v.Needs = newSituation(c, s, v, own), newNeeds(c, s, now)
	v.Situation.Asked = v.Situation.Asked && !impossible
	v.Situation.Dependency = newDependency(c, s, now)
	v.Parent, v.ParentStarted = networkParent(c, s)
	if v.Situation.Blind.Now != "" {
		s.verification.extend(verifyTimeout(c.config, s.def), now)
	}
	v.inspected(s, own)
	if v.Decidable {
		s.waiting.undecided = since(s.waiting.undecided, v.Diagnosis.Wait != "", now)
	}
	v.Diagnosis.Facts = append(v.Diagnosis.Facts, unchecked(v)...)
	v.Situation.Undecided = v.Diagnosis.Wait
	v.Situation.Full = fullDisk(v)
	v.Situation.Recurrence = recurrenceOf(c, s, v.Diagnosis.CauseID, now)
	if !s.waiting.undecided.IsZero() {
		v.Situation.UndecidedFor = now.Sub(s.waiting.undecided)
	}
	v.Execution, v.Verification, v.Consultation = s.execution, s.verification, s.consultation
	return v
}

// inspected makes the facts of what was inspected, where they are complete.
func (v *View) inspected(s *serviceState, own []bool) {
	switch {
	case s.def.Container == "":
		v.Diagnosis, v.Decidable = diagnose(*v, answers(*v, runbook.Facts{})), true
		return
	case s.inspection.due(v.Now) != fresh:
		return
	case errors.Is(s.inspection.err, container.ErrNotFound) && !s.removalKnown(v.History, v.Now):
		return
	case errors.Is(s.inspection.err, container.ErrNotFound):
		v.Diagnosis, v.Decidable = diagnose(*v, missingFacts(*v)), true
		return
	case s.inspection.err != nil:
		return
	}
	s.waiting.removal = time.Time{}
	if v.Verification = s.verification; v.Verification.takeover && v.isAsLeft(s) {
		s.verification.takeover = false
	}
	complete := s.waiting.eventsOf(s.inspection.state, v.Situation.Ending, v.Situation.Ended, v.History, v.Now)
	if complete && (v.Situation.Ended || !intentionalHold(*v)) {
		v.Diagnosis, v.Decidable = diagnose(*v, containerFacts(*v)), true
	}
}

// isAsLeft says, in a new life of the process, whether the container is as the
// action left it.
func (v *View) isAsLeft(s *serviceState) bool {
	begun, _ := v.Incident.Last(event.TypeActionStarted)
	finished, done := v.Incident.Last(event.TypeActionFinished)
	intent, is := begun.Data.(event.ActionStarted)
	if !done || !is || s.inspection.at.Before(s.verification.since) {
		return false
	}
	a, known := action.Of(intent)
	return known && a.Leaves(intent, finished.Data.(event.ActionFinished), s.inspection.state)
}

// eventsOf says whether the engine's events have caught up with what was seen
// of a container. Events that never come are not waited for longer than
// patienceMax.
func (w *waiting) eventsOf(c container.State, end history.Ending, ended bool, h history.History, now time.Time) bool {
	complete := true
	switch c.Status {
	case container.Exited, container.Dead:
		complete = ended && !end.Waiting
	case container.Paused:
		_, complete = h.Last(func(_ int, e history.Event) bool { return e.ID == c.ID && e.Time.After(c.StartedAt) }, "pause")
	}
	changed := later(c.StartedAt, c.FinishedAt)
	if complete || w.gaveUpOn.Equal(changed) {
		w.events = time.Time{}
		return true
	}
	w.events = since(w.events, true, now)
	if now.Sub(w.events) > patienceMax {
		w.gaveUpOn = changed
	}
	return w.gaveUpOn.Equal(changed)
}

// newSituation gathers what the gates read.
func newSituation(c *Controller, s *serviceState, v View, own []bool) gate.Situation {
	of := s.inspection.state
	out := gate.Situation{Now: v.Now, Def: s.def, Mode: c.mode(s.def),
		Limits: gate.Limits{ManualGrace: c.config.ManualGrace, Attempts: c.config.Budget.Attempts, PerHour: c.config.Budget.PerHour,
			HostPerMinute: c.config.Budget.HostPerMinute, Cooldown: c.config.Budget.Cooldown},
		Unwritable: s.journal.Unwritable(), EngineLost: c.engine.Lost(), EngineSettled: c.engine.SettledAt(),
		Container: of, Ran: s.ran[of.ID], Protected: protects(c, of), Hold: c.hold,
		DeployUntil: c.engine.DeployedUntil(v.Name, s.containerID(), of.Project, c.config.Quiet, func(e history.Event) bool { return isOwnReplacement(c, e) }),
		Replacing:   of.Replacing != "" || c.engine.IsReplaced(v.Name, of.ID, v.Now),
		LevelDown:   s.status.Level() == event.Down, Service: &s.budget, Host: &c.budget, Busy: c.busy, BusySince: c.busySince}
	gatherHost(c, s, v, own, &out)
	if s.incident == nil {
		return out
	}
	since, _ := c.claim.Leader()
	out.LevelPending = s.def.Container != "" && s.status.Level() == "" && v.Now.Sub(later(since, s.edited)) < patience
	out.Open = s.incident.State != state.Escalated
	out.Opened, out.Asked = s.incident.Opened, requestedByOperator(s.incident)
	out.Counted, out.NotExecuted = budget.Spent(v.Attempts)
	if n := len(v.Attempts); n > 0 && v.Attempts[n-1].Outcome == event.OutcomeRefused {
		out.Refused = v.Attempts[n-1].Error
	}
	out.Witness = sourceName(s.status.Decided)
	out.Unconfirmed = s.def.Heal.Confirm && !s.status.OwnDown() && s.status.Level() != event.Down && s.status.ForeignDown() && v.Forced == ""
	out.Disputed = s.status.Disputed()
	if s.inspection.due(v.Now) == fresh && s.inspection.err != nil {
		var ambiguous *container.AmbiguousError
		out.Missing = errors.Is(s.inspection.err, container.ErrNotFound)
		out.InspectFailed = !out.Missing && !errors.As(s.inspection.err, &ambiguous)
	}
	if removed, found := v.History.Last(func(int, history.Event) bool { return true }, "destroy"); found && out.Missing {
		out.Together = c.engine.DoneTogether("stop", v.Name, removed.Project, removed.Time, removed.Time, v.Now, c.isExternalStop, stops(c))
	}
	out.ChangeLasts = verifyTimeout(c.config, s.def)
	if i, found := v.History.Interference(own, s.incident.Opened.Add(-time.Second), v.Stop, s.isTarget); found {
		code, byItself := v.History.FollowsOwnEnd(i, v.Stop)
		out.Change, out.ByPolicy = &v.History[i], byItself && gate.PolicyStarts(of, code)
	}
	if kill, stopping := v.History.Stopping(of.ID, v.Stop, own, v.Now); stopping && of.Status == container.Running {
		out.Stopping = v.History.IsOfRunning(kill, of.StartedAt, v.Now)
	}
	if e, found := v.History.Last(func(_ int, e history.Event) bool { return e.ID == of.ID }, "stop"); found && of.Status != container.Running {
		out.StoppedAt = e.ReadAt
	}
	if out.Ending, out.Ended = ending(v, own); out.Ended {
		out.ByChaos, out.ByEngine = s.injected(out.Ending.ReadAt), c.engine.StoppedByEngine(out.Ending.ReadAt)
		out.Again = doneBefore(c, s, v, own, out.Ending)
		switch {
		case of.Status == container.Paused:
			out.Together = c.engine.DoneTogether("pause", v.Name, of.Project, out.Ending.At, out.Ending.At, v.Now, c.isExternalStop, stops(c))
		case out.Ending.End == history.EndStopped:
			began := v.History.StopBegan(of.ID, stopOf(of), out.Ending.At) // it may take as long as its time-out, and another's ends at once
			out.Together = c.engine.DoneTogether("stop", v.Name, of.Project, began, out.Ending.At, v.Now, c.isExternalStop, stops(c))
		}
	}
	return out
}

// ending is how the service's container ended, if it did, by its own events.
func ending(v View, own []bool) (history.Ending, bool) {
	c := v.Inspection.state
	switch c.Status {
	case container.Exited, container.Dead:
		e, found := v.History.Ending(c.ID, v.Stop, own, v.Now)
		return e, found && !e.Died.Before(c.FinishedAt.Add(-time.Second))
	case container.Paused:
		return v.History.Pause(c.ID, own)
	}
	return history.Ending{}, false
}

// doneBefore says whether the same was done to the service's container from
// outside within ten minutes before. Times are the engine's; a clock that was set back
// leaves open how long ago it was, and then it counts.
func doneBefore(c *Controller, s *serviceState, v View, own []bool, e history.Ending) bool {
	kind := "stop"
	if v.Inspection.state.Status == container.Paused {
		kind = "pause"
	}
	h := v.History
	until := h.Until(e.At)
	_, before := h.Last(func(i int, old history.Event) bool {
		return !own[i] && i < until && !old.Time.Equal(e.At) && e.At.Sub(old.Time) < actAgain && !s.injected(old.ReadAt) &&
			!c.engine.StoppedByEngine(old.ReadAt) && !h.IsEcho(i) && !h.IsOfRestart(i) && !h.IsRemovedAfter(i)
	}, kind)
	return before
}

// requestedByOperator says whether an operator requested this incident's repair, and that
// has no answer yet: what happens afterwards is judged as in any other incident.
func requestedByOperator(in *state.Incident) bool {
	opened, known := in.Last(event.TypeOpened)
	return known && strings.HasPrefix(opened.By, event.ByOperator) && !wasAnswered(in)
}

// forcedAction is the action that an operator requested, until that has its answer.
func forcedAction(in *state.Incident) string {
	opened, known := in.Last(event.TypeOpened)
	if !known || wasAnswered(in) {
		return ""
	}
	return opened.Data.(event.Opened).Action
}

// wasAnswered says whether any action of the incident was executed, for what was
// requested once is done once, or a person was called instead.
func wasAnswered(in *state.Incident) bool {
	return slices.ContainsFunc(in.Events, func(e event.Incident) bool {
		finished, done := e.Data.(event.ActionFinished)
		return done && finished.Outcome != event.OutcomeNotExecuted || e.Type == event.TypeEscalated
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// protects says whether we depend on a container: a broker of ours, our model,
// by its name or by a port of this machine that leads to it.
func protects(c *Controller, of container.State) bool {
	return slices.Contains(c.protected, of.Name) || of.Service != "" && slices.Contains(c.protected, of.Service) ||
		slices.ContainsFunc(strings.Fields(of.HostPorts), func(port string) bool { return slices.Contains(c.protected, ":"+port) })
}
