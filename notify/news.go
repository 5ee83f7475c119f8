package notify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/state"
)

const (
	// settle is how long an opened incident waits: that it is of a dependent is
	// recorded a moment later.
	settle = 3 * time.Second
	// freed is how long an escalated dependent waits after its root was resolved:
	// most recover with it.
	freed = 2 * time.Minute
	// observed is how long an incident lasts that LogStream may only observe until a
	// person is needed: most that end by themselves have ended by then.
	observed = time.Minute
	// cutOff is how long LogStream cannot reach most of its services until a person is
	// called.
	cutOff = 5 * time.Minute
	// lostAfter is how long a part is lost before it is news, and backAfter how
	// long it is back.
	lostAfter, backAfter = 30 * time.Second, 10 * time.Second
	// digestWithin is how late a digest is sent at most.
	digestWithin = 12 * time.Hour
)

// item is one piece of news for a receiver.
type item struct {
	id      string    // as event.Notification has it
	due     time.Time // it waits until then: what follows may belong to it
	current bool      // it still stands, and waits for a person
	acked   bool      // a person knows
	drop    bool      // it is not sent: that is recorded
	repeat  int       // 0: the first message about it

	event, severity string
	at              time.Time // when it happened
	service         string    // empty: of none, or of many at once
	say             func() Note
}

// itemsOf is everything that there is to say to a receiver, whether it was said
// already or not.
func (f *Fold) itemsOf(r Receiver, h *history, now time.Time) []item {
	var all []item
	for _, in := range f.incidents.All() {
		if in.Host == f.host && (in.State != state.Resolved || now.Sub(in.Events[len(in.Events)-1].Time) < horizon) {
			all = append(all, f.itemsOfIncident(in, r, h, now)...)
		}
	}
	for part := range partNames {
		all = append(all, f.itemsOfPart(part, r, h, now)...)
	}
	if r.takes(DigestOf) {
		if from, at := f.config.Digest.latest(now); now.Sub(at) <= digestWithin {
			all = append(all, item{id: "digest/" + at.Format(time.DateOnly), due: at, event: DigestOf, severity: low, at: at,
				say: func() Note { return f.digest(from, at, now) }})
		}
	}
	return all
}

func (f *Fold) itemsOfIncident(in *state.Incident, r Receiver, h *history, now time.Time) []item {
	var all []item
	service := ""
	add := func(e event.Incident, on, severity string, current bool, due time.Time) {
		all = append(all, item{id: fmt.Sprintf("incident/%s/%d", in.ID, e.Seq), due: due, current: current,
			acked: in.Acknowledged != nil && !in.Acknowledged.At.Before(e.Time), event: on, severity: severity, at: e.Time,
			service: service, say: func() Note { return f.noteOf(in, e, on, severity, now) }})
	}
	if in.Kind != "fleet" {
		service = in.Service
	}
	last, _ := in.Last(event.TypeEscalated)
	waiting, blind := isObserved(in), in.Kind == "fleet" && in.State == state.Open
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.Opened:
			requested := data.Action != "" || data.UndoesIncident != "" // by an operator, who knows
			if in.State == state.Open && !requested && !h.incidents[in.ID] && !heldByAnother(in) {
				add(e, Opened, normal, false, e.Time.Add(settle))
			}
		case event.ApprovalRequested:
			if newest, _ := in.Last(event.TypeApprovalRequested); in.State == state.Open && in.Held == state.HeldForApproval && newest.Seq == e.Seq && now.Before(data.Expires) {
				add(e, Approval, normal, true, e.Time)
			}
		case event.Escalated:
			stands := in.State == state.Escalated && e.Seq == last.Seq
			over := in.State == state.Resolved && e.Seq == last.Seq && !r.takes(Resolved) // else that message says it
			if due, waits := f.afterRoot(in, e.Time); (stands || over) && !waits {
				add(e, Escalated, f.severity(in), stands, due)
			}
		case event.Suppressed:
			if waiting && data.Gate == state.HeldToObserve {
				waiting = false // the later ones give the same reason in other words
				add(e, Escalated, f.severity(in), true, e.Time.Add(observed))
			}
			if blind {
				blind = false
				add(e, Escalated, f.severity(in), true, e.Time.Add(cutOff))
			}
		case event.Resolved:
			known := h.incidents[in.ID]
			if known || in.Root == "" && data.How != event.HowOperator {
				add(e, Resolved, low, false, e.Time)
			}
		}
	}
	return all
}

// heldByAnother says whether an incident is part of a larger one, whose message
// has it: of the service that it needs, or of the fleet.
func heldByAnother(in *state.Incident) bool {
	return in.Root != "" || slices.Contains([]string{"dependency", "blind"}, in.Held)
}

// observedAt is when a person was needed for an incident because LogStream may only
// observe it; false: it ended before, or was never held by that.
func observedAt(in *state.Incident) (at time.Time, was bool) {
	for _, e := range in.Events {
		if held, is := e.Data.(event.Suppressed); is && held.Gate == state.HeldToObserve {
			at = e.Time.Add(observed)
			return at, in.Resolved == nil || !in.Resolved.Before(at)
		}
	}
	return at, false
}

// isObserved says whether an incident waits for a person because LogStream may only
// observe it.
func isObserved(in *state.Incident) bool {
	return in.State == state.Open && in.Held == state.HeldToObserve
}

// afterRoot says until when the escalation of a dependent waits for its root, or
// that no end is known.
func (f *Fold) afterRoot(in *state.Incident, at time.Time) (due time.Time, waits bool) {
	root := f.incidents.Get(in.RootIncident)
	switch {
	case in.Root == "" || root == nil:
		return at, false
	case root.State != state.Resolved:
		return at, true
	}
	return root.Resolved.Add(freed), false
}

// severity is that of an escalation.
func (f *Fold) severity(in *state.Incident) string {
	if s, known := f.services[in.Service]; known && s.Status != event.Down && in.Kind != "fleet" {
		return normal
	}
	return high
}

// itemsOfPart is what there is to say of a part's newest outage.
func (f *Fold) itemsOfPart(part string, r Receiver, h *history, now time.Time) []item {
	said, over := h.lossOf(part)
	last := f.lastOutage(part)
	if last == nil {
		if said.IsZero() || f.healthAt.IsZero() || now.Before(f.healthAt.Add(lostAfter)) {
			return nil
		}
		last = &outage{problem: health.Problem{Part: part, Since: said}, until: f.healthAt} // it ended while we did not run
	}
	of := func(on string, o outage, at, due time.Time) item {
		return item{id: fmt.Sprintf("%s/%s/%d", on, part, o.problem.Since.Unix()), due: due, event: on, severity: severityOfPart(on, part), at: at,
			say: func() Note { return f.noteOfPart(on, o, at) }}
	}
	goesOn := last.until.IsZero()
	switch lasted := last.until.Sub(last.problem.Since); {
	case goesOn && said.IsZero():
		lost := of(Lost, *last, last.problem.Since, last.problem.Since.Add(lostAfter))
		lost.current = true
		return []item{lost}
	case goesOn, said.IsZero() && (lasted < lostAfter || !over.Before(last.until)):
		return nil
	case said.IsZero() && !r.takes(Back): // else that message says it
		return []item{of(Lost, *last, last.problem.Since, last.until)}
	}
	ended := *last
	if !said.IsZero() {
		ended.problem.Since = said // it may have begun before a restart
	}
	back := of(Back, ended, last.until, last.until.Add(backAfter))
	back.drop = !r.takes(Back) && !said.IsZero()
	return []item{back}
}

// lossOf is when the loss of a part began that the receiver knows of, and not yet
// that it is over; zero: there is none. And it is when it last got that one is over.
func (h *history) lossOf(part string) (open, over time.Time) {
	for id, s := range h.news {
		if strings.HasPrefix(id, Back+"/"+part+"/") && s.at.After(over) {
			over = s.at
		}
		rest, is := strings.CutPrefix(id, Lost+"/"+part+"/")
		seconds, err := strconv.ParseInt(rest, 10, 64)
		if !is || err != nil || !s.sent {
			continue
		}
		if _, ended := h.news[fmt.Sprintf("%s/%s/%d", Back, part, seconds)]; !ended && seconds > open.Unix() {
			open = time.Unix(seconds, 0).UTC()
		}
	}
	return open, over
}

// digest is what happened in a night.
func (f *Fold) digest(from, at, now time.Time) Note {
	n := Note{Event: DigestOf, Severity: low, Time: at, Host: f.host}
	during := func(t time.Time) bool { return !t.Before(from) && t.Before(at) }
	for _, in := range f.incidents.All() {
		if in.Host != f.host {
			continue
		}
		at, needed := observedAt(in)
		needed = needed && during(at)
		for _, e := range in.Events {
			needed = needed || e.Type == event.TypeEscalated && during(e.Time)
		}
		if needed {
			n.Needed++
		}
		switch {
		case (in.State == state.Escalated || isObserved(in)) && !slices.Contains(n.Open, in.Service):
			n.Open = append(n.Open, in.Service)
		case in.State != state.Resolved || !during(*in.Resolved):
			continue
		case in.How == event.HowHealed:
			n.Repairs++
		case in.How == event.HowRecovered:
			n.Recovered++
		}
		if in.State == state.Resolved && in.Root == "" {
			if e, is := in.Last(event.TypeResolved); is {
				n.items = append(n.items, f.noteOf(in, e, Resolved, low, now))
			}
		}
	}
	return n
}
