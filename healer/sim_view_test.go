package healer

import (
	"slices"

	"logstream/internal/event"
	"logstream/internal/state"
)

// What a scenario can know of the healer: what it has read, written, published and
// called for.

// owner is the origin under which this life owns the host, and whether it does:
// its claim was read back, and no other since.
func (m *sim) owner() (event.Origin, bool) {
	newest, claimed := m.folded.Newest("local")
	return event.Origin{Instance: "me", Host: "local", Epoch: newest.Epoch, Nonce: newest.Nonce}, m.on() && claimed && newest.Nonce == m.nonce
}

// claims are those on the log, in order.
func (m *sim) claims() []event.Claim { return dataOf[event.Claim](m) }

// dataOf is what the records of one type say, in the order of the log. What
// was published again is not among it.
func dataOf[D event.Data](m *sim) (all []D) {
	for _, w := range m.incidents {
		if data, is := w.event.Data.(D); is && w.copy.IsZero() {
			all = append(all, data)
		}
	}
	return all
}

// incident is the newest of a service, as it was read so far, or nil.
func (m *sim) incident(name string) *state.Incident {
	if all := m.folded.Of(name, "local"); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// of0 is the newest incident of the first service. Without one there is an
// empty one, so that a scenario that expects one fails with its own words.
func (m *sim) of0() *state.Incident {
	if in := m.incident("svc-0"); in != nil {
		return in
	}
	return &state.Incident{}
}

func (m *sim) open(name string) bool {
	in := m.incident(name)
	return in != nil && in.State != state.Resolved
}

// status is what was last published of a service.
func (m *sim) status(name string) event.Service { return m.published[name] }

func (m *sim) good(name string) bool {
	status := m.status(name).Status
	return status == event.Up || status == event.Degraded
}

// source is what one source of a service was last published to say; empty where
// it says nothing.
func (m *sim) source(name, instance, check string) event.Status {
	for _, source := range m.status(name).Sources {
		if source.Instance == instance && source.Check == check {
			return source.Status
		}
	}
	return ""
}

// level is what the owner's sight of the container says.
func (m *sim) level(name string) event.Status { return m.source(name, "me", event.CheckContainer) }

// gate is what holds the first service's incident.
func (m *sim) gate() string { return m.of0().Held }

// actions are those that were begun so far.
func (m *sim) actions() []string {
	var out []string
	for _, started := range dataOf[event.ActionStarted](m) {
		out = append(out, started.Action)
	}
	return out
}

// begun says that an intent waits to be read back, of which nothing is on the
// log yet.
func (m *sim) begun(name string) bool { return m.outstanding[name].Type == event.TypeActionStarted }

// busy says that an action was begun whose result was not read.
func (m *sim) busy() bool {
	return len(m.running) > 0 || slices.ContainsFunc(m.boxes, func(b *box) bool {
		if m.begun(b.def.Name) {
			return true
		}
		in := m.incident(b.def.Name)
		if in == nil {
			return false
		}
		last, _ := in.Last(event.TypeActionStarted, event.TypeActionFinished)
		return last.Type == event.TypeActionStarted
	})
}

// results are what was written of a command.
func (m *sim) results(id string) (all []event.CommandResult) {
	for _, r := range m.commands {
		if c := r.in.Command; c.ID == id && c.Result != nil && !r.copy {
			all = append(all, *c.Result)
		}
	}
	return all
}
