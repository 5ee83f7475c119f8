package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/service"
	"logstream/internal/state"
	"logstream/internal/supervise"
)

// tint is a colour of a terminal; empty is none.
type tint string

const (
	plain  tint = ""
	red    tint = "31"
	green  tint = "32"
	yellow tint = "33"
	cyan   tint = "36"
	faint  tint = "2"
)

// line is one line of the story; the zero value is nothing to tell.
type line struct {
	icon, text string
	tint       tint
}

// story turns records into what a person wants to read on a terminal, each
// thing once. It folds incidents as everybody does, so that what doesn't count
// isn't told. It is no goroutine's own: one caller at a time.
type story struct {
	host      string
	began     time.Time // what was written before is past, and not told
	status    map[string]event.Status
	incidents *state.Incidents
}

func newStory(host string, began time.Time) *story {
	return &story{host: host, began: began, status: map[string]event.Status{}, incidents: state.NewIncidents()}
}

const kept = 100 // incidents that the story remembers

// service is what a record of TopicServices tells.
func (s *story) service(r event.Service) line {
	switch {
	case r.Host != s.host || r.Time.Before(s.began):
		return line{}
	case r.Definition == nil:
		if _, known := s.status[r.Service]; !known {
			return line{}
		}
		delete(s.status, r.Service)
		return line{"⚪", r.Service + " is watched no more", faint}
	}
	return s.is(r.Service, r.Status, r.Error)
}

// is tells a status that is not the last one told.
func (s *story) is(name string, status event.Status, why string) line {
	before := s.status[name]
	if status == before || status == event.Pending {
		return line{}
	}
	s.status[name] = status
	switch status {
	case event.Up:
		return line{"🟢", name + " is UP", green}
	case event.Degraded:
		return line{"🟡", because(name+" is DEGRADED", why), yellow}
	case event.Down:
		return line{"🔴", because(name+" is DOWN", why), red}
	}
	return line{"⚪", fmt.Sprintf("%s is %s", name, status), faint}
}

// incident is what an event of TopicIncidents tells.
func (s *story) incident(e event.Incident) line {
	in, counts := s.incidents.Apply(e)
	s.incidents.Forget(kept)
	if !counts || in == nil || e.Host != s.host || e.Time.Before(s.began) {
		return line{}
	}
	switch data := e.Data.(type) {
	case event.Opened:
		if data.Kind == "fleet" {
			return line{"🔴", because("many services at once", data.Error), red}
		}
		if data.Action != "" {
			return line{"🙋", fmt.Sprintf("%s: %s asks for %s", e.Service, e.By, data.Action), cyan}
		}
		return s.is(e.Service, event.Down, data.Error) // in front of what follows from it
	case event.Diagnosed:
		return line{"🤖", fmt.Sprintf("%s: %s%s", e.Service, data.Cause, decidedBy(e.By, data)), cyan}
	case event.ActionStarted:
		return line{"⚡", data.Command, plain}
	case event.ActionFinished:
		if data.OK {
			return line{}
		}
		return line{"❌", because(data.Command, data.Error), red}
	case event.Verified:
		if data.OK {
			return line{}
		}
		return line{"❌", because(e.Service+" is not repaired by that", data.Error), red}
	case event.Suppressed:
		text := fmt.Sprintf("%s waits (%s)", e.Service, data.Gate)
		if data.Until != nil && data.Until.Sub(e.Time) >= 2*time.Second {
			text += fmt.Sprintf(" for %s", data.Until.Sub(e.Time).Round(time.Second))
		}
		return line{"✋", because(text, data.Reason), yellow}
	case event.Escalated:
		return line{"🆘", because(e.Service+" needs a person", data.Reason), red}
	case event.Resolved:
		return resolved(e.Service, data)
	}
	return line{}
}

// decidedBy says whose view stood where a model was asked, and else nothing.
func decidedBy(by string, d event.Diagnosed) string {
	model, is := strings.CutPrefix(by, event.ByModel)
	switch {
	case is:
		return fmt.Sprintf(" (%s: %s)", model, d.Action)
	case d.Invalid != "":
		return fmt.Sprintf(" (the runbook: %s; the model: %s)", d.Action, d.Invalid)
	case d.Model != nil:
		return fmt.Sprintf(" (the runbook: %s; the model would %s)", d.Action, would(d.Model.Action))
	}
	return ""
}

// would is what a model would do, of which the runbook knows better.
func would(action string) string {
	switch action {
	case service.ActionNone:
		return "wait"
	case service.ActionEscalate:
		return "call a person"
	}
	return action
}

func resolved(name string, data event.Resolved) line {
	switch data.How {
	case event.HowHealed:
		return line{"✅", fmt.Sprintf("%s healed in %s (proved after %s)", name, seconds(data.DownMS), seconds(data.TTRMS)), green}
	case event.HowRecovered:
		return line{"✅", fmt.Sprintf("%s recovered by itself after %s", name, seconds(data.DownMS)), green}
	}
	return line{"✅", name + ": the incident is closed by an operator", green}
}

func seconds(ms float64) string { return fmt.Sprintf("%.1f s", ms/1000) }

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

const maxLine = 200 // characters

// render is a line as the terminal gets it. Names, errors and causes come from
// outside: what could steer the terminal is taken out, and the length bounded.
func (l line) render(color bool) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, redact.Text(l.text)))
	if len(runes) > maxLine {
		runes = append(runes[:maxLine], '…')
	}
	text := string(runes)
	if color && l.tint != plain {
		text = "\x1b[" + string(l.tint) + "m" + text + "\x1b[0m"
	}
	return l.icon + " " + text + "\n"
}

// subscriber is what the story needs of the bus.
type subscriber interface {
	Subscribe(ctx context.Context, s event.Subscription) error
}

// teller is an actor that prints the story.
type teller struct {
	out   io.Writer
	color bool
	log   subscriber
	host  string
}

func newTeller(out io.Writer, color bool, log subscriber, host string) *teller {
	return &teller{out: out, color: color, log: log, host: host}
}

// clocksApart is how far the log's clock may be from ours.
const clocksApart = 5 * time.Minute

// Run tells what happens from now on, until ctx ends. What is not signed is
// passed over: whoever reads for more than a person says so in the dead letters.
func (t *teller) Run(ctx context.Context) error {
	var mu sync.Mutex // of s and out
	began := time.Now()
	s := newStory(t.host, began)
	tell := func(read func(value []byte) (line, error)) func(event.Record) error {
		return func(r event.Record) error {
			if !r.Signed {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			told, err := read(r.Value)
			if told != (line{}) {
				_, _ = io.WriteString(t.out, told.render(t.color)) // a terminal that is gone stops nobody
			}
			return err
		}
	}
	services := event.Subscription{Topic: event.TopicServices, Since: began.Add(-clocksApart), Handle: tell(func(value []byte) (line, error) {
		r, err := event.DecodeService(value)
		if err != nil {
			return line{}, err
		}
		return s.service(r), nil
	})}
	incidents := event.Subscription{Topic: event.TopicIncidents, Handle: tell(func(value []byte) (line, error) {
		e, err := event.DecodeIncident(value)
		if err != nil {
			return line{}, err
		}
		return s.incident(e), nil
	})}
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "story of services", func(ctx context.Context) error { return t.log.Subscribe(ctx, services) })
	supervise.Go(ctx, group, "story of incidents", func(ctx context.Context) error { return t.log.Subscribe(ctx, incidents) })
	return group.Wait()
}
