package monitor

import "slices"

// hosts bounds how many checks dial one address at a time. Who has to wait
// stands in a line of that address, once, so that an address that hangs delays
// no other, and its own services take turns.
type hosts struct {
	most int // zero: no bound
	all  map[string]*host
}

type host struct {
	running int
	waiting []*task
}

// enter says whether a check may begin; else it stands in line.
func (h *hosts) enter(t *task) bool {
	if h.most == 0 || t.host == "" {
		return true
	}
	at := h.all[t.host]
	if at == nil {
		at = &host{}
		h.all[t.host] = at
	}
	if at.running >= h.most {
		at.waiting = append(at.waiting, t)
		t.inLine = true
		return false
	}
	at.running++
	return true
}

// leave ends a check that entered, and is the one whose turn it is then; nil:
// none waits. That one has entered.
func (h *hosts) leave(t *task) *task {
	at := h.all[t.host]
	if at == nil {
		return nil
	}
	if len(at.waiting) > 0 {
		next := at.waiting[0]
		at.waiting = slices.Delete(at.waiting, 0, 1)
		next.inLine = false
		return next
	}
	if at.running--; at.running == 0 {
		delete(h.all, t.host)
	}
	return nil
}

// withdraw takes a task out of its line.
func (h *hosts) withdraw(t *task) {
	if at := h.all[t.host]; t.inLine && at != nil {
		at.waiting = slices.DeleteFunc(at.waiting, func(other *task) bool { return other == t })
		t.inLine = false
	}
}
