package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"logstream/internal/nearest"
)

// known says which command was meant, or else which there are.
func known(root *cobra.Command, mistyped ...string) string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	for _, word := range mistyped {
		if near := nearest.Of(word, names); near != "" {
			return fmt.Sprintf("did you mean %q?", near)
		}
	}
	return "the commands are " + strings.Join(names, ", ") + " (logstream --help)"
}

// flagError is what is wrong with a command's flags, with the one that was
// likely meant.
func flagError(cmd *cobra.Command, err error) error {
	message := err.Error()
	if unknown := new(pflag.NotExistError); errors.As(err, &unknown) {
		word, dashes := unknown.GetSpecifiedName(), "--"
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			word, dashes = short, "-" // such as -demo
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		message = "unknown flag " + dashes + word
		if near := nearest.Of(word, names); near != "" {
			return usageFailure(cmd, "%s; did you mean --%s?", message, near)
		}
	}
	return usageFailure(cmd, "%s (%s --help)", message, cmd.CommandPath())
}

// arguments are what a command takes beside its flags: one for each name.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names):
			return usageFailure(cmd, "unexpected argument %q", args[len(names)])
		case len(args) < len(names):
			return usageFailure(cmd, "the argument %s is missing", names[len(args)])
		}
		if err := cmd.ValidateRequiredFlags(); err != nil {
			return usageFailure(cmd, "%v", err)
		}
		return nil
	}
}

// usageFailure is a command line that cannot be meant.
func usageFailure(cmd *cobra.Command, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if cmd.HasParent() {
		message = cmd.Name() + ": " + message
	}
	return startupFailure{errors.New(message)}
}

// configPath is the file that --config names.
func configPath(cmd *cobra.Command) string { return cmd.Flag("config").Value.String() }
