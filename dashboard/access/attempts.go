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
)

// Attempts bounds how often is guessed: by one address, so that it does not keep
// others out, and by all together.
type Attempts struct {
	all *rate.Limiter
	by  *Each[netip.Prefix]
}

// NewAttempts has seen none.
func NewAttempts() *Attempts {
	return &Attempts{all: rate.NewLimiter(allRate, allBurst), by: NewEach[netip.Prefix](oneRate, oneBurst)}
}

// Allow counts an attempt from an address, and says whether it may be made.
func (a *Attempts) Allow(from netip.Addr, now time.Time) bool {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64 // who has one address there has all of these
	}
	who, _ := from.Prefix(bits) // of an address that is none: the zero one, as good as any
	return a.by.Allow(who, now) && a.all.AllowN(now, 1)
}

// maxEach is how many are known at a time.
const maxEach = 4096

// Each bounds how often each of many does something, so that one does not keep
// others from it.
type Each[K comparable] struct {
	rate  rate.Limit
	burst int

	mu sync.Mutex
	by map[K]*rate.Limiter
}

// NewEach allows each limit times a second, and burst at once.
func NewEach[K comparable](limit rate.Limit, burst int) *Each[K] {
	return &Each[K]{rate: limit, burst: burst, by: map[K]*rate.Limiter{}}
}

// Allow counts one of who, and says whether it may be done.
func (e *Each[K]) Allow(who K, now time.Time) bool { return e.of(who, now).AllowN(now, 1) }

// of is the limit of one. Where there is no room for another, those go that have
// done nothing for long; if none has, it has no limit of its own.
func (e *Each[K]) of(who K, now time.Time) *rate.Limiter {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.by[who]; known != nil {
		return known
	}
	if len(e.by) >= maxEach {
		for other, limit := range e.by {
			if limit.TokensAt(now) >= float64(e.burst) {
				delete(e.by, other)
			}
		}
	}
	limit := rate.NewLimiter(e.rate, e.burst)
	if len(e.by) < maxEach {
		e.by[who] = limit
	}
	return limit
}
