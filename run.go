package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"logstream/internal/config"
)

// runCommand is the daemon.
func runCommand(t terminal, args []string) int {
	set, path := flags(t, "run")
	demo := set.Bool("demo", false, "two small services of its own, nothing to install")
	if code, ok := parse(set, t, args); !ok {
		return code
	}
	if *demo {
		return runDemo(t)
	}
	c, errs := config.Load(*path)
	if len(errs) > 0 {
		mistakes(t, errs)
		return exitNever
	}
	return serve(t, setup{config: c, path: *path})
}

// serve opens the parts, keeps them running until a signal ends them, and
// returns the exit code.
func serve(t terminal, s setup) int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, restore)

	s.story, s.color = storyFor(t.out)
	log := logger(t, s.story)
	a, err := open(ctx, s, log)
	if err != nil {
		if ctx.Err() != nil {
			return exitDone // stopped before it had begun
		}
		fmt.Fprintln(t.err, "logstream: "+err.Error())
		return exitNever
	}
	a.greet(t.out)
	if err := a.run(ctx); err != nil {
		fmt.Fprintln(t.err, "logstream: "+err.Error())
		return exitFailed
	}
	return exitDone
}

// storyFor says whether what happens is told as people read it, and whether in
// colour: on a terminal.
func storyFor(w any) (story, color bool) {
	f, is := w.(*os.File)
	if !is || !term.IsTerminal(int(f.Fd())) {
		return false, false
	}
	return true, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// logger writes lines of keys and values. Where the story is told on the same
// terminal, it writes what the story does not: warnings and errors.
func logger(t terminal, story bool) *slog.Logger {
	level := slog.LevelInfo
	if errIsTerminal, _ := storyFor(t.err); story && errIsTerminal {
		level = slog.LevelWarn
	}
	return slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level}))
}
