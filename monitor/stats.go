package monitor

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"logstream/internal/health"
	"logstream/internal/service"
)

// Counts are of scheduled checks since the Monitor was made.
type Counts struct {
	Made    uint64 // late ones too
	Late    uint64 // began later than the schedule can be blamed for
	Skipped uint64 // never made: the one before ran until the next was due, or waited for its host
}

// Stats are the counts of all checks, and of each service that is monitored.
type Stats struct {
	Total    Counts // of services that are gone as well: it never decreases
	Services map[string]Counts
}

// tally counts. It survives restarts of Run.
type tally struct {
	mu       sync.Mutex
	total    Counts
	services map[string]Counts
}

func (t *tally) count(service string, late bool, skipped int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total.add(late, skipped)
	if of, is := t.services[service]; is { // else it was removed meanwhile
		of.add(late, skipped)
		t.services[service] = of
	}
}

func (c *Counts) add(late bool, skipped int) {
	c.Made++
	c.Skipped += uint64(skipped)
	if late {
		c.Late++
	}
}

// follow counts the services that are wanted, and forgets those that are gone.
func (t *tally) follow(wanted map[string]service.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[string]Counts, len(wanted))
	for name := range wanted {
		all[name] = t.services[name]
	}
	t.services = all
}

func (t *tally) read() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{Total: t.total, Services: maps.Clone(t.services)}
}

// skipReport logs, minute by minute, that checks were skipped.
type skipReport struct {
	problems *problems
	tally    *tally
	counted  uint64
	next     time.Time
}

func (r *skipReport) update(now time.Time) {
	if now.Before(r.next) {
		return
	}
	const about = "skipped checks"
	total := r.tally.read().Total.Skipped
	first := r.next.IsZero()
	fresh := total - r.counted
	r.counted, r.next = total, now.Add(time.Minute)
	if first || fresh == 0 {
		r.problems.clear(about)
		return
	}
	r.problems.report(about, health.Problem{
		What:   fmt.Sprintf("checks skipped in the last minute: %d, because the previous check was still running, or waited for a free connection to its host", fresh),
		Works:  "the other checks, and the page",
		OnHold: "timely detection of failures of these services",
		Remedy: health.Remedy{Text: "give these services a longer interval or a shorter timeout, or raise monitor.connections_per_host"},
	})
}
