package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"logstream/internal/config"
)

// checkCommand reports every error and warning in the configuration.
func checkCommand() *cobra.Command {
	cmd := newCommand("check", "Validate the configuration: report every error and warning with file, line and column",
		"logstream check\nlogstream check --config new.yaml --json")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := configPath(cmd)
		c, report := config.Load(path)
		if *asJSON {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(report) // a closed output needs no error
		} else {
			printFindings(cmd, report.Errors)
			printFindings(cmd, report.Warnings)
		}
		if len(report.Errors) > 0 {
			return startupFailure{errPrinted}
		}
		if !*asJSON {
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: %s\n", path, plural(len(c.Services), "service"))
		}
		return nil
	}
	return cmd
}

// printFindings prints one line for each.
func printFindings(cmd *cobra.Command, findings []config.Finding) {
	for _, f := range findings {
		fmt.Fprintln(cmd.ErrOrStderr(), f)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
