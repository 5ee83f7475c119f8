// Package claim decides who may act on a host, and keeps the records that are
// on their way to Kafka: a claim, and at most one append for each incident. An
// event counts when it is read back, our own like others'. The package is pure.
package claim

import (
	"time"

	"logstream/internal/event"
)

const (
	repeatEach  = 24 * time.Hour         // so that retention never leaves a log without the claim
	appendAgain = 500 * time.Millisecond // an append of unknown outcome is repeated
	confirmMax  = 10 * time.Second       // and one that was acknowledged and is not read back
)

// Change is what a claim that was read back changed.
type Change int

// The changes.
const (
	Unchanged   Change = iota
	Acquired           // this process may act from now on
	SteppedDown        // another process may, and this one no more
	Outbid             // our claim did not count: it is to be written again, higher
)

// Claim is this process's claim on its host.
type Claim struct {
	host, instance string
	engine         string // the ID of the container engine that this process acts on; empty: not known

	claim      event.Claim // the newest of ours, written or about to be
	writing    bool        // it is not read back yet
	wroteAt    time.Time
	leader     bool
	since      time.Time // leader since
	repeatedAt time.Time
	successor  string // who took over: nothing is done any more
	incidents  int    // opened under this claim
	started    bool

	withheld string    // the nonce of a claim that is refused; empty: none is
	lastSeen time.Time // of the newest record of the host's owner
}

// New is a process that has not claimed yet.
func New(host, instance string) *Claim { return &Claim{host: host, instance: instance} }

// Leader says whether this process may act on its host, and since when.
func (c *Claim) Leader() (since time.Time, is bool) { return c.since, c.leader }

// Successor is the instance that took the host over, or empty.
func (c *Claim) Successor() string { return c.successor }

// Origin is that of what this process writes.
func (c *Claim) Origin() event.Origin {
	return event.Origin{Instance: c.instance, Host: c.host, Epoch: c.claim.Epoch, Nonce: c.claim.Nonce}
}

// NextIncident is the id of the next incident under this claim: the same claim
// and count give the same id, so that an append can be repeated.
func (c *Claim) NextIncident() string {
	c.incidents++
	return incidentID(c.claim.Nonce, c.incidents)
}

// Write is the claim to be appended, higher than every epoch before it.
func (c *Claim) Write(newest event.Claim, nonce string, now time.Time) event.Incident {
	c.started = true
	c.claim = event.Claim{Host: c.host, Instance: c.instance, Epoch: newest.Epoch + 1, Nonce: nonce, Engine: c.engine}
	return c.append(now)
}

// Outbid is the claim written again, higher than the newest.
func (c *Claim) Outbid(newest event.Claim, now time.Time) event.Incident {
	return c.Write(newest, c.claim.Nonce, now)
}

func (c *Claim) append(now time.Time) event.Incident {
	c.writing, c.wroteAt = true, now
	return event.Incident{ID: c.claim.Nonce, Seq: 1, Time: now.UTC(), Service: event.ReservedService,
		Type: event.TypeClaim, By: event.ByLogstream, Data: c.claim, Origin: c.Origin()}
}

// Read takes a claim on this host that was read back. counted says whether it
// counts, taken whether it is another than the one before it.
func (c *Claim) Read(read event.Claim, counted, taken bool, now time.Time) Change {
	mine := c.started && read.Nonce == c.claim.Nonce
	switch {
	case mine && counted:
		c.writing, c.repeatedAt = false, now
		if taken {
			c.leader, c.since, c.incidents = true, now, 0
			return Acquired
		}
	case mine:
		// Without a foreign claim since the start it is written again, higher.
		c.writing = false
		if c.successor == "" {
			return Outbid
		}
	case taken && c.started:
		c.leader, c.writing, c.successor = false, false, read.Instance
		if read.Instance == c.instance {
			c.successor = "another process of " + c.instance
		}
		return SteppedDown
	}
	return Unchanged
}

// Tick is the claim to be appended now: one that is not refused any more, one
// that was not read back, or one that is a day old (repeat).
func (c *Claim) Tick(newest event.Claim, now time.Time) (claim event.Incident, repeat, due bool) {
	if claim, due := c.begin(newest, now); due {
		return claim, false, true
	}
	switch {
	case !c.started || c.successor != "":
	case c.writing && now.Sub(c.wroteAt) > confirmMax:
		return c.append(now), false, true
	case c.leader && now.Sub(c.repeatedAt) > repeatEach:
		c.repeatedAt = now
		return c.append(now), true, true
	}
	return event.Incident{}, false, false
}

// Failed says that it is unknown whether an append was written, and whether it
// was the claim.
func (c *Claim) Failed(id string, now time.Time) bool {
	if !c.writing || id != c.claim.Nonce {
		return false
	}
	c.wroteAt = now.Add(appendAgain - confirmMax)
	return true
}
