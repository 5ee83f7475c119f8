// Package state holds the pure folds of the log that more than one actor
// needs: claims, incidents, and a service's status from its sources. No I/O, no goroutine, no clock of its own;
// nothing here is safe for concurrent use.
package state

import "logstream/internal/event"

// Claims folds who is active for each host. A claim counts if its epoch is
// higher than every epoch before it on its host; the newest that counted, said
// again with the same epoch and nonce, counts as a repeat.
type Claims struct {
	hosts map[string]event.Claim
}

// Verdict is what a claim turned out to be.
type Verdict int

// What a claim can turn out to be.
const (
	Ignored  Verdict = iota // its epoch is not higher, and it repeats nothing
	Repeated                // the newest claim, said again
	Taken                   // the new owner of its host
)

// Apply folds one claim.
func (c *Claims) Apply(claim event.Claim) Verdict {
	newest, known := c.hosts[claim.Host]
	switch {
	case claim.Nonce == "" || claim.Epoch < 1:
		return Ignored
	case known && claim.Epoch == newest.Epoch && claim.Nonce == newest.Nonce:
		if claim.Engine != "" { // it may have been learned since
			newest.Engine = claim.Engine
			c.hosts[claim.Host] = newest
		}
		return Repeated
	case known && claim.Epoch <= newest.Epoch:
		return Ignored
	}
	if c.hosts == nil {
		c.hosts = map[string]event.Claim{}
	}
	c.hosts[claim.Host] = claim
	return Taken
}

// Newest is the claim that counts for host.
func (c *Claims) Newest(host string) (event.Claim, bool) {
	claim, known := c.hosts[host]
	return claim, known
}

// Owns says whether origin wrote under the newest claim of its host.
func (c *Claims) Owns(origin event.Origin) bool {
	claim, known := c.hosts[origin.Host]
	return known && origin.Nonce == claim.Nonce
}
