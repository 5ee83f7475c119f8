package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
)

// What operators do through the API: heal, hold, release, and the answers about
// one incident.

// healCommand starts an incident by hand.
func healCommand() *cobra.Command {
	cmd := newCommand("heal <service>", "Repair a service now; --action names the repair, else LogStream chooses it",
		"logstream heal payment-service\nlogstream heal payment-service --action restart")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgsFunction = completeNames(runningServices(open))
	action := cmd.Flags().String("action", "", "the `action`, such as restart")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		if *action != "" && !slices.Contains(service.Actions, *action) {
			return unknownName(cmd, "action", *action, service.Actions)
		}
		body := map[string]any{}
		if *action != "" {
			body["action"] = *action
		}
		done, err := c.execute(cmd.Context(), http.MethodPost, []string{"services", args[0], "heal"}, body)
		return finish(cmd, *asJSON, done, err, "Incident opened for %s; follow it at %s", args[0], c.base.JoinPath("services", url.PathEscape(args[0])))
	}
	return cmd
}

// holdCommand stops all repairs on the host.
func holdCommand() *cobra.Command {
	cmd := newCommand("hold", "Stop all repairs on this host until release, or for a time", "logstream hold --for 30m --reason \"database migration\"")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	length := lengthFlag(cmd, "for", 0, "how long, a `duration` such as 30m (default: until release)")
	reason := cmd.Flags().String("reason", "", "why, kept with the hold")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		body, until := map[string]any{"reason": *reason}, "until logstream release"
		if cmd.Flags().Changed("for") {
			body["for"], until = length.String(), "for "+length.String()
		}
		done, err := c.execute(cmd.Context(), http.MethodPost, []string{"hold"}, body)
		return finish(cmd, *asJSON, done, err, "Repairs on this host are on hold %s.", until)
	}
	return cmd
}

// releaseCommand ends a hold.
func releaseCommand() *cobra.Command {
	cmd := newCommand("release", "End a hold: repairs on this host go on", "logstream release")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		done, err := c.execute(cmd.Context(), http.MethodDelete, []string{"hold"}, nil)
		return finish(cmd, *asJSON, done, err, "The hold has ended: repairs on this host go on.")
	}
	return cmd
}

// operation is a command about one incident.
type operation struct {
	name, short string
	// offers says what the operation would do about an incident, empty where
	// there is nothing for it to do.
	offers func(view.Incident) string
	none   string // what is said where it has nothing to do anywhere
	done   string
}

var operations = []operation{
	{event.CommandApprove, "Approve the repair that waits in an incident", waitingRepair, "No repair waits for approval.", "Approved"},
	{event.CommandDeny, "Deny the repair that waits in an incident: LogStream does not run it", waitingRepair, "No repair waits for approval.", "Denied"},
	{event.CommandUndo, "Undo a repair, where it can be undone and the container has not changed since", func(in view.Incident) string {
		if in.Undo == nil {
			return ""
		}
		return commandLine(in.Undo.Command, "undo "+in.Undo.Action, in.Service)
	}, "No repair can be undone.", "Undo begun"},
	{event.CommandAcknowledge, "Acknowledge an incident: a person knows of it, and repairs held as \"this is not healed\" are allowed again", func(in view.Incident) string {
		if in.State == "resolved" || in.Acknowledged != nil {
			return ""
		}
		return cmp.Or(in.Cause, in.Error, in.Service+" is DOWN")
	}, "No incident waits for an acknowledgement.", "Acknowledged"},
}

func waitingRepair(in view.Incident) string {
	if in.Approval == nil {
		return ""
	}
	return commandLine(in.Approval.Command, in.Approval.Action, in.Service)
}

// operationCommands are those about one incident.
func operationCommands() []*cobra.Command {
	var all []*cobra.Command
	for _, o := range operations {
		all = append(all, o.command())
	}
	return all
}

func (o operation) command() *cobra.Command {
	cmd := newCommand(o.name+" <incident>", o.short, "logstream "+o.name+" 3x5yda28\nlogstream "+o.name+" 3x5yda28 --reason \"under investigation\"")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		missing := checkArguments(cmd, args)
		if len(args) > 0 || missing == nil {
			return missing
		}
		if c, err := open(); err == nil {
			if all, err := c.incidents(cmd.Context()); err == nil { // else what is missing has to do
				o.list(cmd.OutOrStdout(), all)
			}
		}
		return missing
	}
	cmd.ValidArgsFunction = completeNames(runningIncidents(open, o.offers))
	reason := cmd.Flags().String("reason", "", "why, kept with the incident")
	attempt := new(int)
	if o.name == event.CommandUndo {
		attempt = cmd.Flags().Int("attempt", 0, "the `number` of the attempt (default: the newest that can be undone)")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *attempt < 0 {
			return usageFailure(cmd, "--attempt must be the number of an attempt, such as 1, not %d", *attempt)
		}
		c, err := open()
		if err != nil {
			return err
		}
		all, err := c.incidents(cmd.Context())
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		in, err := c.named(cmd, all, args[0])
		if err != nil {
			return err
		}
		body := map[string]any{"reason": *reason}
		if o.name == event.CommandUndo && *attempt != 0 {
			body["attempt"] = *attempt
		}
		if in.Approval != nil && (o.name == event.CommandApprove || o.name == event.CommandDeny) {
			body["request"] = in.Approval.Request // the one that is printed
		}
		done, err := c.execute(cmd.Context(), http.MethodPost, []string{"incidents", in.ID, o.name}, body)
		return finish(cmd, *asJSON, done, err, "%s: %s (incident %s of %s)", o.done, o.offers(in), in.ID, in.Service)
	}
	return cmd
}

// list prints the incidents for which there is something to do, each with the
// command to type for it.
func (o operation) list(out io.Writer, all []view.Incident) {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	n := 0
	for _, in := range all {
		what := o.offers(in)
		if what == "" {
			continue
		}
		if in.Approval != nil {
			what += fmt.Sprintf(" (expires in %s)", time.Until(in.Approval.Expires).Round(time.Second))
		}
		fmt.Fprintf(table, "logstream %s %s\t%s\t%s\n", o.name, in.ID, printable(in.Service), printable(what))
		n++
	}
	if n == 0 {
		fmt.Fprintln(out, o.none)
		return
	}
	_ = table.Flush() // a closed output needs no error
}

// mostIncidents is how many the API gives at once.
const mostIncidents = "500"

func (c client) incidents(ctx context.Context) (all []view.Incident, err error) {
	return all, c.call(ctx, http.MethodGet, []string{"incidents"}, url.Values{"limit": {mostIncidents}}, nil, &all)
}

// named is the incident of that id, or of the only id that begins so.
func (c client) named(cmd *cobra.Command, all []view.Incident, id string) (view.Incident, error) {
	var found []view.Incident
	for _, in := range all {
		if in.ID == id {
			return in, nil
		}
		if strings.HasPrefix(in.ID, id) {
			found = append(found, in)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var in view.Incident
		err := c.call(cmd.Context(), http.MethodGet, []string{"incidents", id}, nil, nil, &in)
		if errors.As(err, new(apiError)) {
			err = fmt.Errorf("%s: %w", cmd.Name(), err)
		}
		return in, err
	}
	var ids []string
	for _, in := range found {
		ids = append(ids, fmt.Sprintf("%s (%s)", in.ID, in.Service))
	}
	return view.Incident{}, usageFailure(cmd, "%q begins the ids of %s: give more of it", id, printable(strings.Join(ids, ", ")))
}
