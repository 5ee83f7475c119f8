package view

import (
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	// hostFresh is how long the owner of another host may write nothing: it
	// writes the level of each container every 30 s.
	hostFresh = 90 * time.Second
	// pushFresh is the same for a service of which it writes only what it
	// publishes each hour.
	pushFresh = 65 * time.Minute
)

// hosts says when the owner of each host last wrote something, and which
// services were shown to be UNKNOWN because it does not any more.
type hosts struct {
	lastSeen map[string]time.Time
	stale    map[Key]bool
}

func newHosts() hosts { return hosts{map[string]time.Time{}, map[Key]bool{}} }

func (h *hosts) alive(host string, at time.Time) {
	if at.After(h.lastSeen[host]) {
		h.lastSeen[host] = at
	}
}

// staleSince is since when nothing is known of a service of another host, whose
// LogStream has ended or cannot reach Kafka; zero: it is known.
func (f *Fleet) staleSince(key Key, r event.Service, now time.Time) time.Time {
	if key.Host == f.host || r.Definition == nil {
		return time.Time{}
	}
	fresh := max(f.fresh(key), hostFresh)
	if strings.HasPrefix(r.Definition.URL, service.SchemePush+":") {
		fresh = max(fresh, pushFresh)
	}
	if until := f.hosts.lastSeen[key.Host].Add(fresh); now.After(until) {
		return until
	}
	return time.Time{}
}

// hostChanges are the services of other hosts that turned UNKNOWN, or are known
// again, by time alone.
func (f *Fleet) hostChanges(now time.Time) []Change {
	var changes []Change
	for _, key := range f.services.Keys() {
		r, is := f.services.Get(key)
		stale := is && !f.staleSince(key, r, now).IsZero()
		if stale == f.hosts.stale[key] {
			continue
		}
		if stale {
			f.hosts.stale[key] = true
		} else {
			delete(f.hosts.stale, key)
		}
		changes = append(changes, f.serviceChange(key, now)...)
	}
	return changes
}
