package view

import (
	"slices"
	"time"

	"logstream/internal/event"
)

// maxCommands is how many of the newest commands are remembered.
const maxCommands = 1000

// answerWithin is how old a command may be when it is read and still be executed.
const answerWithin = time.Minute

// Commands folds TopicCommands: what was asked for, and what became of it.
type Commands struct {
	byID  map[string]*event.Command
	hosts map[string][]string // that answered a command, by its id
	order []string
	hold  map[string]Hold // by host
	notes notes
	links map[string]*event.Command // that used a signed link, by the link's id
}

// Hold is an operator's request that nothing is repaired on a host.
type Hold struct {
	By     string // who asked for it, such as operator:ada
	Reason string
	Until  time.Time // zero: until it is released
}

// NewCommands is the fold of an empty log.
func NewCommands() *Commands {
	return &Commands{byID: map[string]*event.Command{}, hosts: map[string][]string{}, hold: map[string]Hold{}, notes: newNotes(), links: map[string]*event.Command{}}
}

// Apply folds one record, and says whether it changed anything. The first request of an
// id counts, and the first result of each host; Get gives the first of all.
func (f *Commands) Apply(c event.Command) bool {
	known := f.byID[c.ID]
	if known == nil {
		f.byID[c.ID] = &c
		f.order = append(f.order, c.ID)
		if len(f.order) > maxCommands {
			delete(f.byID, f.order[0])
			delete(f.hosts, f.order[0])
			f.order = slices.Delete(f.order, 0, 1)
		}
		f.executed(c, c)
		f.useLink(&c)
		if c.Command == event.CommandNote {
			f.notes.add(c.Args.Incident, Note{ID: c.ID, Time: c.Time, By: c.By, Text: c.Args.Text})
		}
		return true
	}
	if c.Result == nil || slices.Contains(f.hosts[c.ID], c.Host) {
		return false
	}
	f.executed(*known, c)
	if known.Result == nil {
		known.Result = c.Result
	}
	return true
}

// executed folds what a command changed on the host that answered it. What was asked
// for counts, and not what the answer repeats of it.
func (f *Commands) executed(c, answer event.Command) {
	if answer.Result == nil {
		return
	}
	f.hosts[c.ID] = append(f.hosts[c.ID], answer.Host)
	if !answer.Result.OK {
		return
	}
	switch c.Command {
	case event.CommandHold:
		h := Hold{By: c.By, Reason: c.Args.Reason}
		if d, err := time.ParseDuration(c.Args.For); err == nil && d > 0 {
			h.Until = c.Time.Add(d)
		}
		f.hold[answer.Host] = h
	case event.CommandRelease:
		delete(f.hold, answer.Host)
	}
}

// Get is the command with that id.
func (f *Commands) Get(id string) (event.Command, bool) {
	if c := f.byID[id]; c != nil {
		return *c, true
	}
	return event.Command{}, false
}

// Newest are the last commands that were asked for, the newest first.
func (f *Commands) Newest(most int) []event.Command {
	list := []event.Command{}
	for _, id := range slices.Backward(f.order[max(0, len(f.order)-most):]) {
		list = append(list, *f.byID[id])
	}
	return list
}

// Held is the hold of a host at now, and whether there is one.
func (f *Commands) Held(host string, now time.Time) (Hold, bool) {
	h, held := f.hold[host]
	return h, held && (h.Until.IsZero() || now.Before(h.Until))
}

// Answer is the approval or the denial of a request for approval that counts, or will:
// the first that was executed, or may still be.
func (f *Commands) Answer(incident string, request int, now time.Time) (event.Command, bool) {
	for _, id := range f.order {
		c := f.byID[id]
		answers := (c.Command == event.CommandApprove || c.Command == event.CommandDeny) && c.Args.Incident == incident && c.Args.Request == request
		if answers && (c.Result != nil && c.Result.OK || c.Result == nil && now.Sub(c.Time) < answerWithin) {
			return *c, true
		}
	}
	return event.Command{}, false
}

// Awaited says whether a command of that name may still be executed.
func (f *Commands) Awaited(command string, now time.Time) bool {
	for _, c := range f.byID {
		if c.Command == command && c.Result == nil && now.Sub(c.Time) < answerWithin {
			return true
		}
	}
	return false
}
