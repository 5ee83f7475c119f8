package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

// incidentsCommand prints the incidents, or one whole.
func incidentsCommand() *cobra.Command {
	cmd := newCommand("incidents [id]", "Print the incidents, the newest first, or one of them with each of its steps",
		"logstream incidents\nlogstream incidents 3x5yda28")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgsFunction = completeNames(runningIncidents(open, aboutIncident))
	limit := cmd.Flags().Int("limit", 50, "the `number` of incidents that are printed, up to "+mostIncidents)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if most, _ := strconv.Atoi(mostIncidents); *limit < 1 || *limit > most {
			return usageFailure(cmd, "--limit must be a number from 1 to %s, not %d", mostIncidents, *limit)
		}
		c, err := open()
		if err != nil {
			return err
		}
		all, err := c.incidents(cmd.Context())
		if err != nil {
			return fmt.Errorf("incidents: %w", err)
		}
		if len(args) == 1 {
			return c.printIncident(cmd, all, args[0], *asJSON)
		}
		all = all[:min(*limit, len(all))]
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
		}
		listIncidents(cmd.OutOrStdout(), all, time.Now())
		return nil
	}
	return cmd
}

func (c client) printIncident(cmd *cobra.Command, all []view.Incident, id string, asJSON bool) error {
	in, err := c.named(cmd, all, id)
	if err != nil {
		return err
	}
	var whole view.IncidentDetail
	if err := c.call(cmd.Context(), http.MethodGet, []string{"incidents", in.ID}, nil, nil, &whole); err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(whole)
	}
	tellIncident(cmd.OutOrStdout(), whole)
	return nil
}

// listIncidents prints one line for each incident.
func listIncidents(out io.Writer, all []view.Incident, now time.Time) {
	if len(all) == 0 {
		fmt.Fprintln(out, "No incidents recorded.")
		return
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, in := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", in.ID, shortTime(in.Opened, now), printable(in.Service), outcomeOf(in), printable(aboutIncident(in)))
	}
	_ = table.Flush() // a closed output needs no error
}

// shortTime is a local time without what is obvious.
func shortTime(at, now time.Time) string {
	if now.Sub(at) < 24*time.Hour {
		return at.Local().Format(time.TimeOnly)
	}
	return at.Local().Format(time.DateTime)
}

// outcomeOf is where an incident stands, in a word or two.
func outcomeOf(in view.Incident) string {
	switch {
	case in.State == "escalated":
		return "a person is needed"
	case in.State == "resolved" && in.How == event.HowHealed:
		return "repaired"
	case in.State == "resolved" && in.How == event.HowRecovered:
		return "recovered"
	case in.State == "resolved":
		return "closed"
	case in.Approval != nil:
		return "approval needed"
	case in.Held == state.HeldToObserve:
		return "not repaired (mode observe)"
	case in.Held != "":
		return "on hold"
	}
	return "open"
}

func aboutIncident(in view.Incident) string {
	switch {
	case in.State == "resolved" && in.CausePast != "":
		return in.CausePast
	case in.Cause != "":
		return in.Cause
	}
	return in.Error
}

// tellIncident prints one incident: what it is, and each event in the words of
// the console.
func tellIncident(out io.Writer, in view.IncidentDetail) {
	fmt.Fprintf(out, "%s  %s: %s\n", in.ID, printable(in.Service), outcomeOf(in.Incident))
	if about := aboutIncident(in.Incident); about != "" {
		fmt.Fprintln(out, printable(about))
	}
	fmt.Fprintln(out)
	s := newSentences(in.Host, time.Time{})
	for _, e := range in.Events {
		said := s.of(e)
		if said.text == "" {
			said.text = fmt.Sprintf("%s: %s", e.Service, e.Type)
		}
		fmt.Fprintf(out, "%s  %s\n", e.Time.Local().Format("2006-01-02 15:04:05.000"), printable(said.text))
		if data, is := e.Data.(event.ActionFinished); is && data.Output != "" {
			tellOutput(out, data.Output)
		}
	}
	if in.Approval != nil {
		fmt.Fprintf(out, "\nApprove it with logstream approve %[1]s, or deny it with logstream deny %[1]s.\n", in.ID)
	}
	if in.State == "escalated" && in.Service != event.ReservedService {
		fmt.Fprintf(out, "\nLet LogStream try again with logstream heal %s.\n", printable(in.Service))
	}
	if in.Undo != nil {
		fmt.Fprintf(out, "\nUndo attempt %d with logstream undo %s.\n", in.Undo.Attempt, in.ID)
	}
}

// tellOutput prints what an operator's command printed, indented.
func tellOutput(out io.Writer, output string) {
	for line := range strings.Lines(output) {
		fmt.Fprintf(out, "    | %s\n", printable(strings.TrimRight(line, "\r\n")))
	}
}
