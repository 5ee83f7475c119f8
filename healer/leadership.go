package healer

import (
	"context"
	"fmt"
	"os"
	"time"

	"logstream/healer/claim"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/retry"
)

const (
	// An engine that does not answer is asked for its ID again after this,
	// doubling up to the most.
	firstIdentify = time.Second
	mostIdentify  = 30 * time.Second
)

// identifier queries the engine for its ID.
type identifier struct {
	runtime Runtime
	give    func(context.Context, timed)
	queried chan struct{} // closed: it was queried once, whether it answered or not
	again   chan struct{} // Docker is back: it may be another engine
}

// run queries until the engine answers, and again whenever Docker is back.
func (i *identifier) run(ctx context.Context) error {
	answered := i.query(ctx)
	close(i.queried)
	for {
		for tries := retry.NewBackoff(firstIdentify, mostIdentify); !answered; answered = i.query(ctx) {
			if !tries.Wait(ctx) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-i.again:
			answered = false
		}
	}
}

func (i *identifier) query(ctx context.Context) bool {
	call, cancel := context.WithTimeout(ctx, inspectLimit)
	defer cancel()
	info, err := i.runtime.Info(call)
	if err != nil {
		return false
	}
	i.give(ctx, timed{in: EngineSeen{info.ID}})
	return true
}

// noteDocker takes what was read of the engine's events.
func (i *identifier) noteDocker(e event.Docker) {
	if e.Action != event.StreamBack {
		return
	}
	select {
	case i.again <- struct{}{}:
	default: // it is signalled already
	}
}

// leadership makes known who leads, as the controller decided.
type leadership struct {
	*Healer
	owner   bool
	refused bool
}

// report says whether the leadership was lost.
func (l *leadership) report(c *Controller) (lost bool) {
	origin, owner := c.Owner()
	why, refused := c.Refused()
	switch {
	case owner && !l.owner:
		l.claimed.Store(&origin)
		l.deps.Health.Clear(health.Healer)
		l.deps.Logger.Info("claim acquired", "host", origin.Host, "epoch", origin.Epoch)
	case !owner && l.owner:
		l.claimed.Store(nil)
		lost = true
		l.deps.Logger.Warn("stepped down: this instance no longer repairs", "host", l.deps.Host, "owner", c.Successor())
		l.deps.Health.Report(lostProblem(c.Successor(), l.deps.Host))
	}
	if refused && (lost || !l.refused) {
		l.deps.Logger.Warn("two Docker engines have the same host name: this instance does not repair", "host", why.Host, "owner", why.Owner.Instance,
			"owner_engine", why.Owner.Engine, "engine", why.Engine)
		l.deps.Health.Report(refusalProblem(why))
	}
	l.owner, l.refused = owner, refused
	return lost
}

func lostProblem(successor, host string) health.Problem {
	return health.Problem{Part: health.Healer, What: fmt.Sprintf("%s acquired the claim on host %s: this instance no longer repairs", successor, host),
		Works: "checks and the page", OnHold: "every repair by this instance",
		Remedy: health.Remedy{Text: "stop one of the two instances, or set another host in this one's config.yaml"}}
}

// refusalProblem is a refusal as a person reads it, with the line to change.
func refusalProblem(why claim.Refusal) health.Problem {
	name, err := os.Hostname()
	if err != nil || name == "" || name == why.Host {
		name = "NAME"
	}
	p := health.Problem{Part: health.Healer, Works: "checks and the page", OnHold: "every repair by this instance"}
	if p.What = fmt.Sprintf("two Docker engines are called host %s: %s repairs on engine %s, so this instance, on engine %s, does not",
		why.Host, why.Owner.Instance, shortEngine(why.Owner.Engine), shortEngine(why.Engine)); why.Engine == "" {
		p.What = fmt.Sprintf("%s repairs on host %s, and Docker has not answered this instance yet: it repairs only after Docker has shown that both use the same engine",
			why.Owner.Instance, why.Host)
	}
	p.Remedy.Text = fmt.Sprintf("in this instance's config.yaml, set host: %s (it is host: %s), and restart it.", name, why.Host)
	if why.Until > 0 {
		p.Remedy.Text += fmt.Sprintf(" If Docker was reinstalled on this machine, wait: this instance takes over %[2]s after the last record of %[1]s.",
			why.Owner.Instance, why.Until)
	}
	return p
}

// shortEngine is enough of an engine's ID to distinguish it from another's.
func shortEngine(id string) string {
	const most = 13
	if len(id) > most {
		return id[:most] + "…"
	}
	return id
}
