package main

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// silenceCommand silences one service.
func silenceCommand() *cobra.Command {
	cmd := newCommand("silence <service>", "Stop repairing a service for a time; its checks go on",
		"logstream silence payment-service --for 10m --reason \"a migration\"")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgsFunction = completeNames(runningServices(open))
	length := lengthFlag(cmd, "for", time.Hour, "how long, a `duration` such as 10m; at most 720h")
	reason := cmd.Flags().String("reason", "", "why, kept with the silence")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		done, err := c.execute(cmd.Context(), http.MethodPost, []string{"services", args[0], "silence"}, map[string]any{"for": length.String(), "reason": *reason})
		return finish(cmd, *asJSON, done, err, "%s is silenced until %s.", args[0], done.Time.Add(*length).Local().Format("2006-01-02 15:04:05"))
	}
	return cmd
}

// unsilenceCommand ends a silence.
func unsilenceCommand() *cobra.Command {
	cmd := newCommand("unsilence <service>", "End a silence: repairs of the service go on", "logstream unsilence payment-service")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgsFunction = completeNames(runningServices(open))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		done, err := c.execute(cmd.Context(), http.MethodDelete, []string{"services", args[0], "silence"}, nil)
		return finish(cmd, *asJSON, done, err, "%s is no longer silenced: repairs go on.", args[0])
	}
	return cmd
}
