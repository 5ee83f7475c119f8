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
	// start reads back.
	remembered = 2 * lookBack
)

// injectionQueue decides what becomes of each command. It is pure: no clock, no I/O.
type injectionQueue struct {
	host      string
	known     map[string]*entry // by id
	live      bool              // the replay is over
	replayed  []*entry          // read in the replay, in their order
	byService map[string][]*entry
}

// entry is a command that was read.
type entry struct {
	command  event.Command
	read     time.Time // first
	answered bool      // its result was read
}

// decision is what is to be done about a command: refused says why nothing is.
type decision struct {
	command   event.Command
	container string // to be harmed
	refused   string
}

// lookup finds a service by its name.
type lookup func(name string) (service.Definition, bool)

func newInjectionQueue(host string) *injectionQueue {
	return &injectionQueue{host: host, known: map[string]*entry{}, byService: map[string][]*entry{}}
}

// take reads one record of the topic.
func (q *injectionQueue) take(command event.Command, now time.Time, services lookup) []decision {
	if command.Command != event.CommandInject {
		return nil
	}
	q.forget(now)
	e, seen := q.known[command.ID]
	if !seen {
		e = &entry{command: command, read: now}
		q.known[command.ID] = e
	}
	if command.Result != nil {
		e.answered = true
	}
	switch {
	case seen || e.answered:
		return nil
	case !q.live:
		q.replayed = append(q.replayed, e)
		return nil
	}
	return q.admit(e, services)
}

// caughtUp decides what was read in the replay, now that every result that
// stood on the topic was read as well.
func (q *injectionQueue) caughtUp(services lookup) []decision {
	waiting := q.replayed
	q.live, q.replayed = true, nil
	var all []decision
	for _, e := range waiting {
		all = append(all, q.admit(e, services)...)
	}
	return all
}

// finished says that the service's injection has ended, and gives the next.
func (q *injectionQueue) finished(name string, services lookup) []decision {
	var all []decision
	for queue := q.byService[name][1:]; ; queue = queue[1:] {
		if len(queue) == 0 {
			delete(q.byService, name)
			return all
		}
		q.byService[name] = queue
		d, ours := decide(queue[0], q.host, services)
		if !ours || queue[0].answered {
			continue
		}
		if all = append(all, d); d.refused == "" {
			return all
		}
	}
}

// admit decides a command, and has it wait for those before it.
func (q *injectionQueue) admit(e *entry, services lookup) []decision {
	d, ours := decide(e, q.host, services)
	name := e.command.Service
	switch {
	case !ours || e.answered:
		return nil
	case d.refused != "":
	case len(q.byService[name]) > maxQueue:
		d.refused = fmt.Sprintf("%d faults are already queued for %q", maxQueue, name)
	case len(q.byService[name]) > 0:
		q.byService[name] = append(q.byService[name], e)
		return nil
	default:
		q.byService[name] = []*entry{e}
	}
	return []decision{d}
}

// decide says what becomes of a command by itself, and whether that is ours to
// say: a service that we don't know may be another host's.
func decide(e *entry, host string, services lookup) (d decision, ours bool) {
	d.command = e.command
	def, is := services(e.command.Service)
	if !is && e.command.Host != "" && e.command.Host != host {
		return d, false
	}
	age := e.read.Sub(e.command.Time)
	switch {
	case !is:
		d.refused = fmt.Sprintf("unknown service %q", e.command.Service)
	case age > maxAge:
		d.refused = fmt.Sprintf("the command was %s old when it was read; commands older than %s are not executed", age.Round(time.Second), maxAge)
	case age < -maxAge:
		d.refused = fmt.Sprintf("the command is dated %s ahead of this machine's clock", (-age).Round(time.Second))
	case !def.Chaos:
		d.refused = fmt.Sprintf("service %q does not allow fault injection; set chaos: true in config.yaml", def.Name)
	case def.Container == "":
		d.refused = fmt.Sprintf("%q has no container", def.Name)
	}
	d.container = def.Container
	return d, true
}

// forget drops the ids that no reader of the topic can read again.
func (q *injectionQueue) forget(now time.Time) {
	for id, e := range q.known {
		if now.Sub(e.read) > remembered && !q.waiting(e) {
			delete(q.known, id)
		}
	}
}

func (q *injectionQueue) waiting(e *entry) bool {
	return slices.Contains(q.replayed, e) || slices.Contains(q.byService[e.command.Service], e)
}
