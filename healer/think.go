package healer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

const (
	lookAgain    = 5 * time.Second  // what was seen of a container is good for that long
	lookRetry    = time.Second      // while the engine does not answer
	lookLost     = 15 * time.Second // a look whose outcome never came is made again
	patience     = 2 * time.Second  // incomplete facts are waited for without a word
	patienceMax  = 5 * time.Second  // and events that never come, at most so long
	unmadePause  = time.Second      // after an intent that was not carried out
	evidenceEach = time.Minute      // how often evidence is written again from which nothing follows
	busyQuiet    = 15 * time.Second // how long a call for another service is waited for without a word
	tooMany      = 5                // intents that were not carried out, in one incident
	actAgain     = 10 * time.Minute // somebody's same act again within it is a decision
	projectStop  = 10 * time.Second // stops of one project's containers within it belong together
	engineOwn    = 15 * time.Second // a stop whose event stream ends within it was the engine's own
	settle       = 5 * time.Second  // after the engine is back
	afterStop    = time.Second      // after any stop: deployments remove what they stop
	deployment   = 10 * time.Second // after a container was removed or renamed
	policyTime   = 10 * time.Second // Docker's restart policy goes first
	cooldownMax  = 10 * time.Minute
)

// think does the one next thing about a service's incident, if there is one.
func (w *World) think(s *svc, now time.Time) {
	switch {
	case !w.owner:
		return
	case s.pending != nil:
		w.again(s, now)
		return
	case s.removed:
		w.remove(s, now)
		return
	case ended(s.incident):
		if w.nextByHand(s, now) {
			return
		}
		if s.status.Value == event.Down {
			w.begin(s, event.ByLogstream, event.Opened{Error: s.status.Error, Check: s.status.Decided.Check,
				Instance: s.status.Decided.Instance, FirstBad: s.status.FirstBad, Kind: "service"}, now)
		}
		return
	}
	last, acted := s.incident.Last(event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified)
	if acted {
		switch data := last.Data.(type) {
		case event.ActionStarted:
			w.carryOut(s, last, data, now)
			return
		case event.ActionFinished:
			if data.OK {
				w.prove(s, data, now)
				return
			}
		case event.Verified:
			if data.OK {
				w.resolve(s, event.HowHealed, data.Since, now)
				return
			}
		}
	}
	w.deliberate(s, now)
}

func (w *World) remove(s *svc, now time.Time) {
	if last, acted := lastOf(s, event.TypeActionStarted, event.TypeActionFinished); s.open() && acted && last.Type == event.TypeActionStarted {
		w.carryOut(s, last, last.Data.(event.ActionStarted), now)
		return
	}
	if s.open() {
		w.resolve(s, event.HowOperator, now, now)
	}
}

func lastOf(s *svc, types ...event.Type) (event.Incident, bool) {
	if s.incident == nil {
		return event.Incident{}, false
	}
	return s.incident.Last(types...)
}

// deliberate decides what is next while no action runs and none is proved.
func (w *World) deliberate(s *svc, now time.Time) {
	in := s.incident
	if w.tellAway(s, now) {
		return
	}
	forced := forcedAction(in)
	asked := forced != "" && (in.Held == "" || in.HeldUntil != nil) // and not refused
	if !asked && s.status.Good() && s.status.Level() != event.Down && s.good.n >= w.verifyNeeded(s.def) {
		w.resolve(s, event.HowRecovered, s.good.first, now)
		return
	}
	if s.status.Value != event.Down && forced == "" {
		return // it answers again: the window decides
	}
	if w.rivalry(s, now) {
		return
	}
	if in.State == state.Escalated {
		w.reconsider(s, now)
		return
	}
	if forced == "" && !w.confirmed(s) {
		w.suppress(s, "unconfirmed", fmt.Sprintf("only %s sees it down; our own check and the engine do not", named(s.status.Decided)), nil, now)
		return
	}
	facts, ready := w.facts(s, now)
	if !ready {
		return
	}
	w.decide(s, facts, now)
}

// decide writes what was found and what is to be done, one event at a time.
func (w *World) decide(s *svc, facts runbook.Facts, now time.Time) {
	dx := runbook.Diagnose(facts)
	if forced := forcedAction(s.incident); forced != "" {
		dx = force(dx, forced)
	}
	if dx.Wait != "" {
		w.wait(s, "starting", dx.Wait, now)
		return
	}
	s.work.waiting = time.Time{}
	if until := s.incident.Opened.Add(policyTime); facts.State == string(container.Restarting) && now.Before(until) {
		w.suppress(s, "policy", policyFirst(s.look.state), at(until), now) // one crash is no loop
		return
	}
	if evidence, written := lastOf(s, event.TypeEvidence); !written || !slices.Equal(decisive(evidence.Data.(event.Evidence).Facts), decisive(dx.Facts)) {
		if written && w.heldAlike(s, evidence, dx, now) {
			return
		}
		w.write(s, event.ByLogstream, event.Evidence{Facts: dx.Facts, Logs: s.look.logs}, now)
		return
	}
	before, written := lastOf(s, event.TypeDiagnosed)
	if !written || !sameDiagnosis(before.Data.(event.Diagnosed), dx) {
		w.diagnose(s, dx, now)
		return
	}
	switch stands := before.Data.(event.Diagnosed); stands.Action {
	case service.ActionNone:
		w.suppress(s, "none", dx.Why, nil, now)
	case service.ActionEscalate:
		w.escalate(s, decider(s.incident), escalation(dx), now)
	default:
		w.act(s, stands.Action, now)
	}
}

// diagnose writes what is held to be the cause and what is to be done about it,
// once the model's view is known, where it has one.
func (w *World) diagnose(s *svc, dx runbook.Diagnosis, now time.Time) {
	answer, known := w.consult(s, dx, now)
	if !known {
		return
	}
	diagnosed := event.Diagnosed{CauseID: dx.CauseID, Cause: dx.Cause, CausePast: dx.CausePast, Action: dx.Action, Target: s.def.Name, Confidence: dx.Confidence,
		Legal: dx.Legal, NotOffered: dx.NotOffered,
		Runbook: &event.Opinion{Cause: dx.Cause, Action: dx.Action, Confidence: dx.Confidence, Why: dx.Why}}
	by := stand(&diagnosed, w.cfg.LLM.Model, answer)
	diagnosed.Command = command(diagnosed.Action, s.name())
	w.write(s, by, diagnosed, now)
}

// heldAlike says that the facts may read otherwise, and nothing follows from
// it: the same gate holds the incident for the same reason. What flaps is then
// written once in evidenceEach.
func (w *World) heldAlike(s *svc, evidence event.Incident, dx runbook.Diagnosis, now time.Time) bool {
	if s.incident.Held == "" || now.Sub(evidence.Time) >= evidenceEach {
		return false
	}
	diagnosed, known := lastOf(s, event.TypeDiagnosed)
	if !known || diagnosed.Seq < evidence.Seq {
		return false
	}
	verdict, action := holdBack("none", dx.Why), dx.Action
	if stands := diagnosed.Data.(event.Diagnosed); sameDiagnosis(stands, dx) {
		action = stands.Action
	}
	switch action {
	case service.ActionEscalate:
		return false
	case service.ActionNone:
	default:
		verdict = guard(w.situation(s, action, now))
	}
	return s.incident.Held == verdict.gate && s.incident.HeldReason == verdict.reason
}

// decisive are the facts that decide: evidence is written again when they change.
func decisive(facts []event.Fact) []event.Fact {
	return slices.DeleteFunc(slices.Clone(facts), func(f event.Fact) bool { return !f.Decisive })
}

func escalation(dx runbook.Diagnosis) string {
	for _, refused := range dx.NotOffered {
		if strings.HasPrefix(refused.Why, failedBefore) {
			return fmt.Sprintf("%s %s: %s", dx.Cause, refused.Action, refused.Why)
		}
	}
	return dx.Cause + " " + strings.ToUpper(dx.Why[:1]) + dx.Why[1:] + "."
}

// act asks the guard, and writes the intent.
func (w *World) act(s *svc, action string, now time.Time) {
	verdict := guard(w.situation(s, action, now))
	switch {
	case verdict.escalate != "":
		w.escalate(s, event.ByGuard, verdict.escalate, now)
		return
	case verdict.gate != "":
		w.suppress(s, verdict.gate, verdict.reason, verdict.until, now)
		return
	case w.busy != "" && now.Sub(w.busySince) > busyQuiet:
		w.suppress(s, "budget", fmt.Sprintf("one call at a time is made on this engine, and that for %s is under way", w.busy), nil, now)
		return
	case w.busy != "":
		return
	case now.Sub(s.unmade) < unmadePause:
		return // the world was changing a moment ago
	}
	c := s.look.state
	attempt := s.incident.Attempts + 1
	limit := deadline(action, c.StopTimeout)
	s.work = work{incident: s.incident.ID, attempt: attempt, ours: true, wrote: now}
	w.busy, w.busySince = s.def.Name, now
	w.write(s, decider(s.incident), event.ActionStarted{Attempt: attempt, Action: action, Target: s.def.Name, Command: command(action, s.name()),
		Pins: event.Pins{ContainerID: c.ID, ImageID: c.ImageID, SpecHash: c.SpecHash, StartedAt: c.StartedAt,
			State: string(c.Status), LastEvent: w.history(s).Newest()},
		Expires: now.Add(limit).UTC(), Verify: w.verifyNeeded(s.def)}, now)
}

// reconsider looks again at an escalated incident: it is taken up when the
// facts prove another cause whose repair loses nothing.
func (w *World) reconsider(s *svc, now time.Time) {
	if !w.confirmed(s) {
		return
	}
	facts, ready := w.facts(s, now)
	if !ready {
		return
	}
	dx := runbook.Diagnose(facts)
	before, known := lastOf(s, event.TypeDiagnosed)
	if !known || !anotherCause(before.Data.(event.Diagnosed), dx) {
		return
	}
	if verdict := guard(w.situation(s, dx.Action, now)); verdict.gate != "" || verdict.escalate != "" {
		return
	}
	w.decide(s, facts, now)
}

// anotherCause says whether the facts prove another cause than what a person was
// called for, whose repair loses nothing.
func anotherCause(before event.Diagnosed, dx runbook.Diagnosis) bool {
	return dx.Wait == "" && runbooksView(before).Cause != dx.Cause && runbook.Tier0(dx.Action) && dx.Action != service.ActionNone
}

// confirmed says whether our own check, or the engine, agrees that it is DOWN.
func (w *World) confirmed(s *svc) bool {
	return !s.def.Heal.Confirm || s.status.OwnDown() || s.status.Level() == event.Down || !s.status.ForeignDown()
}

func named(source event.Source) string {
	if source.Instance == "" {
		return "a program that gives no name"
	}
	return strconv.Quote(source.Instance)
}

// suppress says once which gate holds the incident, and why.
func (w *World) suppress(s *svc, gate, reason string, until *time.Time, now time.Time) {
	if s.incident.Held == gate && s.incident.HeldReason == reason {
		return
	}
	w.write(s, event.ByGuard, event.Suppressed{Gate: gate, Reason: reason, Until: until}, now)
}

// wait is for facts that come by themselves in a moment: it is said only when
// they don't.
func (w *World) wait(s *svc, gate, reason string, now time.Time) {
	if s.work.waiting.IsZero() {
		s.work.waiting = now
	}
	if now.Sub(s.work.waiting) > patience {
		w.suppress(s, gate, reason, nil, now)
	}
}

func (w *World) escalate(s *svc, by, reason string, now time.Time) {
	w.write(s, by, event.Escalated{Reason: reason}, now)
}

func (w *World) resolve(s *svc, how string, good, now time.Time) {
	in := s.incident
	ms := func(d time.Duration) float64 { return max(0, float64(d.Microseconds())/1000) }
	w.write(s, event.ByLogstream, event.Resolved{How: how, Attempts: in.Attempts, TTDMS: ms(in.Opened.Sub(in.FirstBad)),
		TTRMS: ms(now.Sub(in.FirstBad)), DownMS: ms(good.Sub(in.FirstBad))}, now)
}

// rivalry says whether somebody else just started the target: then its checks
// decide, and not we.
func (w *World) rivalry(s *svc, now time.Time) bool {
	e, byPolicy, found := w.rival(s)
	if !found || now.Sub(e.ReadAt) > w.verifyTimeout(s.def) {
		return false
	}
	if s.status.Level() == event.Down && now.Sub(e.ReadAt) > patience {
		return false // and it is down again
	}
	if s.status.Level() == event.Down {
		return true // the level follows in a moment
	}
	if byPolicy {
		w.orSuppress(s, "policy", policyFirst(s.look.state), at(e.ReadAt.Add(w.verifyTimeout(s.def))), now)
		return true
	}
	w.orSuppress(s, "rival", fmt.Sprintf("somebody else made it %s; its checks decide", past(e.Action)), nil, now)
	return true
}

// rival is the newest start, restart or unpause from outside since the
// incident was opened, if nothing ended the container after it.
// byPolicy says that it is Docker's own: it followed an end by itself, and a
// restart policy is at work.
func (w *World) rival(s *svc) (e history.Event, byPolicy, found bool) {
	h, stop := w.history(s), stopOf(s.look.state)
	i, found := h.Interference(h.Own(w.intents(s)), s.incident.Opened.Add(-time.Second), stop, func(e history.Event) bool { return ofTarget(s, e) })
	if !found {
		return history.Event{}, false, false
	}
	return h[i], policyWorks(s.look.state) && h.FollowsOwnEnd(i, stop), true
}

// ofTarget says whether an event is of the container that the service has, as
// far as that is known.
func ofTarget(s *svc, e history.Event) bool {
	return s.look.at.IsZero() || s.look.err != nil || s.look.dirty || e.ID == s.look.state.ID
}

func past(action string) string {
	if action == "unpause" {
		return "go on"
	}
	return "start"
}

// command is what a person would type.
func command(action, name string) string {
	switch action {
	case service.ActionStart, service.ActionRestart, service.ActionUnpause:
		return "docker " + action + " " + quote(name)
	}
	return ""
}

// quote makes a name safe to paste into a shell. It is shown, never executed.
func quote(name string) string {
	plain := func(r rune) bool {
		return r == '-' || r == '_' || r == '.' || r == '/' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

func decider(in *state.Incident) string {
	if in.DecidedBy != "" {
		return in.DecidedBy
	}
	return event.ByRunbook
}

// refused says whether an error is the engine's answer, and not its silence.
func refused(err error) bool { return !errors.Is(err, container.ErrUnavailable) }
