package healer

import (
	"fmt"
	"slices"
	"time"

	"logstream/healer/history"
	"logstream/internal/container"
	"logstream/internal/service"
)

// situation is all that the guard looks at.
type situation struct {
	now    time.Time
	action string
	def    service.Definition
	cfg    Config
	mode   service.Mode

	container container.State
	ran       bool // it was seen running under this id
	asked     bool // an operator asked for the repair

	ending      history.Ending // how it ended, or was paused
	ended       bool
	byChaos     bool // the end was asked for by `inject`
	byEngine    bool // the end was the engine's own
	again       bool // somebody did the same within ten minutes before
	together    bool // other containers of its Compose project were stopped with it
	stopping    bool // somebody's stop is in progress
	stoppedAt   time.Time
	deployUntil time.Time
	replacing   bool
	protected   bool // we depend on it

	hold      *hold
	counted   int // attempts that the incident's budget counts
	never     int // intents that were not carried out
	hour      int
	minute    int
	minuteEnd time.Time
	coolUntil time.Time
}

// verdict is what the guard says: yes where all is empty, not now, or a person.
type verdict struct {
	gate     string
	reason   string
	until    *time.Time
	escalate string
}

func holdBack(gate, reason string) verdict { return verdict{gate: gate, reason: reason} }

func holdUntil(gate, reason string, until time.Time) verdict {
	return verdict{gate: gate, reason: reason, until: at(until)}
}

// guard says whether an action may be taken here and now, and always why not.
func guard(s situation) verdict {
	for _, gate := range []func(situation) verdict{guardSelf, guardMode, guardBudget, guardDeploy, guardRival, guardPolicy, guardOperator, guardCooldown} {
		if v := gate(s); v != (verdict{}) {
			return v
		}
	}
	return verdict{}
}

func guardSelf(s situation) verdict {
	if (s.container.Self || s.protected) && !s.def.Heal.Self {
		return holdBack("self", "logstream itself depends on this container; heal.self: true allows it")
	}
	return verdict{}
}

func guardMode(s situation) verdict {
	switch {
	case s.hold != nil && s.hold.until.IsZero():
		return holdBack("hold", "repairs on this host are on hold: "+s.hold.reason)
	case s.hold != nil:
		return holdUntil("hold", "repairs on this host are on hold: "+s.hold.reason, s.hold.until)
	case s.mode == service.Observe && !s.asked:
		return holdBack("observe", fmt.Sprintf("the mode is observe: would have done %s", s.action))
	}
	return verdict{}
}

func guardBudget(s situation) verdict {
	switch {
	case s.never >= tooMany:
		return verdict{escalate: fmt.Sprintf("The world keeps changing: %d repairs could not be carried out.", s.never)}
	case s.counted >= s.cfg.Budget.Attempts:
		return verdict{escalate: fmt.Sprintf("%d of %d attempts did not hold.", s.counted, s.cfg.Budget.Attempts)}
	case s.hour >= s.cfg.Budget.PerHour && !s.asked:
		return verdict{escalate: fmt.Sprintf("%d repairs within an hour are all that the budget allows.", s.cfg.Budget.PerHour)}
	case s.minute >= s.cfg.Budget.HostPerMinute:
		return holdUntil("budget", fmt.Sprintf("%d repairs a minute are all that the budget of this host allows", s.cfg.Budget.HostPerMinute), s.minuteEnd)
	}
	return verdict{}
}

func guardDeploy(s situation) verdict {
	switch {
	case s.replacing:
		return holdBack("deploy", "a deployment is replacing this container")
	case s.now.Before(s.deployUntil):
		return holdUntil("deploy", "a container of this name was removed or renamed a moment ago: a deployment may be under way", s.deployUntil)
	case !s.stoppedAt.IsZero() && s.now.Sub(s.stoppedAt) < afterStop:
		return holdUntil("deploy", "it was stopped a moment ago, and whoever stopped it may be about to replace it", s.stoppedAt.Add(afterStop))
	}
	return verdict{}
}

func guardRival(s situation) verdict {
	if s.stopping {
		return holdBack("rival", "somebody has told it to stop, and it has not ended yet")
	}
	return verdict{}
}

// guardPolicy lets Docker's own restart policy go first, where nobody stopped
// or killed the container.
func guardPolicy(s situation) verdict {
	byItself := s.ended && (s.ending.End == history.EndByItself || s.ending.End == history.EndOOM)
	if policyWorks(s.container) && byItself && s.now.Sub(s.ending.ReadAt) < policyTime {
		return holdUntil("policy", policyFirst(s.container), s.ending.ReadAt.Add(policyTime))
	}
	return verdict{}
}

// policyWorks says whether Docker starts the container again by itself.
func policyWorks(c container.State) bool {
	switch c.RestartPolicy {
	case "always", "unless-stopped":
		return true
	}
	return c.RestartPolicy == "on-failure" && c.ExitCode != 0
}

func policyFirst(c container.State) string {
	return fmt.Sprintf("its restart policy is %s: Docker goes first", c.RestartPolicy)
}

// guardOperator leaves alone what a person did on purpose.
func guardOperator(s situation) verdict {
	if s.asked || s.action == service.ActionRestart || s.byEngine {
		return verdict{}
	}
	always := s.def.Heal.ManualStop == service.StopAlways
	if !s.ran && !always {
		return holdBack("operator", "it was never seen running, and is left so")
	}
	what := "stopped"
	if s.action == service.ActionUnpause {
		what = "paused"
	}
	byHand := s.ended && !s.ending.Ours && (s.ending.End == history.EndStopped || s.action == service.ActionUnpause)
	if !byHand || s.byChaos {
		return verdict{}
	}
	switch {
	case s.def.Heal.ManualStop == service.StopIgnore:
		return holdBack("operator", fmt.Sprintf("somebody %s it, and manual_stop: ignore leaves it so", what))
	case s.together && !always:
		return holdBack("operator", fmt.Sprintf("several containers of its Compose project were %s together: that is a decision", what))
	case s.again && !always:
		return holdBack("operator", fmt.Sprintf("somebody %s it again within ten minutes: that is a decision, and stands", what))
	case s.now.Sub(s.ending.ReadAt) < s.cfg.ManualGrace:
		return holdUntil("operator", fmt.Sprintf("somebody %s it: that stands for %s before it is undone", what, s.cfg.ManualGrace), s.ending.ReadAt.Add(s.cfg.ManualGrace))
	}
	return verdict{}
}

func guardCooldown(s situation) verdict {
	if s.now.Before(s.coolUntil) && !s.asked {
		return holdUntil("cooldown", "the last repair did not hold: the next one waits", s.coolUntil)
	}
	return verdict{}
}

// cooldown is how long to wait after the n-th repair in a row that did not hold.
func cooldown(base time.Duration, n int) time.Duration {
	if n == 0 {
		return 0
	}
	d := base
	for range n - 1 {
		if d *= 2; d >= cooldownMax {
			return cooldownMax
		}
	}
	return min(d, cooldownMax)
}

// situation gathers what the guard looks at.
func (w *World) situation(s *svc, action string, now time.Time) situation {
	c, h := s.look.state, w.history(s)
	own := h.Own(w.intents(s))
	list := attempts(s.incident)
	out := situation{now: now, action: action, def: s.def, cfg: w.cfg, mode: w.mode(s), container: c,
		ran: s.ranIDs[c.ID], asked: asked(s.incident), hold: w.held, deployUntil: w.deployedUntil(s),
		replacing: c.Replacing != "" || w.replaces(s, now), protected: w.protects(c),
		hour: len(s.hour), minute: len(w.recent), coolUntil: s.failed.Add(cooldown(w.cfg.Budget.Cooldown, s.fails))}
	out.counted, out.never = spent(list)
	if len(w.recent) > 0 {
		out.minuteEnd = w.recent[0].Add(minuteOfBudget)
	}
	if kill, stopping := h.Stopping(c.ID, stopOf(c), own, now); stopping && c.Status == container.Running {
		out.stopping = kill.Time.After(c.StartedAt)
	}
	out.ending, out.ended = w.ending(s, now)
	if stop, found := h.Last(func(_ int, e history.Event) bool { return e.ID == c.ID }, "stop"); found && c.Status != container.Running {
		out.stoppedAt = stop.ReadAt
	}
	if out.ended {
		out.byChaos = s.byChaos(out.ending.ReadAt)
		out.byEngine = w.byEngine(out.ending.ReadAt)
		out.again = w.doneBefore(s, out.ending, action)
		out.together = w.stoppedTogether(s, out.ending)
	}
	return out
}

func (w *World) mode(s *svc) service.Mode {
	if s.def.Heal.Mode != "" {
		return s.def.Heal.Mode
	}
	return w.cfg.Mode
}

// byChaos says whether what was heard then followed an `inject`.
func (s *svc) byChaos(heard time.Time) bool {
	return slices.ContainsFunc(s.chaos, func(at time.Time) bool {
		since := heard.Sub(at)
		return since > -2*time.Second && since < chaosReach
	})
}

// byEngine says whether the event stream ended soon after: a daemon that
// stops takes its containers down, and that is nobody's wish.
func (w *World) byEngine(heard time.Time) bool {
	return slices.ContainsFunc(w.lost, func(at time.Time) bool {
		since := at.Sub(heard)
		return since >= 0 && since < engineOwn
	})
}

// doneBefore says whether somebody did the same to the service's container
// within ten minutes before. Times are the engine's.
func (w *World) doneBefore(s *svc, e history.Ending, action string) bool {
	kind := "stop"
	if action == service.ActionUnpause {
		kind = "pause"
	}
	h := w.history(s)
	own := h.Own(w.intents(s))
	_, before := h.Last(func(i int, old history.Event) bool {
		return !own[i] && old.Time.Before(e.At) && e.At.Sub(old.Time) < actAgain && !s.byChaos(old.ReadAt) && !w.byEngine(old.ReadAt) &&
			!h.IsEcho(i) && !h.IsOfRestart(i) && !h.IsRemovedAfter(i)
	}, kind)
	return before
}

// stoppedTogether says whether another container of the same Compose project
// was stopped within ten seconds of it.
func (w *World) stoppedTogether(s *svc, e history.Ending) bool {
	project := s.look.state.Project
	if project == "" || e.End != history.EndStopped {
		return false
	}
	for name, h := range w.histories {
		if name == s.name() {
			continue
		}
		_, found := h.Last(func(_ int, other history.Event) bool {
			return other.Project == project && e.At.Sub(other.Time).Abs() < projectStop && !w.ourDoing(name, other) && !w.byEngine(other.ReadAt) && !w.chaosOn(name, other.ReadAt)
		}, "stop")
		if found {
			return true
		}
	}
	return false
}

// ourDoing says whether an event of the container with that name was an action's of ours.
func (w *World) ourDoing(name string, e history.Event) bool {
	for _, s := range w.services {
		if s.name() == name {
			h := w.histories[name]
			own := h.Own(w.intents(s))
			for i := range h {
				if h[i] == e {
					return own[i]
				}
			}
		}
	}
	return false
}

func (w *World) chaosOn(name string, heard time.Time) bool {
	for _, s := range w.services {
		if s.name() == name && s.byChaos(heard) {
			return true
		}
	}
	return false
}

// replaces says whether a container was just made that is to replace this one.
func (w *World) replaces(s *svc, now time.Time) bool {
	return slices.ContainsFunc(w.replacing, func(e history.Event) bool {
		return (e.Replace == s.name() || e.Replace == s.look.state.ID) && now.Sub(e.ReadAt) < deployment
	})
}
