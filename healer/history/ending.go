package history

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// End is how a life of a container ended.
type End int

// The ways to end.
const (
	EndUnknown  End = iota // no event shows it
	EndStopped             // a stop: it was asked for
	EndKilled              // a terminating kill, and no stop
	EndOOM                 // out of memory
	EndByItself            // a die alone
)

const (
	// otherOf is how long, after a terminating kill, the other of stop and die is
	// waited for, counted from the first of them.
	otherOf = 200 * time.Millisecond
	// otherOfForced is the same where 9 followed the stop signal, as a stop sends them
	// to what ignores it: hardly anything else does, and no repair is late by it.
	otherOfForced = time.Second
	// killReach is added to the stop time-out: a die that follows a terminating
	// kill within both is that kill's doing.
	killReach = 5 * time.Second
	oomBefore = 5 * time.Second // an oom so long before a die belongs to it
	oomAfter  = 200 * time.Millisecond
	oomExit   = 137
	// stopInProgress is how long a terminating kill without an end is taken for
	// a stop in progress: the event does not have the time-out that was given.
	stopInProgress = 5 * time.Minute
)

// Stop is how a container is stopped: the number of its stop signal, empty for
// 15, and its stop time-out.
type Stop struct {
	Signal  string
	Timeout time.Duration
	// ReadSince is from when on the engine's events are read: a stop that began
	// before it shows its last signal alone.
	ReadSince time.Time
}

// terminates says whether a signal is meant to end a process. Others, such as
// the HUP of a nightly log rotation, are evidence of nothing.
func (s Stop) terminates(signal string) bool {
	return slices.Contains([]string{"9", "15", "2", "3", "6"}, signal) || signal != "" && signal == s.Signal
}

// Ending is how a container that does not run came to its end.
type Ending struct {
	End    End
	At     time.Time // the engine's time of the event that decides: stop, die or pause
	ReadAt time.Time // when that event was read
	Died   time.Time // the engine's time of the newest die or stop
	Ours   bool      // an action of ours did it, on its way
	Order  string    // the events as they came, such as "kill(15) → die → stop"
	// Waiting says that another event may still come that decides.
	Waiting bool
}

// life is the indexes of one life's events of a container: from a start to the next.
type life []int

// lives are the lives of the container with that id, oldest first.
func (h History) lives(id string) []life {
	all := []life{nil}
	for i, e := range h {
		if e.ID != id {
			continue
		}
		at := len(all) - 1
		switch {
		case e.Action == "start":
			all = append(all, nil)
			at++
		case h.isLateStop(i):
			at--
		}
		all[at] = append(all[at], i)
	}
	return all
}

// Ending reads how the newest life of the container with that id ended; false
// where no event shows that it has. own says of each event whether an action of
// ours caused it.
func (h History) Ending(id string, stop Stop, own []bool, now time.Time) (Ending, bool) {
	lives := h.lives(id)
	return h.ending(lives[len(lives)-1], stop, own, now)
}

func (h History) ending(of life, stop Stop, own []bool, now time.Time) (Ending, bool) {
	var stopped, died, kill, oom *Event
	for _, i := range of {
		e := &h[i]
		switch e.Action {
		case "stop":
			stopped = e
		case "die":
			died = e
		case "oom":
			oom = e
		}
	}
	if stopped == nil && died == nil {
		return Ending{}, false
	}
	first := stopped
	if first == nil || died != nil && died.Time.Before(first.Time) {
		first = died
	}
	out := Ending{Died: first.Time}
	var order []string
	for _, i := range of {
		e := &h[i]
		switch e.Action {
		case "kill":
			if !stop.terminates(e.Signal) || first.Time.Sub(e.Time) >= stop.Timeout+killReach {
				continue
			}
			kill = e
			order = append(order, "kill("+e.Signal+")")
		case "oom", "die", "stop":
			order = append(order, e.Action)
		default:
			continue
		}
		out.Ours = out.Ours || own != nil && own[i]
		if e.Action != "oom" && e.Action != "kill" && e.Time.After(out.Died) {
			out.Died = e.Time
		}
	}
	out.Order = strings.Join(order, " → ")
	decides := died
	switch {
	case stopped != nil:
		out.End, decides = EndStopped, stopped
	case kill != nil:
		out.End = EndKilled
	case oom != nil && ofOOM(*oom, *died):
		out.End = EndOOM
	default:
		out.End = EndByItself
	}
	out.At, out.ReadAt = decides.Time, decides.ReadAt
	limit := otherOf
	if kill != nil && kill.Signal == "9" && h.sent(of, cmp.Or(stop.Signal, "15")) && stop.Signal != "9" {
		limit = otherOfForced
	}
	out.Waiting = kill != nil && (died == nil || stopped == nil && h.mayBeStop(of, *kill, stop)) && now.Sub(first.ReadAt) < limit
	return out, true
}

// sent says whether a life has a kill of that signal.
func (h History) sent(of life, signal string) bool {
	return slices.ContainsFunc(of, func(i int) bool { return h[i].Action == "kill" && h[i].Signal == signal })
}

// mayBeStop says whether the kill that ended a life may have been part of a stop,
// whose stop event then comes yet. A stop sends the stop signal first, and 9 only to
// what ignored it: 9 alone is docker kill, unless it is the stop signal, or the
// first signal was sent before the events were read. The one exception is
// docker stop --signal KILL: the engines that have it report its stop before its die.
func (h History) mayBeStop(of life, kill Event, stop Stop) bool {
	return stop.Signal == "9" || kill.ReadAt.Sub(stop.ReadSince) < stop.Timeout+killReach ||
		slices.ContainsFunc(of, func(i int) bool { return h[i].Action == "kill" && h[i].Signal != "9" })
}

func ofOOM(oom, died Event) bool {
	before := died.Time.Sub(oom.Time)
	return before < oomBefore && before > -oomAfter && (died.ExitCode == nil || *died.ExitCode == oomExit)
}

// Pause is the newest pause of the container with that id, as an ending.
func (h History) Pause(id string, own []bool) (Ending, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if e := h[i]; e.ID == id && e.Action == "pause" {
			return Ending{At: e.Time, ReadAt: e.ReadAt, Died: e.Time, Ours: own != nil && own[i], Order: "pause"}, true
		}
	}
	return Ending{}, false
}

// Stopping is the terminating kill from outside that a running container has
// been sent and that has not ended it yet; false where there is none, or where
// it is so old that the process has ignored it.
func (h History) Stopping(id string, stop Stop, own []bool, now time.Time) (Event, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		e := h[i]
		if e.ID != id {
			continue
		}
		switch e.Action {
		case "kill":
			if stop.terminates(e.Signal) && (own == nil || !own[i]) {
				return e, now.Sub(e.ReadAt) < max(stop.Timeout, stopInProgress)
			}
		case "die", "stop", "start", "restart":
			return Event{}, false
		}
	}
	return Event{}, false
}

// FollowsOwnEnd says whether start i followed an end that was not requested, and
// with which exit code that was; 0 as well where it is not known.
func (h History) FollowsOwnEnd(i int, stop Stop) (code int, is bool) {
	if h[i].Action != "start" {
		return 0, false
	}
	end, ended := h[:i].Ending(h[i].ID, stop, nil, h[i].ReadAt)
	if !ended || end.End != EndByItself && end.End != EndOOM {
		return 0, false
	}
	if died, found := h[:i].Last(func(_ int, e Event) bool { return e.ID == h[i].ID }, "die"); found && died.ExitCode != nil {
		code = *died.ExitCode
	}
	return code, true
}
