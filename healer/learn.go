package healer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"logstream/healer/loglines"
	"logstream/internal/container"
	"logstream/internal/event"
)

const (
	learnPerTick = 2                // services whose lines are learned at one tick
	learnEach    = 10 * time.Minute // how often those of one service are, sooner at first: an update may come soon
	learnLag     = time.Minute      // what was written so shortly before may be the beginning of a failure
)

// learnDue says whether the lines of a service are to be learned: it is UP, and
// nothing is open about it.
func learnDue(s *serviceState, now time.Time) bool {
	i := s.inspection
	switch {
	case s.def.Container == "" || !s.idle() || s.status.Value != event.Up || now.Sub(s.status.Since) <= learnLag:
		return false
	case i.at.IsZero() || i.open || i.err != nil || i.state.Status != container.Running:
		return false
	}
	return s.learned.IsZero() || now.Sub(s.learned) >= min(learnEach, learnLag<<min(max(s.lessons-1, 0), 10))
}

func learn(c *Controller, s *serviceState, now time.Time) {
	s.learned = now
	s.lessons++
	c.emit(Learn{Service: s.def.Name, ContainerID: s.inspection.state.ID, Since: s.status.Since, Until: now.Add(-learnLag)})
}

// maxMemories bounds how many services are remembered.
const maxMemories = 500

// memories are what the containers of services write while nothing is wrong, by
// service. They are a cache: a life begins without, and reads the logs again.
type memories struct {
	mu sync.RWMutex
	of map[string]*loglines.Memory
}

// learn takes in what was written before until by a service that is healthy since.
func (m *memories) learn(service string, lines []container.Line, since, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string]*loglines.Memory{}
	}
	memory := m.of[service]
	if memory == nil {
		if len(m.of) >= maxMemories {
			return
		}
		memory = &loglines.Memory{}
		m.of[service] = memory
	}
	memory.Learn(lines, since, until)
}

// keepOnly forgets what was learned of all other services.
func (m *memories) keepOnly(services []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.of, func(name string, _ *loglines.Memory) bool { return !slices.Contains(services, name) })
}

// choose chooses the lines that are shown, and says which of them are new.
func (m *memories) choose(service string, lines []container.Line, now time.Time) (out readLog) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	memory := m.of[service]
	chosen, truncated := loglines.Choose(lines, memory)
	out.truncated = truncated
	for i, line := range chosen {
		out.lines = append(out.lines, line.Text)
		if line.New {
			out.firstSeen = append(out.firstSeen, event.FirstSeen{Line: i, Days: memory.Days(now)})
		}
	}
	return out
}

// learnLines reads and learns what a container wrote. Where that cannot be read nothing
// is learned until the next time.
func learnLines(l *life, e Learn) {
	ctx, cancel := context.WithTimeout(l.work, inspectLimit)
	defer cancel()
	lines, err := l.deps.Runtime.Logs(ctx, e.ContainerID, logTail)
	if err != nil {
		l.deps.Logger.Debug("log lines of a healthy container not read", "service", e.Service, "error", err)
		return
	}
	l.memories.learn(e.Service, lines, e.Since, e.Until)
}
