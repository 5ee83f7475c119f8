package state

import "logstream/internal/event"

// Undoable is an attempt that was executed and has an inverse.
type Undoable struct {
	Started  event.ActionStarted
	Finished event.ActionFinished
}

// Undoable is the attempt of an incident with that number, or with 0 the newest
// one, where it can be undone as far as the log says. Else the code says why not:
// there is no such attempt (RefusedUnknown), nothing of it can be undone
// (RefusedNothing), or it was undone already, or is being (RefusedDuplicate).
// Whether the container is still as the attempt left it, the log does not say.
func (f *Incidents) Undoable(in *Incident, attempt int) (Undoable, event.RefusalCode) {
	attempts := attemptsOf(in)
	known := false
	why := event.RefusedNothing
	for i := len(attempts) - 1; i >= 0; i-- {
		a := attempts[i]
		if attempt != 0 && a.Started.Attempt != attempt {
			continue
		}
		known = true
		switch {
		case a.Started.Undo == nil || a.Started.Undoes != 0 || !a.Finished.OK:
		case f.undone(in, a.Started.Attempt):
			why = event.RefusedDuplicate
		default:
			return a, ""
		}
		if attempt == 0 && why == event.RefusedDuplicate {
			break // what was done before it is not undone behind it
		}
	}
	if attempt != 0 && !known {
		return Undoable{}, event.RefusedUnknown
	}
	return Undoable{}, why
}

// undone says whether an attempt of an incident was undone, in it or in one that
// was opened for that, or is being.
func (f *Incidents) undone(in *Incident, attempt int) bool {
	for _, other := range f.Of(in.Service, in.Host) {
		opened, _ := other.Events[0].Data.(event.Opened)
		if other.ID != in.ID && (opened.UndoesIncident != in.ID || opened.Undoes != attempt) {
			continue
		}
		for _, a := range attemptsOf(other) {
			if a.Started.Undoes == attempt && (a.Finished.OK || a.Finished.Attempt == 0) {
				return true
			}
		}
	}
	return false
}

// attemptsOf are the attempts of an incident, oldest first; the zero result is
// that of one which is not over.
func attemptsOf(in *Incident) []Undoable {
	var all []Undoable
	for _, e := range in.Events {
		switch data := e.Data.(type) {
		case event.ActionStarted:
			all = append(all, Undoable{Started: data})
		case event.ActionFinished:
			if n := len(all); n > 0 && all[n-1].Started.Attempt == data.Attempt {
				all[n-1].Finished = data
			}
		}
	}
	return all
}
