package view

import (
	"slices"
	"strings"

	"logstream/internal/event"
	"logstream/internal/state"
)

// Key names a service of the fleet: each host may have one of a name.
type Key struct{ Host, Name string }

func (k Key) compare(other Key) int {
	if c := strings.Compare(k.Name, other.Name); c != 0 {
		return c
	}
	return strings.Compare(k.Host, other.Host)
}

// Published folds TopicServices: what the owner of each host last published of
// each of its services.
//
// A record counts if its nonce is that of its host's newest claim. One from
// before that claim stands until the new owner says otherwise, so that a claim
// alone empties nothing and a restart, which reads the claims first, ends with
// what was there before it. Of one service each record is newer than the last, by
// epoch and revision: an old one that was published again changes nothing.
type Published struct {
	claims *state.Claims
	newest map[Key]event.Service // removed ones as well, so that they stay removed
	early  map[Key]event.Service // under a claim that was not read yet
}

// NewPublished is the fold of an empty log. The claims are read, not changed.
func NewPublished(claims *state.Claims) *Published {
	return &Published{claims: claims, newest: map[Key]event.Service{}, early: map[Key]event.Service{}}
}

// Apply folds one record, and says whether it counted.
func (s *Published) Apply(r event.Service) bool {
	key := Key{r.Host, r.Service}
	claim, claimed := s.claims.Newest(r.Host)
	old, known := s.newest[key]
	switch {
	case claimed && r.Nonce == claim.Nonce:
		if old.Nonce == r.Nonce && !state.Newer(r, old) {
			return false
		}
	case claimed && r.Epoch > claim.Epoch:
		if waits, is := s.early[key]; !is || waits.Nonce != r.Nonce || state.Newer(r, waits) {
			s.early[key] = r
		}
		return false
	case claimed && r.Epoch == claim.Epoch:
		return false // it claimed at the same time, and was not the first
	case known && !state.Newer(r, old):
		return false
	}
	s.newest[key] = r
	return true
}

// Claimed says that host has a new claim. It returns the services that
// changed by it: records of its owner may be read before the claim itself.
func (s *Published) Claimed(host string) []Key {
	claim, claimed := s.claims.Newest(host)
	if !claimed {
		return nil
	}
	var changed []Key
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
	slices.SortFunc(changed, Key.compare)
	return slices.Compact(changed)
}

// Get is what was last published of a service; false where nothing was, or
// where it was removed.
func (s *Published) Get(key Key) (event.Service, bool) {
	r, known := s.newest[key]
	return r, known && r.Definition != nil
}

// Keys are all services that were not removed, by name and host.
func (s *Published) Keys() []Key {
	var keys []Key
	for key, r := range s.newest {
		if r.Definition != nil {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, Key.compare)
	return keys
}
