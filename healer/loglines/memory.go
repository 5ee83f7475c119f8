package loglines

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"logstream/internal/container"
)

// maxTemplates bounds the memory of one service: 2,000 templates are 80 KB.
const maxTemplates = 2000

// Memory is which messages a service wrote before. The zero value knows none. It
// is no record: a new life of the process reads the container's log again, and
// has it back as far as that log reaches.
type Memory struct {
	since time.Time // what is not known was not seen from then on
	seen  map[uint64]sight
}

// sight is what is known of a template.
type sight struct {
	first   int64 // when it was first seen, and
	last    int64 // last, in seconds since the epoch
	healthy bool  // also while nothing was wrong
	failure bool  // it is an error
}

// Learn takes in lines that were written before until. The service is healthy
// since then: what it wrote before may be of a failure, and stays as informative as it
// was. Lines without a time are of no known one. When there are too many
// templates, those that were not seen for longest are forgotten, and the memory
// reaches less far.
func (m *Memory) Learn(lines []container.Line, since, until time.Time) {
	if m.seen == nil {
		m.seen = map[uint64]sight{}
	}
	for _, raw := range lines {
		l, ok := read(raw.Text)
		if !ok || raw.Time.IsZero() || !raw.Time.Before(until) {
			continue
		}
		if m.since.IsZero() || raw.Time.Before(m.since) {
			m.since = raw.Time
		}
		s, known := m.seen[l.key]
		at := raw.Time.Unix()
		if !known {
			s.first = at
		}
		m.seen[l.key] = sight{min(s.first, at), max(s.last, at), s.healthy || !raw.Time.Before(since), l.weight >= failure}
	}
	if excess := len(m.seen) - maxTemplates; excess > 0 {
		oldest := slices.SortedFunc(maps.Keys(m.seen), func(a, b uint64) int {
			return cmp.Or(cmp.Compare(m.seen[a].last, m.seen[b].last), cmp.Compare(a, b))
		})
		for _, k := range oldest[:excess] {
			if at := time.Unix(m.seen[k].last, 0).Add(time.Second); at.After(m.since) {
				m.since = at
			}
			delete(m.seen, k)
		}
	}
}

// Days is how far back the memory reaches at that time, in whole days.
func (m *Memory) Days(now time.Time) int {
	if m.since.IsZero() {
		return 0
	}
	return max(0, int(now.Sub(m.since)/(24*time.Hour)))
}

// compare says of lines what the memory has of them, which may be nil.
func (m *Memory) compare(lines []line) {
	if m == nil || len(m.seen) == 0 {
		return
	}
	met := map[uint64]bool{}
	for i := range lines {
		l := &lines[i]
		s, known := m.seen[l.key]
		l.unusual = !s.healthy
		l.isNew = !known && !met[l.key] && !l.time.Before(m.since)
		met[l.key] = true
	}
}
