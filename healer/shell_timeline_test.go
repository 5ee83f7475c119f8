package healer_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"logstream/internal/event"
)

// timeline is the one order of what was written, what was read back, and what
// was called.
type timeline struct {
	mu    sync.Mutex
	began time.Time
	marks []mark
}

// mark is one of them: a record of the incidents' topic that was written or
// read, or a repair that was called for or answered.
type mark struct {
	at       time.Time
	kind     string // write, read, call, answer
	what     string
	incident event.Incident // of a record
}

func (tl *timeline) add(m mark) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	m.at = time.Now()
	if tl.began.IsZero() {
		tl.began = m.at
	}
	tl.marks = append(tl.marks, m)
}

func (tl *timeline) record(kind string, r event.Record) {
	if r.Topic != event.TopicIncidents {
		return
	}
	if e, err := event.DecodeIncident(r.Value); err == nil {
		tl.add(mark{kind: kind, what: fmt.Sprintf("%s %s", e.Type, e.Service), incident: e})
	}
}

func (tl *timeline) call(method, id string) {
	if isRepair(method) {
		tl.add(mark{kind: "call", what: method + " " + strings.TrimPrefix(id, "id-of-")})
	}
}

func (tl *timeline) answer(method, id string) {
	if isRepair(method) {
		tl.add(mark{kind: "answer", what: method + " " + strings.TrimPrefix(id, "id-of-")})
	}
}

func (tl *timeline) marked() []mark {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	return slices.Clone(tl.marks)
}

// order is the timeline without what is not asked for: "read opened a".
func (tl *timeline) order(of ...string) []string {
	var all []string
	for _, m := range tl.marked() {
		if line := m.kind + " " + m.what; slices.Contains(of, line) {
			all = append(all, line)
		}
	}
	return all
}

// instant is when something was first on it.
func (tl *timeline) instant(of string) (time.Time, bool) {
	for _, m := range tl.marked() {
		if m.kind+" "+m.what == of {
			return m.at, true
		}
	}
	return time.Time{}, false
}

// String is the whole of it, for a scenario that failed.
func (tl *timeline) String() string {
	var b strings.Builder
	for _, m := range tl.marked() {
		fmt.Fprintf(&b, "%9.3f %-6s %s", m.at.Sub(tl.began).Seconds(), m.kind, m.what)
		if m.incident.Type != "" {
			fmt.Fprintf(&b, " %.200s", event.Encode(m.incident.Data))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
