package chaos

import (
	"fmt"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	// maxAge is the contract's: a command that is first read later than this
	// after its time changes nothing. The same is allowed to a clock ahead.
	maxAge = 10 * time.Second
	// maxQueue is how many commands may wait for one service.
	maxQueue = 8
	// remembered is how long an id is known after it was read: longer than a
	// start looks back.
	remembered = 2 * lookBack
)

// desk decides what becomes of each command. It is pure: no clock, no I/O.
type desk struct {
	host  string
	known map[string]*entry // by id
	live  bool              // the replay is over
	wait  []*entry          // read in the replay, in their order
	lanes map[string][]*entry
}

// entry is a command that was read.
type entry struct {
	command  event.Command
	read     time.Time // first
	answered bool      // its result was read
}

// verdict is what is to be done about a command: refused says why nothing is.
type verdict struct {
	command   event.Command
	container string // to be harmed
	refused   string
}

// lookup finds a service by its name.
type lookup func(name string) (service.Definition, bool)

func newDesk(host string) *desk {
	return &desk{host: host, known: map[string]*entry{}, lanes: map[string][]*entry{}}
}

// take reads one record of the topic.
func (d *desk) take(command event.Command, now time.Time, services lookup) []verdict {
	if command.Command != event.CommandInject {
		return nil
	}
	d.forget(now)
	e, seen := d.known[command.ID]
	if !seen {
		e = &entry{command: command, read: now}
		d.known[command.ID] = e
	}
	if command.Result != nil {
		e.answered = true
	}
	switch {
	case seen || e.answered:
		return nil
	case !d.live:
		d.wait = append(d.wait, e)
		return nil
	}
	return d.decide(e, services)
}

// caughtUp decides what was read in the replay, now that every result that
// stood on the log was read as well.
func (d *desk) caughtUp(services lookup) []verdict {
	waiting := d.wait
	d.live, d.wait = true, nil
	var all []verdict
	for _, e := range waiting {
		all = append(all, d.decide(e, services)...)
	}
	return all
}

// finished says that the service's injection has ended, and gives the next.
func (d *desk) finished(name string, services lookup) []verdict {
	var all []verdict
	for queue := d.lanes[name][1:]; ; queue = queue[1:] {
		if len(queue) == 0 {
			delete(d.lanes, name)
			return all
		}
		d.lanes[name] = queue
		v, ours := judge(queue[0], d.host, services)
		if !ours || queue[0].answered {
			continue
		}
		if all = append(all, v); v.refused == "" {
			return all
		}
	}
}

// decide judges a command, and has it wait for those before it.
func (d *desk) decide(e *entry, services lookup) []verdict {
	v, ours := judge(e, d.host, services)
	name := e.command.Service
	switch {
	case !ours || e.answered:
		return nil
	case v.refused != "":
	case len(d.lanes[name]) > maxQueue:
		v.refused = fmt.Sprintf("%d faults wait for %q already", maxQueue, name)
	case len(d.lanes[name]) > 0:
		d.lanes[name] = append(d.lanes[name], e)
		return nil
	default:
		d.lanes[name] = []*entry{e}
	}
	return []verdict{v}
}

// judge says what becomes of a command by itself, and whether that is ours to
// say: a service that we don't know may be another host's.
func judge(e *entry, host string, services lookup) (v verdict, ours bool) {
	v.command = e.command
	def, is := services(e.command.Service)
	if !is && e.command.Host != "" && e.command.Host != host {
		return v, false
	}
	age := e.read.Sub(e.command.Time)
	switch {
	case !is:
		v.refused = fmt.Sprintf("there is no service %q", e.command.Service)
	case age > maxAge:
		v.refused = fmt.Sprintf("the command was %s old when it was read; after %s nothing is done", age.Round(time.Second), maxAge)
	case age < -maxAge:
		v.refused = fmt.Sprintf("the command is dated %s ahead of this machine's clock", (-age).Round(time.Second))
	case !def.Chaos:
		v.refused = fmt.Sprintf("config.yaml does not say chaos: true of %q", def.Name)
	case def.Container == "":
		v.refused = fmt.Sprintf("%q has no container", def.Name)
	}
	v.container = def.Container
	return v, true
}

// forget drops the ids that no reader of the log can meet again.
func (d *desk) forget(now time.Time) {
	for id, e := range d.known {
		if now.Sub(e.read) > remembered && !d.waits(e) {
			delete(d.known, id)
		}
	}
}

func (d *desk) waits(e *entry) bool {
	return slices.Contains(d.wait, e) || slices.Contains(d.lanes[e.command.Service], e)
}
