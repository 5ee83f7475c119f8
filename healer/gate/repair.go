package gate

import (
	"fmt"
	"strings"
	"time"

	"logstream/healer/action"
	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	afterStop      = time.Second      // after any stop: deployments remove what they stop
	mostUnexecuted = 5                // intents closed without a call, in one incident
	busyPatience   = 15 * time.Second // how long a call for another service is waited for without an event
	closedPause    = time.Second      // after an intent was closed without a call: the container was changing
)

func self(s Situation) Verdict {
	if (s.Container.Self || s.Protected) && !s.Def.Heal.Self {
		return hold("LogStream itself depends on this container; heal.self: true allows its repair")
	}
	return Verdict{}
}

func onHold(s Situation) Verdict {
	if s.Hold == nil {
		return Verdict{}
	}
	reason := "repairs on this host are on hold"
	if s.Hold.Reason != "" {
		reason += ": " + s.Hold.Reason
	}
	if s.Hold.Until.IsZero() {
		return hold(reason)
	}
	return holdUntil(reason, s.Hold.Until)
}

func observeOnly(s Situation) Verdict {
	if s.Mode != service.Observe || s.Asked {
		return Verdict{}
	}
	for _, meant := range []func(Situation) Verdict{intentional, removedOnPurpose} {
		if v := meant(s); !v.Passes() { // what LogStream may only observe needs a person, and this needs none
			v.Gate = "operator"
			return v
		}
	}
	reason := fmt.Sprintf("the mode is observe, so the action %s is not executed; logstream heal %s --action %[1]s executes it once", s.Action, action.Quote(s.Def.Name))
	switch {
	case s.Def.Discovered:
		reason += "; to allow repairs, create its container again with the label logstream.heal: auto"
	case s.Def.Heal.Mode != "":
		reason += "; heal.mode: auto of this service in config.yaml allows repairs"
	default:
		reason += "; in config.yaml, heal.mode: auto of this service allows repairs, or healer.mode: auto for all"
	}
	return hold(reason)
}

func budgetSpent(s Situation) Verdict {
	minute, end := s.Host.ThisMinute()
	switch {
	case s.NotExecuted >= mostUnexecuted:
		return Verdict{Escalate: fmt.Sprintf("The container changed before each repair could run: %d repairs were not executed.", s.NotExecuted)}
	case s.Counted >= s.Limits.Attempts:
		return Verdict{Escalate: fmt.Sprintf("%d of %d attempts failed.", s.Counted, s.Limits.Attempts) + refused(s.Refused)}
	case s.Service.ThisHour() >= s.Limits.PerHour && !s.Asked:
		return Verdict{Escalate: fmt.Sprintf("The budget of %d repairs an hour is used up.", s.Limits.PerHour)}
	case minute >= s.Limits.HostPerMinute:
		return holdUntil(fmt.Sprintf("the host's budget of %d repairs a minute is used up", s.Limits.HostPerMinute), end)
	}
	return Verdict{}
}

func deploying(s Situation) Verdict {
	switch {
	case s.Replacing:
		return hold("a deployment is replacing this container")
	case s.Now.Before(s.DeployUntil):
		return holdUntil("a container of this name was removed or renamed a moment ago: a deployment may be in progress", s.DeployUntil)
	case !s.StoppedAt.IsZero() && s.Now.Sub(s.StoppedAt) < afterStop:
		return holdUntil("it was stopped a moment ago and may be about to be replaced", s.StoppedAt.Add(afterStop))
	}
	return Verdict{}
}

func stopInProgress(s Situation) Verdict {
	if s.Stopping {
		return hold("the container is being stopped; LogStream waits until it has stopped")
	}
	return Verdict{}
}

// policyFirst lets Docker's own restart policy go first, where the container
// was neither stopped nor killed.
func policyFirst(s Situation) Verdict {
	byItself := s.Ended && (s.Ending.End == history.EndByItself || s.Ending.End == history.EndOOM)
	if policyWorks(s.Container) && byItself && s.Now.Sub(s.Ending.ReadAt) < policyTime {
		return holdUntil(policyReason(s.Container), s.Ending.ReadAt.Add(policyTime))
	}
	return Verdict{}
}

// removedOnPurpose leaves a container alone that was removed together with its
// Compose project, as docker compose down does.
func removedOnPurpose(s Situation) Verdict {
	switch {
	case s.Asked || s.Action != service.ActionRecreate || !s.Missing || s.Def.Heal.ManualStop == service.StopAlways:
		return Verdict{}
	case s.Def.Heal.ManualStop == service.StopIgnore:
		return hold("removed by an external change: manual_stop is ignore, so LogStream does not recreate it")
	case s.Together:
		return hold("removed while other containers of its Compose project were stopped: treated as intentional")
	}
	return Verdict{}
}

// intentional leaves alone what was done on purpose: a container that never
// ran, a second stop within ten minutes, several stops of one project; and it
// leaves a first stop alone for manual_grace.
func intentional(s Situation) Verdict {
	if s.Asked || s.Action != service.ActionStart && s.Action != service.ActionUnpause || s.ByEngine {
		return Verdict{}
	}
	always := s.Def.Heal.ManualStop == service.StopAlways
	if !s.Ran && !always {
		return hold("LogStream has never seen it running, so it leaves it alone; start it once by hand")
	}
	what := "stopped"
	if s.Action == service.ActionUnpause {
		what = "paused"
	}
	external := s.Ended && !s.Ending.Ours && (s.Ending.End == history.EndStopped || s.Action == service.ActionUnpause)
	if !external || s.ByChaos {
		return Verdict{}
	}
	graceEnds := s.Ending.ReadAt.Add(s.Limits.ManualGrace)
	switch {
	case s.Def.Heal.ManualStop == service.StopIgnore:
		return hold(what + " by an external change: manual_stop is ignore, so LogStream leaves it " + what)
	case s.Together && !always:
		return hold(what + " together with other containers of its Compose project: treated as intentional")
	case s.Again && !always:
		return hold(what + " again within 10 minutes: treated as intentional")
	case s.Now.Before(graceEnds):
		return holdUntil(fmt.Sprintf("%s by an external change: LogStream waits %s (manual_grace), then it may %s the container", what, s.Limits.ManualGrace, s.Action), graceEnds)
	}
	return Verdict{}
}

func coolingDown(s Situation) Verdict {
	if until := s.Service.NotBefore(s.Limits.Cooldown); s.Now.Before(until) && !s.Asked {
		return holdUntil("the last repair failed: the next one waits for the cooldown", until)
	}
	return Verdict{}
}

// levelPending waits for the container's state under a new claim or definition: right before
// the call it has to say DOWN still, and an intent before it would be in vain.
func levelPending(s Situation) Verdict {
	if s.LevelPending && !s.Asked {
		return wait
	}
	return Verdict{}
}

// oneCallAtATime is the last: Docker is called for one service at a time, and
// not again at once for a container that changed before the last call.
func oneCallAtATime(s Situation) Verdict {
	switch {
	case s.Busy != "" && s.Now.Sub(s.BusySince) > busyPatience:
		return hold(s.Busy + " is being repaired: one repair at a time runs on this host")
	case s.Busy != "", s.Now.Sub(s.Service.ClosedAt()) < closedPause:
		return wait
	}
	return Verdict{}
}

// refused adds why the engine refused the newest call: what a person has to fix.
func refused(why string) string {
	if why == "" {
		return ""
	}
	return " The last one was refused: " + strings.TrimRight(event.Clip(why, 300), ". ") + "."
}
