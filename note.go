package main

import (
	"cmp"
	"net/http"

	"github.com/spf13/cobra"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

// noteCommand adds a text to an incident.
func noteCommand() *cobra.Command {
	cmd := newCommand("note <incident> <text>", "Add a note to an incident; the status page shows it, where the service's group is published",
		"logstream note 3x5yda28 \"A new disk arrives at noon.\"")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgsFunction = completeNames(runningIncidents(open, func(in view.Incident) string { return cmp.Or(in.Cause, in.Error, in.State) }))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args[1]) > event.MaxNote {
			return usageFailure(cmd, "the text is longer than %d bytes", event.MaxNote)
		}
		c, err := open()
		if err != nil {
			return err
		}
		all, err := c.incidents(cmd.Context())
		if err != nil {
			return finish(cmd, false, event.Command{}, err, "")
		}
		in, err := c.named(cmd, all, args[0])
		if err != nil {
			return err
		}
		var sent struct {
			Command string `json:"command"`
		}
		if err = c.call(cmd.Context(), http.MethodPost, []string{"incidents", in.ID, "note"}, nil, map[string]any{"text": args[1]}, &sent); err != nil {
			return finish(cmd, false, event.Command{}, err, "")
		}
		var done event.Command
		err = c.call(cmd.Context(), http.MethodGet, []string{"commands", sent.Command}, nil, nil, &done)
		return finish(cmd, *asJSON, done, err, "Note added to incident %s of %s.", in.ID, in.Service)
	}
	return cmd
}
