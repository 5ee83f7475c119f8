package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"logstream/internal/retry"
)

// runCommand is the daemon.
func runCommand() *cobra.Command {
	cmd := newCommand("run", "Monitor and repair the services, and serve the dashboard; --demo needs nothing installed",
		"logstream run --demo\nlogstream run --config config.yaml\nLOGSTREAM_KAFKA=127.0.0.1:9092 logstream run\nlogstream run --events - | jq -c .")
	demo := cmd.Flags().Bool("demo", false, "monitor three small services that LogStream runs itself")
	events := cmd.Flags().String("events", "", "write each event of an incident as a line of JSON to a `destination`: - is standard output, and the console goes to standard error then")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if given := cmd.Flags().Changed("events"); given && *events != "-" {
			return usageFailure(cmd, "--events takes - alone, which is standard output, not %s", quoted(*events))
		}
		if *demo && cmd.Flag("config").Changed {
			return usageFailure(cmd, "--demo has a configuration of its own and reads no file; leave out --demo or --config")
		}
		if *demo {
			return runDemo(cmd)
		}
		c, warnings, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		printFindings(cmd, warnings)
		return serve(cmd, setup{config: c, path: configPath(cmd)})
	}
	return cmd
}

// A configuration that ran, and cannot be opened again, is tried again after
// this, doubling up to the most.
const (
	firstReopen = 500 * time.Millisecond
	maxReopen   = 10 * time.Second
)

// serve opens the parts, and keeps them running until a signal ends them.
func serve(cmd *cobra.Command, s setup) error {
	ctx, restore := untilSignal(cmd.Context())
	defer restore()
	out := cmd.OutOrStdout()
	if cmd.Flags().Changed("events") {
		out = cmd.ErrOrStderr() // standard output is for programs
	}
	s.console = consoleOf(out, cmd.ErrOrStderr())
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: s.console.level()}))
	if cmd.Flags().Changed("events") {
		s.events = newEventLines(ctx, cmd.OutOrStdout(), log)
		defer s.events.close()
	}
	var before *setup // the one that ran until it was edited
	tries := retry.NewBackoff(firstReopen, maxReopen)
	for {
		a, err := open(ctx, s, log)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil // stopped before it had begun
		case before != nil:
			log.Error("edited configuration cannot be used; the previous configuration stays in use", "error", err)
			before.refused = &refused{s.config, filepath.Base(s.path) + ": " + err.Error()}
			s, before = *before, nil
			continue
		case s.refused != nil: // it ran until the edit
			log.Error("the previous configuration cannot be used either; retrying", "error", err)
			if !tries.Wait(ctx) {
				return nil
			}
			continue
		default:
			return startupFailure{err}
		}
		tries.Reset()
		a.greet(out)
		next, err := a.run(ctx)
		if next == nil || err != nil {
			return err
		}
		was := s
		was.config = a.config // with what was edited since
		before, s.config, s.refused = &was, *next, nil
	}
}

// untilSignal ends with the first signal to end the process. The next
// one ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	return ctx, restore
}
