package healer

import (
	"time"

	"logstream/internal/event"
)

// One host is one container engine. Two that call themselves by one name would
// act on each other's services: which engine an owner acts on stands in its
// claim, by the engine's own ID, and another engine's instance does not claim
// the host while that owner is heard.
//
//   - An instance on the same engine claims at its start, as ever: a standby.
//   - So does one where the owner's engine, or any, is not known: its Docker did
//     not answer, or it is a version from before there were IDs.
//   - One whose own engine has not answered yet claims only after its own
//     earlier life.
//   - An owner that is silent for ownerSilence is gone: an engine that was
//     installed anew, and has a new ID, is not shut out.

// ownerSilence is more than twice as long as an owner that lives is ever silent:
// it writes its containers' levels each 30 s.
const ownerSilence = 90 * time.Second

// Refusal is why this instance does not claim its host.
type Refusal struct {
	Owner        event.Claim // whose engine is another
	Engine       string      // ours; empty: not known yet
	ConfiguredAs string      // the host's name, which both have
}

// beginClaim ends the replay: everything was read to the end, and the host is claimed.
func (c *Controller) beginClaim(in Replayed, now time.Time) {
	c.replayed = true
	c.incidents.Forget(keepIncidents)
	for name, s := range c.services {
		s.removed = s.removed || s.seeded && !in.Discovering
		s.status.Watch(now)
		if prior, known := c.prior[name]; known && prior.Definition != nil {
			s.status.Keep(prior)
		}
	}
	c.nonce = in.Nonce
	c.tryClaim(now)
}

// refusal is why this instance must not claim its host now, if it must not.
func (c *Controller) refusal(now time.Time) (Refusal, bool) {
	owner, claimed := c.incidents.Newest(c.host)
	ours := c.claim.Engine()
	switch {
	case !claimed, owner.Engine == "", owner.Engine == ours:
		return Refusal{}, false
	case ours == "" && owner.Instance == c.instance:
		return Refusal{}, false
	case now.Sub(c.heard) > ownerSilence:
		return Refusal{}, false
	}
	return Refusal{Owner: owner, Engine: ours, ConfiguredAs: c.host}, true
}

// Refused is why this instance does not claim its host, if it does not, or why
// another took it that acts on another engine.
func (c *Controller) Refused() (Refusal, bool) {
	if c.refused != nil {
		return *c.refused, true
	}
	owner, _ := c.incidents.Newest(c.host)
	if ours := c.claim.Engine(); c.claim.Successor() != "" && owner.Engine != "" && ours != "" && owner.Engine != ours {
		return Refusal{Owner: owner, Engine: ours, ConfiguredAs: c.host}, true
	}
	return Refusal{}, false
}

// tryClaim claims the host, unless that is refused: then again at the next tick.
func (c *Controller) tryClaim(now time.Time) {
	if why, is := c.refusal(now); is {
		c.refused = &why
		return
	}
	c.refused = nil
	newest, _ := c.incidents.Newest(c.host)
	c.emit(Append{c.claim.Write(newest, c.nonce, now)})
	c.nonce = ""
}

// engineSeen takes the ID of our engine. An owner that learns it later says it
// in a repeat of its claim.
func (c *Controller) engineSeen(id string, now time.Time) {
	if repeat, due := c.claim.OnEngine(id, now); due {
		c.emit(Append{repeat})
	}
}

// hear notes that the host's owner lives.
func (c *Controller) hear(origin event.Origin, now time.Time) {
	if owner, claimed := c.incidents.Newest(c.host); claimed && origin.Host == c.host && origin.Nonce == owner.Nonce && now.After(c.heard) {
		c.heard = now
	}
}
