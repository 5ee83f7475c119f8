package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"logstream/internal/gameday"
)

// chaosCommand injects a fault through the API, or lists those that a service
// knows.
func chaosCommand() *cobra.Command {
	cmd := newCommand("chaos <service> [fault]", "Inject a real fault into a service that allows it, or undo one; without a fault, list them",
		"logstream chaos payment-service\nlogstream chaos payment-service pause\nlogstream chaos payment-service pause --undo")
	undo := cmd.Flags().Bool("undo", false, "undo the fault instead")
	asJSON := jsonFlag(cmd)
	open := clientOf(cmd)
	cmd.ValidArgsFunction = completeNames(runningServices(open))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && *undo {
			return usageFailure(cmd, "--undo needs the fault that is to be undone")
		}
		c, err := open()
		if err != nil {
			return err
		}
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		day := gameday.Day{API: gamedayAPI{c}}
		services, faults, err := day.Read(ctx)
		if err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
		known, err := faultsOf(cmd, services, faults, args[0])
		if err != nil {
			return err
		}
		if len(args) == 1 {
			return printFaults(cmd.OutOrStdout(), known, *asJSON)
		}
		if err := hasFault(cmd, known, args[1]); err != nil {
			return err
		}
		done, err := c.execute(ctx, http.MethodPost, []string{"services", args[0], "chaos"}, map[string]any{"fault": args[1], "undo": *undo})
		what := "injected into"
		if *undo {
			what = "undone in"
		}
		return finish(cmd, *asJSON, done, err, "%s %s %s", args[1], what, args[0])
	}
	return cmd
}

// faultsOf are those that the service knows and allows.
func faultsOf(cmd *cobra.Command, services []gameday.Service, faults []gameday.Fault, name string) ([]gameday.Fault, error) {
	var names []string
	for _, s := range services {
		names = append(names, s.Name)
	}
	at := slices.Index(names, name)
	if at < 0 {
		return nil, unknownName(cmd, "service", name, names)
	}
	if !services[at].Chaos {
		return nil, usageFailure(cmd, "fault injection is off for %q: add the line \"chaos: true\" to it in config.yaml", name)
	}
	known := slices.DeleteFunc(slices.Clone(faults), func(f gameday.Fault) bool { return !slices.Contains(f.Services, name) })
	if len(known) == 0 {
		return nil, usageFailure(cmd, "no fault can be injected into %q from here: it has no container, or another host's", name)
	}
	return known, nil
}

func hasFault(cmd *cobra.Command, known []gameday.Fault, fault string) error {
	var names []string
	for _, f := range known {
		names = append(names, f.Name)
	}
	if slices.Contains(names, fault) {
		return nil
	}
	return unknownName(cmd, "fault", fault, names)
}

func printFaults(out io.Writer, known []gameday.Fault, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(known)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FAULT\tUNDONE BY\tREVERSIBLE\tWHAT IT DOES")
	for _, f := range known {
		reversible := "yes"
		if !f.Reversible {
			reversible = "no"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Name, f.UndoneBy, reversible, f.Does)
	}
	return table.Flush()
}
