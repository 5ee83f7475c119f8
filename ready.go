package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// readyCommand asks the logstream that runs whether it is ready. It is the
// image's HEALTHCHECK: there is no other program in it.
func readyCommand() *cobra.Command {
	cmd := newCommand("ready", "Ask the running LogStream whether it is ready; exit code 0 if it is",
		"logstream ready\nlogstream ready --url http://127.0.0.1:5000")
	connect := clientOf(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		if err := c.ready(cmd.Context()); err != nil {
			return fmt.Errorf("not ready: %w", err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), "ready")
		return nil
	}
	return cmd
}
