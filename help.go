package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
)

// helpCommand prints the help of a command, in place of cobra's own, which takes
// any words and exits with 0.
func helpCommand(groups []*cobra.Group) *cobra.Command {
	cmd := newCommand("help [command]", "Print the help of a command", "logstream help silence")
	cmd.ValidArgsFunction = completeNames(func(_ context.Context, cmd *cobra.Command) []string { return commandNames(cmd.Root()) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		of := cmd.Root()
		if len(args) == 1 {
			names := commandNames(of)
			at := slices.Index(names, args[0])
			if at < 0 {
				return unknownName(cmd, "command", args[0], names)
			}
			of, _, _ = of.Find(args) // it is one of them
		}
		of.InitDefaultHelpFlag()
		of.InitDefaultVersionFlag()
		return of.Help()
	}
	cmd.GroupID = groups[len(groups)-1].ID
	return cmd
}

// commandNames are those of all commands that help lists.
func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	return names
}
