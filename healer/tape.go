package healer

import (
	"slices"
	"strings"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	tapeAge = 15 * time.Minute // how long engine events are remembered
	tapeLen = 256              // and how many of one container
	// stopLag is how long after the end of a process that was told to stop its
	// stop event may still come (up to 41 ms were seen at the engine, and up to
	// 300 ms until it was read).
	stopLag = 500 * time.Millisecond
	// ghostPair is how close a pause and its unpause may follow each other to be
	// no more than an echo, which engine 20.10 writes after a quick unpause.
	ghostPair = 250 * time.Millisecond
)

// entry is an engine event, and when it was read here. The engine's times are
// only ever compared with each other; waiting is measured from heard.
type entry struct {
	event.Docker
	heard time.Time
}

// tape is what the engine told of the containers of one name, oldest first.
type tape []entry

// add keeps the engine's order by its times: what was missed is told later, in
// between.
func (t tape) add(e entry) tape {
	at := len(t)
	for at > 0 && t[at-1].Time.After(e.Time) {
		at--
	}
	for i := at - 1; i >= 0 && t[i].Time.Equal(e.Time); i-- {
		if t[i].ID == e.ID && t[i].Action == e.Action {
			return t // the same, read again
		}
	}
	t = slices.Insert(t, at, e)
	for len(t) > tapeLen || e.heard.Sub(t[0].heard) > tapeAge {
		t = t[1:]
	}
	return t
}

// newest is the engine's time of the newest event; zero where there is none.
func (t tape) newest() time.Time {
	if len(t) == 0 {
		return time.Time{}
	}
	return t[len(t)-1].Time
}

// pattern is what an action makes the engine tell. A kill may come twice: the
// stop signal, and 9 when its time is over.
func pattern(action string) []string {
	switch action {
	case service.ActionStart:
		return []string{"start"}
	case service.ActionUnpause:
		return []string{"unpause"}
	case service.ActionRestart:
		return []string{"kill", "kill?", "die", "stop", "start", "restart"}
	}
	return nil
}

// intent is an action of ours on a container: what it did comes after base.
type intent struct {
	container string
	action    string
	base      time.Time // the engine's time of the newest event before it
}

// match splits what came after an intent into what it did itself, each event
// of its pattern once and in order, and the rest, which is from outside.
func (t tape) match(in intent) (ours, outside []int) {
	want := pattern(in.action)
	for i, e := range t {
		if !e.Time.After(in.base) || e.ID != in.container {
			continue
		}
		for len(want) > 0 && strings.HasSuffix(want[0], "?") && want[0] != e.Action+"?" {
			want = want[1:]
		}
		if len(want) > 0 && strings.TrimSuffix(want[0], "?") == e.Action {
			want = want[1:]
			ours = append(ours, i)
			continue
		}
		outside = append(outside, i)
	}
	return ours, outside
}

// marks says of each event whether one of the intents did it. Each intent
// reaches up to the base of the next.
func (t tape) marks(intents []intent) []bool {
	marks := make([]bool, len(t))
	for k, in := range intents {
		reach := t
		if k+1 < len(intents) {
			next := intents[k+1].base
			reach = t[:len(t)-len(t.after(next))]
		}
		ours, _ := reach.match(in)
		for _, i := range ours {
			marks[i] = true
		}
	}
	return marks
}

// after is the part of the tape that is newer than the engine's time base.
func (t tape) after(base time.Time) tape {
	i := slices.IndexFunc(t, func(e entry) bool { return e.Time.After(base) })
	if i < 0 {
		return nil
	}
	return t[i:]
}

// of is the part of the tape that tells of one container.
func (t tape) of(id string) tape {
	var own tape
	for _, e := range t {
		if e.ID == id {
			own = append(own, e)
		}
	}
	return own
}

// ending is how a container that does not run came to its end.
type ending struct {
	end     runbook.End
	at      time.Time // the engine's time of the event that decides: stop, die or pause
	heard   time.Time
	ours    bool   // an action of ours did it, on its way
	order   string // such as "kill(15) → die → stop"
	waiting bool   // a stop event is still to be expected
}

// ended reads how the container with that id ended, from its newest die.
func (t tape) ended(id string, ours []bool, now time.Time) (ending, bool) {
	last := -1
	for i, e := range t {
		if e.ID == id && e.Action == "die" {
			last = i
		}
	}
	if last < 0 {
		return ending{}, false
	}
	first := last
	for first > 0 && t[first-1].Action != "start" {
		first--
	}
	out := ending{end: runbook.EndDied, at: t[last].Time, heard: t[last].heard, ours: ours[last]}
	var order []string
	soft, hard := false, false
	for i := first; i < len(t); i++ {
		e := t[i]
		if e.ID != id {
			continue
		}
		if i > last && e.Action != "stop" {
			break
		}
		switch e.Action {
		case "kill":
			soft, hard = soft || e.Signal != "9", hard || e.Signal == "9"
			order = append(order, "kill("+e.Signal+")")
			out.ours = out.ours || ours[i]
			if out.end == runbook.EndDied {
				out.end = runbook.EndKilled
			}
		case "oom":
			order = append(order, "oom")
			out.end = runbook.EndOOM
		case "die":
			order = append(order, "die")
		case "stop":
			if i < last {
				continue
			}
			order = append(order, "stop")
			out.end, out.at, out.heard = runbook.EndStopped, e.Time, e.heard
		}
	}
	out.waiting = soft && out.end != runbook.EndStopped && now.Sub(t[last].heard) < stopLag
	out.order = strings.Join(order, " → ")
	return out, true
}

// stopping says whether somebody told the running container to stop, and it
// has not ended yet.
func (t tape) stopping(id string) (entry, bool) {
	for i := len(t) - 1; i >= 0; i-- {
		if e := t[i]; e.ID == id {
			switch e.Action {
			case "kill":
				return e, true
			case "die", "start", "restart":
				return entry{}, false
			}
		}
	}
	return entry{}, false
}

// last is the newest event of one of the actions that keep says yes to.
func (t tape) last(keep func(int, entry) bool, actions ...string) (entry, bool) {
	for i := len(t) - 1; i >= 0; i-- {
		if slices.Contains(actions, t[i].Action) && (keep == nil || keep(i, t[i])) {
			return t[i], true
		}
	}
	return entry{}, false
}

// ghost says whether the event is a pause, or the unpause that belongs to it,
// which follow each other so closely that nothing can have happened between.
func (t tape) ghost(i int) bool {
	switch t[i].Action {
	case "pause":
		for _, next := range t[i+1:] {
			if next.ID == t[i].ID {
				return next.Action == "unpause" && next.Time.Sub(t[i].Time) < ghostPair
			}
		}
	case "unpause":
		for k := i - 1; k >= 0; k-- {
			if t[k].ID == t[i].ID {
				return t[k].Action == "pause" && t[i].Time.Sub(t[k].Time) < ghostPair
			}
		}
	}
	return false
}

// ofRestart says whether a stop is only the first half of a restart.
func (t tape) ofRestart(i int) bool {
	for _, next := range t[i+1:] {
		if next.ID != t[i].ID {
			continue
		}
		if next.Action == "restart" {
			return true
		}
		if next.Action != "start" {
			return false
		}
	}
	return false
}

// removed says whether the container of an event was removed after it: a
// deployment stops what it replaces.
func (t tape) removed(i int) bool {
	_, gone := t[i:].last(func(_ int, e entry) bool { return e.ID == t[i].ID }, "destroy")
	return gone
}

// byItself says whether a start followed an end that nobody asked for.
func (t tape) byItself(i int) bool {
	before := t[:i].of(t[i].ID)
	if n := len(before); t[i].Action != "start" || n == 0 || before[n-1].Action != "die" {
		return false
	}
	end, _ := before.ended(t[i].ID, make([]bool, len(before)), t[i].heard)
	return end.end == runbook.EndDied || end.end == runbook.EndOOM
}
