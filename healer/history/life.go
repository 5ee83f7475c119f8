package history

import "time"

// Life is one life of a container that has ended.
type Life struct {
	End      End
	At       time.Time     // the engine's time of the event that decides how it ended
	Ran      time.Duration // from its start; negative: its start is not known
	ExitCode int
	Began    time.Time // the engine's time when it was first asked to end; At where it ended by itself
}

// begunWithin is added to the stop time-out: docker stop is given another one.
const begunWithin = time.Minute

// Lives are, of a history, the lives of the container with that id that have ended, oldest first.
func Lives(h History, id string, stop Stop, now time.Time) []Life {
	var all []Life
	for _, of := range h.lives(id) {
		end, ended := h.ending(of, stop, nil, now)
		if !ended {
			continue
		}
		life := Life{End: end.End, At: end.At, Ran: -1, Began: end.At}
		asked := end.End == EndStopped || end.End == EndKilled
		for _, i := range of {
			switch e := h[i]; {
			case e.Action == "kill" && asked && stop.terminates(e.Signal) && e.Time.Before(life.Began) && end.At.Sub(e.Time) <= stop.Timeout+begunWithin:
				life.Began = e.Time
			case e.Action == "start":
				life.Ran = end.At.Sub(e.Time)
			case e.Action == "die" && e.ExitCode != nil:
				life.ExitCode = *e.ExitCode
			}
		}
		all = append(all, life)
	}
	return all
}

// ignored is the share of the stop time-out after which the engine's kill shows
// that a process did not obey: docker stop -t 0 kills at once.
const ignored = 0.8

// IgnoredStop says whether the container with that id was sent its stop signal,
// and killed for it only when its stop time-out was over.
func IgnoredStop(h History, id string, stop Stop) bool {
	if stop.Timeout < time.Second {
		return false
	}
	for _, of := range h.lives(id) {
		var asked time.Time
		for _, i := range of {
			e := h[i]
			switch {
			case e.Action != "kill":
			case e.Signal == "9" && !asked.IsZero() && e.Time.Sub(asked) >= time.Duration(ignored*float64(stop.Timeout)):
				return true
			case e.Signal != "9" && stop.terminates(e.Signal) && asked.IsZero():
				asked = e.Time
			}
		}
	}
	return false
}
