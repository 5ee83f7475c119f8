package state

import (
	"slices"
	"strings"

	"logstream/internal/event"
)

// ServiceKey names a service of the fleet: each host may have one of a name.
type ServiceKey struct{ Host, Name string }

func (k ServiceKey) compare(other ServiceKey) int {
	if c := strings.Compare(k.Name, other.Name); c != 0 {
		return c
	}
	return strings.Compare(k.Host, other.Host)
}

// Services folds TopicServices: what the owner of each host last published of
// each of its services.
//
// A record counts if its nonce is that of its host's newest claim. One from
// before that claim stands until the new owner says otherwise, so that a claim
// alone empties nothing and a restart, which reads the claims first, ends with
// what was there before it. Of one service each record is newer than the last, by
// epoch and revision: an old one that somebody published again changes nothing.
type Services struct {
	claims *Claims
	newest map[ServiceKey]event.Service // removed ones as well, so that they stay removed
	early  map[ServiceKey]event.Service // under a claim that was not read yet
}

// NewServices is the fold of an empty log. The claims are read, not changed.
func NewServices(claims *Claims) *Services {
	return &Services{claims: claims, newest: map[ServiceKey]event.Service{}, early: map[ServiceKey]event.Service{}}
}

// Apply folds one record, and says whether it counted.
func (s *Services) Apply(r event.Service) bool {
	key := ServiceKey{r.Host, r.Service}
	claim, claimed := s.claims.Newest(r.Host)
	old, known := s.newest[key]
	switch {
	case claimed && r.Nonce == claim.Nonce:
		if old.Nonce == r.Nonce && !Newer(r, old) {
			return false
		}
	case claimed && r.Epoch > claim.Epoch:
		if waits, is := s.early[key]; !is || waits.Nonce != r.Nonce || Newer(r, waits) {
			s.early[key] = r
		}
		return false
	case claimed && r.Epoch == claim.Epoch:
		return false // it claimed at the same time, and was not the first
	case known && !Newer(r, old):
		return false
	}
	s.newest[key] = r
	return true
}

// Newer says whether a record of a service was written after an old one of it.
func Newer(r, old event.Service) bool {
	return (Order{old.Epoch, old.Revision}).precedes(r.Epoch, r.Revision)
}

// Claimed tells that host has a new claim. It returns the services that
// changed by it: records of its owner may be read before the claim itself.
func (s *Services) Claimed(host string) []ServiceKey {
	claim, claimed := s.claims.Newest(host)
	if !claimed {
		return nil
	}
	var changed []ServiceKey
	for key, r := range s.newest {
		if key.Host == host && r.Epoch == claim.Epoch && r.Nonce != claim.Nonce {
			delete(s.newest, key)
			changed = append(changed, key)
		}
	}
	for key, r := range s.early {
		switch {
		case key.Host != host:
			continue
		case r.Nonce == claim.Nonce:
			s.newest[key] = r
			changed = append(changed, key)
			fallthrough
		case r.Epoch <= claim.Epoch:
			delete(s.early, key)
		}
	}
	slices.SortFunc(changed, ServiceKey.compare)
	return slices.Compact(changed)
}

// Get is what was last published of a service; false where nothing was, or
// where it was removed.
func (s *Services) Get(key ServiceKey) (event.Service, bool) {
	r, known := s.newest[key]
	return r, known && r.Definition != nil
}

// Keys are all services that were not removed, by name and host.
func (s *Services) Keys() []ServiceKey {
	var keys []ServiceKey
	for key, r := range s.newest {
		if r.Definition != nil {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, ServiceKey.compare)
	return keys
}
