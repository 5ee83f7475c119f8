package loglines

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"logstream/internal/container"
)

// maxTemplates bounds the memory of one service: 2,000 templates are 48 KB.
const maxTemplates = 2000

// Memory is which messages a service wrote before. The zero value knows none. It
// is no record: a new life of the process reads the container's log again, and
// has it back as far as that log reaches.
type Memory struct {
	since time.Time // of the oldest line that was learned
	seen  map[uint64]time.Time
}

// Learn takes in lines that a service wrote while nothing was wrong. When there
// are too many templates, those that were not seen for longest are forgotten.
func (m *Memory) Learn(lines []container.Line) {
	if m.seen == nil {
		m.seen = map[uint64]time.Time{}
	}
	for _, line := range lines {
		if m.since.IsZero() || line.Time.Before(m.since) {
			m.since = line.Time
		}
		l, _ := read(line.Text)
		k := l.key
		if line.Time.After(m.seen[k]) {
			m.seen[k] = line.Time
		}
	}
	if excess := len(m.seen) - maxTemplates; excess > 0 {
		oldest := slices.SortedFunc(maps.Keys(m.seen), func(a, b uint64) int {
			return cmp.Or(m.seen[a].Compare(m.seen[b]), cmp.Compare(a, b))
		})
		for _, k := range oldest[:excess] {
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
