package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/supervise"
	clean "logstream/internal/text"
)

// console is where what happens is printed: as people read it on a terminal, and
// as log lines where those go somewhere else.
type console struct {
	terminal io.Writer // nil: none
	color    bool
	logged   bool
}

// consoleOf prints for people on out where it is a terminal. The log, on errOut,
// gets the same, unless it is on a terminal as well.
func consoleOf(out, errOut io.Writer) console {
	if !isTerminal(out) {
		return console{logged: true}
	}
	return console{terminal: out, color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", logged: !isTerminal(errOut)}
}

func isTerminal(w io.Writer) bool {
	f, is := w.(*os.File)
	return is && term.IsTerminal(int(f.Fd()))
}

// level is that of the log: where the terminal shows what happens, only what is
// not part of that.
func (c console) level() slog.Level {
	if c.logged {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// subscriber is what the console printer needs of the bus.
type subscriber interface {
	Subscribe(ctx context.Context, s event.Subscription) error
}

// consolePrinter is an actor that prints on a console.
type consolePrinter struct {
	console
	log    *slog.Logger
	events subscriber
	host   string
}

// clocksApart is how far the log's clock may be from ours.
const clocksApart = 5 * time.Minute

// Run prints what happens from now on, until ctx ends. What is not signed is
// passed over: other readers report it in the dead letters.
func (p *consolePrinter) Run(ctx context.Context) error {
	var mu sync.Mutex // of s and the console
	began := time.Now()
	s := newSentences(p.host, began)
	printing := func(read func(value []byte) (entry, error)) func(event.Record) error {
		return func(r event.Record) error {
			if !r.Signed {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			said, err := read(r.Value)
			p.print(ctx, said)
			return err
		}
	}
	services := event.Subscription{Topic: event.TopicServices, Since: began.Add(-clocksApart), Linger: event.Linger, Handle: printing(func(value []byte) (entry, error) {
		r, err := event.DecodeService(value)
		if err != nil {
			return entry{}, err
		}
		return s.service(r), nil
	})}
	incidents := event.Subscription{Topic: event.TopicIncidents, Linger: event.Linger, Handle: printing(func(value []byte) (entry, error) {
		e, err := event.DecodeIncident(value)
		if err != nil {
			return entry{}, err
		}
		return s.incident(e), nil
	})}
	group, ctx := errgroup.WithContext(ctx)
	supervise.Go(ctx, group, "console: services", func(ctx context.Context) error { return p.events.Subscribe(ctx, services) })
	supervise.Go(ctx, group, "console: incidents", func(ctx context.Context) error { return p.events.Subscribe(ctx, incidents) })
	return group.Wait()
}

func (p *consolePrinter) print(ctx context.Context, e entry) {
	if e.text == "" {
		return
	}
	if p.terminal != nil && !e.logOnly {
		_, _ = io.WriteString(p.terminal, e.render(p.color)) // a terminal that is gone stops nothing
	}
	if p.logged {
		p.log.LogAttrs(ctx, e.level, printable(e.text), e.attrs...)
	}
}

// render is an entry as the terminal gets it.
func (e entry) render(color bool) string {
	text := printable(e.text)
	if color && e.tint != plain {
		text = "\x1b[" + string(e.tint) + "m" + text + "\x1b[0m"
	}
	return e.at.Local().Format(time.TimeOnly) + " " + e.icon + " " + text + "\n"
}

const maxLine = 200 // characters

// printable is line for one line of a console. Names, errors and causes come from
// outside: secrets are masked, what could steer a terminal is taken out, and the
// length is bounded.
func printable(line string) string {
	runes := []rune(redact.Text(clean.Line(line)))
	if len(runes) > maxLine {
		runes = append(runes[:maxLine], '…')
	}
	return string(runes)
}
