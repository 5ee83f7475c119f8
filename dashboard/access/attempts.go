package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds on wrong tokens and on logins.
const (
	oneRate, oneBurst = 0.5, 10 // a second, of one address
	allRate, allBurst = 1, 20   // a second, of all together
	maxAddresses      = 4096    // that are known at a time
)

// Attempts bounds how often is guessed: by one address, so that it does not keep
// others out, and by all together.
type Attempts struct {
	all *rate.Limiter

	mu sync.Mutex
	by map[netip.Prefix]*rate.Limiter
}

// NewAttempts has seen none.
func NewAttempts() *Attempts {
	return &Attempts{all: rate.NewLimiter(allRate, allBurst), by: map[netip.Prefix]*rate.Limiter{}}
}

// Allow counts an attempt from an address, and says whether it may be made.
func (a *Attempts) Allow(from netip.Addr, now time.Time) bool {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64 // who has one address there has all of these
	}
	who, _ := from.Prefix(bits) // of an address that is none: the zero one, as good as any
	return a.of(who, now).AllowN(now, 1) && a.all.AllowN(now, 1)
}

// of is the limit of an address. Where there is no room for another, those go
// that have made no attempt for long; if none has, the address shares the limit
// of all.
func (a *Attempts) of(who netip.Prefix, now time.Time) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.by[who]; known != nil {
		return known
	}
	if len(a.by) >= maxAddresses {
		for other, limit := range a.by {
			if limit.TokensAt(now) >= oneBurst {
				delete(a.by, other)
			}
		}
	}
	limit := rate.NewLimiter(oneRate, oneBurst)
	if len(a.by) < maxAddresses {
		a.by[who] = limit
	}
	return limit
}
