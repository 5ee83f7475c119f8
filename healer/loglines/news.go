package loglines

import (
	"time"

	"logstream/internal/container"
)

// News is how the errors in a log compare with those from before a time.
type News struct {
	Known   int    // different error messages from before
	New     int    // and those of the log that were not written before
	Example string // one of the new: the one that says most; printable, bounded, without secrets
}

// News compares what was written from from on with what a service wrote before
// changed, when its image did, as far as that was learned until then. ok: that is at
// least so long a time. A message is its first line: what belongs to it, such as a stack trace,
// is not counted again.
func (m *Memory) News(raw []container.Line, changed, learned, from time.Time, atLeast time.Duration) (n News, ok bool) {
	if m == nil || m.since.IsZero() || earlier(learned, changed).Sub(m.since) < atLeast {
		return News{}, false
	}
	before := func(s sight) bool { return s.first < changed.Unix() }
	for _, s := range m.seen {
		if s.failure && before(s) {
			n.Known++
		}
	}
	var lines []line
	for i, r := range raw[max(0, len(raw)-Read):] {
		if l, ok := read(r.Text); ok && !r.Time.IsZero() && !r.Time.Before(from) {
			l.place, l.time = max(0, len(raw)-Read)+i, r.Time
			lines = append(lines, l)
		}
	}
	met := map[uint64]bool{}
	worst := routine
	for _, b := range parse(lines) {
		head := lines[b.head]
		if b.weight < failure || met[head.key] {
			continue
		}
		met[head.key] = true
		if s, known := m.seen[head.key]; known && before(s) {
			continue
		}
		n.New++
		if b.weight > worst {
			worst, n.Example = b.weight, show(raw[head.place].Text)
		}
	}
	return n, true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
