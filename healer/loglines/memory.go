package loglines

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"logstream/internal/container"
)

// maxTemplates bounds the memory of one service: 2,000 templates are 64 KB.
const maxTemplates = 2000

// Memory is which messages a service wrote before. The zero value knows none. It
// is no record: a new life of the process reads the container's log again, and
// has it back as far as that log reaches.
type Memory struct {
	since time.Time        // what is not known was not seen from then on
	seen  map[uint64]int64 // when each template was last seen, in seconds since the epoch
}

// Learn takes in lines that a service wrote while nothing was wrong; those
// without a time are of no known one. When there are too many templates, those
// that were not seen for longest are forgotten, and the memory reaches less far.
func (m *Memory) Learn(lines []container.Line) {
	if m.seen == nil {
		m.seen = map[uint64]int64{}
	}
	for _, raw := range lines {
		l, ok := read(raw.Text)
		if !ok || raw.Time.IsZero() {
			continue
		}
		if m.since.IsZero() || raw.Time.Before(m.since) {
			m.since = raw.Time
		}
		m.seen[l.key] = max(m.seen[l.key], raw.Time.Unix())
	}
	if excess := len(m.seen) - maxTemplates; excess > 0 {
		oldest := slices.SortedFunc(maps.Keys(m.seen), func(a, b uint64) int {
			return cmp.Or(cmp.Compare(m.seen[a], m.seen[b]), cmp.Compare(a, b))
		})
		for _, k := range oldest[:excess] {
			if at := time.Unix(m.seen[k], 0).Add(time.Second); at.After(m.since) {
				m.since = at
			}
			delete(m.seen, k)
		}
	}
}

// isNew says whether a message was never learned, by a memory that knows any.
func (m *Memory) isNew(key uint64) bool {
	if m == nil || len(m.seen) == 0 {
		return false
	}
	_, known := m.seen[key]
	return !known
}

// Days is how far back the memory reaches at that time, in whole days.
func (m *Memory) Days(now time.Time) int {
	if m.since.IsZero() {
		return 0
	}
	return max(0, int(now.Sub(m.since)/(24*time.Hour)))
}
