package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"logstream/dashboard"
)

// testWithin is how long the API may take: each receiver has 15 s.
const testWithin = 25 * time.Second

// notifyCommand sends test messages.
func notifyCommand() *cobra.Command {
	cmd := newCommand("notify test [receiver]", "Send a test message to one receiver of notifications, or to all",
		"logstream notify test\nlogstream notify test phone")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgs = []cobra.Completion{"test"}
	cmd.ValidArgsFunction = nil
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] != "test" {
			return unknownName(cmd, "argument", args[0], []string{"test"})
		}
		c, err := open()
		if err != nil {
			return err
		}
		c.within = testWithin
		body := map[string]any{}
		if len(args) > 1 {
			body["receiver"] = args[1]
		}
		var all []dashboard.Notified
		err = c.call(cmd.Context(), http.MethodPost, []string{"notify", "test"}, nil, body, &all)
		if no := new(apiError); errors.As(err, no) && no.status == http.StatusNotFound {
			return usageFailure(cmd, "%s", no.why)
		}
		if err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		return printNotified(cmd, *asJSON, all)
	}
	return cmd
}

// printNotified says how each test message went; one that failed fails the command.
func printNotified(cmd *cobra.Command, asJSON bool, all []dashboard.Notified) error {
	failed := 0
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	for _, n := range all {
		how := "sent"
		if !n.OK {
			failed++
			how = "failed: " + printable(n.Error)
		}
		if !asJSON {
			fmt.Fprintf(table, "%s\t%s\n", printable(n.Name), how)
		}
	}
	if asJSON {
		_ = json.NewEncoder(cmd.OutOrStdout()).Encode(all) // a closed output needs no error
	}
	_ = table.Flush()
	if failed > 0 {
		return fmt.Errorf("notify: %d of %s failed", failed, plural(len(all), "test message"))
	}
	return nil
}
