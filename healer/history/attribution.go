package history

import (
	"slices"
	"time"
)

// Pattern is the events that an action causes, in phases: within one phase
// the order means nothing, and an event of a phase ends those before it. Each
// event comes at most once; where one comes again it is named twice.
type Pattern [][]string

// Intent is an action of ours on a container.
type Intent struct {
	Container string
	Pattern   Pattern
	Stop      Stop
	// Base is the engine's time of the newest event that was known at the
	// intent: what the action did comes after it.
	Base time.Time
	// Successor is the container that took its place, by the action; empty: none,
	// or not known yet. Succession is what the action causes on that one.
	Successor  string
	Succession Pattern
	// Until bounds what can be the action's doing by when it was read, where the
	// call failed; zero: the pattern's own end bounds it.
	Until time.Time
	// Unforeseen says that whatever was read up to Until is its doing, of each
	// container of the name; where Until is zero it goes on.
	Unforeseen bool
}

// startsIt says whether the action begins with a start: the container did not
// run, and what is still reported of its end belongs to the life before.
func (in Intent) startsIt() bool {
	return len(in.Pattern) > 0 && slices.Contains(in.Pattern[0], "start")
}

// attribution is which events an intent caused, and which came from outside.
type attribution struct{ own, external []int }

func (h History) attribute(in Intent) attribution {
	if in.Unforeseen {
		return h.attributeAll(in)
	}
	out := h.attributeOne(in)
	if in.Successor == "" {
		return out
	}
	other := h.attributeOne(Intent{Container: in.Successor, Pattern: in.Succession, Stop: in.Stop, Base: in.Base, Until: in.Until})
	out.own, out.external = append(out.own, other.own...), append(out.external, other.external...)
	slices.Sort(out.own)
	slices.Sort(out.external)
	return out
}

// attributeAll attributes what happened while an action ran that may do anything.
func (h History) attributeAll(in Intent) attribution {
	var out attribution
	known := h.Until(in.Base)
	for i, e := range h {
		switch {
		case i < known:
		case in.Until.IsZero() || !e.ReadAt.After(in.Until):
			out.own = append(out.own, i)
		case e.Action != "kill" || in.Stop.terminates(e.Signal):
			out.external = append(out.external, i)
		}
	}
	return out
}

// attributeOne attributes the events of the intent's own container.
func (h History) attributeOne(in Intent) attribution {
	var out attribution
	phases := make([][]string, len(in.Pattern))
	for i, phase := range in.Pattern {
		phases[i] = slices.Clone(phase)
	}
	phase, begun, known := 0, false, h.Until(in.Base)
	for i, e := range h {
		if e.ID != in.Container || i < known {
			continue
		}
		if e.Action == "kill" && !in.Stop.terminates(e.Signal) {
			continue // evidence of nothing
		}
		if at := phaseOf(phases, phase, e.Action); at >= 0 && (in.Until.IsZero() || !e.ReadAt.After(in.Until)) {
			phase = at
			take(&phases[at], e.Action)
			out.own = append(out.own, i)
			begun = begun || e.Action == "start"
			continue
		}
		if h.isLateStop(i) {
			if begun && len(phases) > 0 && take(&phases[0], "stop") {
				out.own = append(out.own, i)
			}
			continue
		}
		begun = begun || e.Action == "start"
		if in.startsIt() && !begun && (e.Action == "die" || e.Action == "stop" || e.Action == "oom") {
			continue
		}
		out.external = append(out.external, i)
	}
	return out
}

// phaseOf is the first phase from at on that still expects the action, or -1.
func phaseOf(phases [][]string, at int, action string) int {
	for i := at; i < len(phases); i++ {
		if slices.Contains(phases[i], action) {
			return i
		}
	}
	return -1
}

func take(phase *[]string, action string) bool {
	i := slices.Index(*phase, action)
	if i >= 0 {
		*phase = slices.Delete(*phase, i, i+1)
	}
	return i >= 0
}

// Own says of each event whether one of the intents, oldest first, caused it.
// Each intent reaches up to the base of the next.
func (h History) Own(intents []Intent) []bool {
	own := make([]bool, len(h))
	for k, in := range intents {
		reach := h
		if k+1 < len(intents) {
			reach = h[:h.Until(intents[k+1].Base)]
		}
		for _, i := range reach.attribute(in).own {
			own[i] = true
		}
	}
	return own
}

// External are the indexes of the events since an intent that it did not cause.
func (h History) External(in Intent) []int { return h.attribute(in).external }

// Interference is the newest start, restart or unpause from outside of the
// container's, read since then, if nothing ended or paused it afterwards. own
// says of each event whether an action of ours caused it. of says which
// containers count.
func (h History) Interference(own []bool, since time.Time, stop Stop, of func(Event) bool) (int, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		e := h[i]
		if own[i] || e.ReadAt.Before(since) || !of(e) || e.Action == "kill" && !stop.terminates(e.Signal) || h.isLateStop(i) {
			continue
		}
		switch e.Action {
		case "die", "kill", "pause", "stop":
			return 0, false
		case "unpause":
			return i, !h.unpausedToStop(i, stop)
		case "start", "restart":
			return i, true
		}
	}
	return 0, false
}

// IsUnpausedToStop says whether event i is an unpause that only precedes a stop.
func (h History) IsUnpausedToStop(i int, stop Stop) bool {
	return h[i].Action == "unpause" && h.unpausedToStop(i, stop)
}

// FellBefore is when it was first read that the life before start i ends, or the
// pause before unpause i, and whether the two are one restart. Zero where nothing
// reports it, as of a new container.
func (h History) FellBefore(i int) (at time.Time, restarted bool) {
	for _, e := range slices.Backward(h[:i]) {
		if e.ID == h[i].ID && (e.Action == "die" || e.Action == "kill" || e.Action == "stop" || e.Action == "pause" || e.Action == "start") {
			if e.Action == "start" {
				break
			}
			at = e.ReadAt
		}
	}
	for _, e := range h[i+1:] {
		if e.ID == h[i].ID {
			return at, e.Action == "restart"
		}
	}
	return at, false
}

// unpausedToStop says whether unpause i follows a terminating kill: that is how
// the engine stops what is paused.
func (h History) unpausedToStop(i int, stop Stop) bool {
	for k := i - 1; k >= 0; k-- {
		if e := h[k]; e.ID == h[i].ID {
			return e.Action == "kill" && stop.terminates(e.Signal)
		}
	}
	return false
}
