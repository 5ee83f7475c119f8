package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"logstream/internal/config"
)

// runCommand is the daemon.
func runCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "run", Short: "Watch, repair and show; --demo needs nothing installed", Args: arguments()}
	demo := cmd.Flags().Bool("demo", false, "two small services of its own, nothing to install")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *demo {
			return runDemo(cmd)
		}
		path := configPath(cmd)
		c, report := config.Load(path)
		if len(report.Errors) > 0 {
			printFindings(cmd, report.Errors)
			return startupFailure{errPrinted}
		}
		return serve(cmd, setup{config: c, path: path})
	}
	return cmd
}

// serve opens the parts, and keeps them running until a signal ends them.
func serve(cmd *cobra.Command, s setup) error {
	ctx, restore := untilSignal(cmd.Context())
	defer restore()
	s.story, s.color = storyFor(cmd.OutOrStdout())
	log := logger(cmd.ErrOrStderr(), s.story)
	a, err := open(ctx, s, log)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it had begun
		}
		return startupFailure{err}
	}
	a.greet(cmd.OutOrStdout())
	return a.run(ctx)
}

// untilSignal ends with the first signal that asks the process to end. The next
// one ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	return ctx, restore
}

// storyFor says whether what happens is told as people read it, and whether in
// colour: on a terminal.
func storyFor(w io.Writer) (story, color bool) {
	f, is := w.(*os.File)
	if !is || !term.IsTerminal(int(f.Fd())) {
		return false, false
	}
	return true, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// logger writes lines of keys and values. Where the story is told on the same
// terminal, it writes what the story does not: warnings and errors.
func logger(w io.Writer, story bool) *slog.Logger {
	level := slog.LevelInfo
	if errIsTerminal, _ := storyFor(w); story && errIsTerminal {
		level = slog.LevelWarn
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
