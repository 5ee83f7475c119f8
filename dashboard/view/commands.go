package view

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// maxCommands is how many of the newest commands are remembered.
const maxCommands = 1000

// answerWithin is how long a command may be read late and still be carried out.
const answerWithin = time.Minute

// Commands folds TopicCommands: what was asked for, and what became of it.
type Commands struct {
	byID  map[string]*event.Command
	order []string
	hold  map[string]Hold // by host
}

// Hold is an operator's request that nothing is repaired on a host.
type Hold struct {
	Reason string
	Until  time.Time // zero: until it is released
}

// NewCommands is the fold of an empty log.
func NewCommands() *Commands {
	return &Commands{byID: map[string]*event.Command{}, hold: map[string]Hold{}}
}

// Apply folds one record, and says whether it changed anything. The first
// request of an id counts, and the first result.
func (f *Commands) Apply(c event.Command) bool {
	known := f.byID[c.ID]
	if known == nil {
		f.byID[c.ID] = &c
		f.order = append(f.order, c.ID)
		if len(f.order) > maxCommands {
			delete(f.byID, f.order[0])
			f.order = slices.Delete(f.order, 0, 1)
		}
		f.carriedOut(c, c.Host)
		return true
	}
	if known.Result != nil || c.Result == nil {
		return false
	}
	known.Result = c.Result
	f.carriedOut(*known, c.Host)
	return true
}

// carriedOut folds what a command changed on the host of the instance that answered it.
func (f *Commands) carriedOut(c event.Command, host string) {
	if c.Result == nil || !c.Result.OK {
		return
	}
	switch c.Command {
	case event.CommandHold:
		h := Hold{Reason: c.Args.Reason}
		if d, err := time.ParseDuration(c.Args.For); err == nil && d > 0 {
			h.Until = c.Time.Add(d)
		}
		f.hold[host] = h
	case event.CommandRelease:
		delete(f.hold, host)
	}
}

// Get is the command with that id.
func (f *Commands) Get(id string) (event.Command, bool) {
	if c := f.byID[id]; c != nil {
		return *c, true
	}
	return event.Command{}, false
}

// Held is the hold of a host at now, and whether there is one.
func (f *Commands) Held(host string, now time.Time) (Hold, bool) {
	h, held := f.hold[host]
	return h, held && (h.Until.IsZero() || now.Before(h.Until))
}

// Awaited says whether a command of that name may still be carried out.
func (f *Commands) Awaited(command string, now time.Time) bool {
	for _, c := range f.byID {
		if c.Command == command && c.Result == nil && now.Sub(c.Time) < answerWithin {
			return true
		}
	}
	return false
}
