package claim

import (
	"time"

	"logstream/internal/event"
)

// One host is one container engine. Two that call themselves by one name would
// act on each other's services: which engine an owner acts on stands in its
// claim, by the engine's own ID, and an instance on another engine does not claim
// the host while records of that owner arrive.
//
//   - An instance on the same engine claims at its start, as ever: a standby.
//   - So does one where the owner's engine is not known: its Docker had not
//     answered, or it is a version from before there were IDs.
//   - One whose own engine has not answered yet claims only after its own
//     earlier life.
//   - An owner without a record for ownerSilence is gone: an engine that was
//     installed anew, and has a new ID, is not shut out.

// ownerSilence is more than twice as long as the longest pause of a live owner:
// it writes its containers' levels each 30 s.
const ownerSilence = 90 * time.Second

// Refusal is why a host is not claimed, or not any more.
type Refusal struct {
	Host   string
	Owner  event.Claim   // its engine is another
	Engine string        // ours; empty: not known yet
	Until  time.Duration // of the owner's silence; zero: it is too late for that
}

// Engine is the ID of the engine that this process acts on, or empty.
func (c *Claim) Engine() string { return c.engine }

// OnEngine says on which engine this process acts. Where it leads already, the
// claim is to be repeated with it.
func (c *Claim) OnEngine(id string, now time.Time) (repeat event.Incident, due bool) {
	if id == c.engine {
		return event.Incident{}, false
	}
	c.engine = id
	if !c.leader {
		return event.Incident{}, false
	}
	c.claim.Engine = id
	return c.append(now), true
}

// Observe takes a record of the host that was read at now: its owner's say that
// the owner lives.
func (c *Claim) Observe(of event.Origin, owner event.Claim, now time.Time) {
	if owner.Nonce != "" && of.Host == c.host && of.Nonce == owner.Nonce && now.After(c.lastSeen) {
		c.lastSeen = now
	}
}

// Begin is the claim to be appended after the replay, unless it is refused: then
// Tick has it once it is not.
func (c *Claim) Begin(newest event.Claim, nonce string, now time.Time) (claim event.Incident, due bool) {
	c.withheld = nonce
	return c.begin(newest, now)
}

func (c *Claim) begin(newest event.Claim, now time.Time) (event.Incident, bool) {
	if c.withheld == "" || c.mustWait(newest, now) {
		return event.Incident{}, false
	}
	nonce := c.withheld
	c.withheld = ""
	return c.Write(newest, nonce, now), true
}

func (c *Claim) mustWait(owner event.Claim, now time.Time) bool {
	switch {
	case owner.Engine == "", owner.Engine == c.engine:
		return false
	case c.engine == "" && owner.Instance == c.instance:
		return false
	}
	return now.Sub(c.lastSeen) <= ownerSilence
}

// Refused is why this process does not claim its host, or why it lost it, where
// the owner's engine is the reason.
func (c *Claim) Refused(owner event.Claim) (Refusal, bool) {
	why := Refusal{Host: c.host, Owner: owner, Engine: c.engine, Until: ownerSilence}
	if c.successor != "" {
		why.Until = 0
		return why, owner.Engine != "" && c.engine != "" && owner.Engine != c.engine
	}
	return why, c.withheld != ""
}
