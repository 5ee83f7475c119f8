package healer

import (
	"context"
	"fmt"
	"os"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/retry"
)

// Who leads is decided by the controller; here it is made known.

const (
	firstIdentify = time.Second
	mostIdentify  = 30 * time.Second
)

// identify asks the engine for its ID, until it answers, and again whenever
// Docker is back.
func (l *life) identify(ctx context.Context) error {
	for first := true; ; first = false {
		tries := retry.NewBackoff(firstIdentify, mostIdentify)
		for !l.askEngine(ctx, first) {
			first = false
			if !tries.Wait(ctx) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.reidentify:
		}
	}
}

// askEngine asks once, and says whether the engine answered.
func (l *life) askEngine(ctx context.Context, first bool) bool {
	if first {
		defer close(l.identified)
	}
	call, cancel := context.WithTimeout(ctx, inspectLimit)
	defer cancel()
	info, err := l.deps.Runtime.Info(call)
	if err != nil {
		return false
	}
	l.give(ctx, timed{in: EngineSeen{info.ID}})
	return true
}

// report makes the leadership known, and cancels queries that are no longer needed.
func (l *life) report(in Input) {
	origin, owner := l.controller.Owner()
	if owner != l.owner {
		l.owner = owner
		if owner {
			l.claimed.Store(&origin)
			l.deps.Health.Clear(health.Healer)
			l.deps.Logger.Info("claim acquired", "host", origin.Host, "epoch", origin.Epoch)
		} else {
			l.claimed.Store(nil)
			l.stepDown()
		}
	}
	l.reportRefusal()
	if read, is := in.(ReadDocker); is && read.Event.Action == event.StreamBack {
		select {
		case l.reidentify <- struct{}{}:
		default: // it is signalled already
		}
	}
	if read, is := in.(ReadIncident); is && read.Event.Type == event.TypeResolved && read.Event.Host == l.deps.Host {
		l.withdraw(read.Event.Service)
	}
}

// stepDown ends what is done for this host, and says so.
func (l *life) stepDown() {
	for service := range l.queries {
		l.withdraw(service)
	}
	if why, is := l.controller.Refused(); is {
		l.deps.Logger.Warn("claim lost: an instance on another engine owns the host", "host", l.deps.Host, "owner", why.Owner.Instance)
		l.deps.Health.Report(refusalProblem(why))
		return
	}
	what := fmt.Sprintf("%s acquired the claim on host %s: this instance no longer repairs", l.controller.Successor(), l.deps.Host)
	l.deps.Logger.Warn("claim lost: this instance no longer repairs", "host", l.deps.Host, "owner", l.controller.Successor())
	l.deps.Health.Report(health.Problem{Part: health.Healer, What: what, Works: "Checks and this page.", OnHold: "Every repair by this instance.",
		Remedy: health.Remedy{Text: "Stop one of the two, or give this one another host name in config.yaml."}})
}

// reportRefusal says that the host is not claimed, once, and that it is again.
func (l *life) reportRefusal() {
	why, is := l.controller.Refused()
	if is == l.refused || l.controller.Successor() != "" {
		return
	}
	if l.refused = is; !is {
		return // the claim that follows clears it
	}
	l.deps.Logger.Warn("host not claimed: another engine has its name", "host", why.ConfiguredAs, "owner", why.Owner.Instance,
		"owner_engine", why.Owner.Engine, "engine", why.Engine)
	l.deps.Health.Report(refusalProblem(why))
}

// refusalProblem is a refusal as a person reads it, with the line to change.
func refusalProblem(why Refusal) health.Problem {
	name, err := os.Hostname()
	if err != nil || name == "" || name == why.ConfiguredAs {
		name = "NAME"
	}
	p := health.Problem{Part: health.Healer, Works: "Checks and this page.", OnHold: "Every repair by this instance.",
		What: fmt.Sprintf("two Docker engines are called host %s: %s repairs on engine %s, so this instance, on engine %s, does not",
			why.ConfiguredAs, why.Owner.Instance, shortEngine(why.Owner.Engine), shortEngine(why.Engine)),
		Remedy: health.Remedy{Text: fmt.Sprintf("In this instance's config.yaml, set host: %s (now host: %s), and start it again."+
			" If this machine's Docker was installed anew, wait: it takes over once %s has been silent for %s.",
			name, why.ConfiguredAs, why.Owner.Instance, ownerSilence)},
	}
	if why.Engine == "" {
		p.What = fmt.Sprintf("%s repairs on host %s, and this instance's Docker has not answered yet: it does not repair before it is known whether both have the same engine",
			why.Owner.Instance, why.ConfiguredAs)
	}
	return p
}

// shortEngine is as much of an engine's ID as tells it from another's.
func shortEngine(id string) string {
	if len(id) > 13 {
		return id[:13] + "…"
	}
	return id
}
