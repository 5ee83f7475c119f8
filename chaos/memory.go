package chaos

import (
	"encoding/json"
	"sync"

	"logstream/internal/container"
	"logstream/internal/event"
)

// memory is how containers were before the faults that were injected and not
// undone. It is read again from the results on the log, which lack what is
// secret: the undo of a removal needs the process that removed.
type memory struct {
	mu  sync.Mutex
	all map[harm]container.Before
}

// harm is a fault of a service.
type harm struct{ service, fault string }

func harmOf(c event.Command) harm { return harm{c.Service, c.Args.Fault} }

// injected remembers what an injection found, and gives it as the result has
// it; empty where the undo needs nothing.
func (m *memory) injected(c event.Command, found container.Before) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found.ID == "" {
		return ""
	}
	if m.all == nil {
		m.all = map[harm]container.Before{}
	}
	before := found.Or(m.all[harmOf(c)])
	m.all[harmOf(c)] = before
	if len(before.Networks) == 0 && before.Limits == nil {
		return ""
	}
	written, err := json.Marshal(before)
	if err != nil {
		return "" // never: it is plain values
	}
	return string(written)
}

// of is how the service's container was before that fault.
func (m *memory) of(c event.Command) (container.Before, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, is := m.all[harmOf(c)]
	return before, is
}

func (m *memory) undone(c event.Command) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, harmOf(c))
}

// read takes a command as it stands on the log. What cannot be read is as if it
// were not there.
func (m *memory) read(c event.Command) {
	if c.Command != event.CommandInject || c.Result == nil {
		return
	}
	if c.Args.Undo {
		if c.Result.OK {
			m.undone(c)
		}
		return
	}
	var before container.Before
	if json.Unmarshal([]byte(c.Result.Before), &before) == nil {
		m.injected(c, before)
	}
}
