package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"logstream/internal/config"
)

// checkCommand says every mistake in the configuration.
func checkCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "check", Short: "Validate the configuration: every error with its place", Args: arguments()}
	asJSON := cmd.Flags().Bool("json", false, "for programs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := configPath(cmd)
		c, errs := config.Load(path)
		switch {
		case *asJSON:
			if errs == nil {
				errs = []config.Error{}
			}
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(map[string][]config.Error{"errors": errs}) // whoever closed its end has no use for an error
		case len(errs) == 0:
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: %s\n", path, plural(len(c.Services), "service"))
		default:
			printErrors(cmd, errs)
		}
		if len(errs) > 0 {
			return startupFailure{errPrinted}
		}
		return nil
	}
	return cmd
}

// printErrors prints one line for each.
func printErrors(cmd *cobra.Command, errs []config.Error) {
	for _, err := range errs {
		fmt.Fprintln(cmd.ErrOrStderr(), err.Error())
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
