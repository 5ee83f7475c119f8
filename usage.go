package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"logstream/internal/config"
	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/text"
)

// What every command has in common, and what is said of a command line that
// cannot be meant: one sentence, with what was likely meant.

// newCommand is a command that takes the arguments that use names, such as
// "chaos <service> [fault]".
func newCommand(use, short, example string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Example: "  " + strings.ReplaceAll(example, "\n", "\n  "),
		Args: checkArguments, ValidArgsFunction: cobra.NoFileCompletions}
}

// jsonFlag adds --json to a command that prints data.
func jsonFlag(cmd *cobra.Command) *bool { return cmd.Flags().Bool("json", false, "print JSON") }

// length is a flag's time span, which is more than nothing.
type length time.Duration

func (l *length) Type() string { return "duration" }

// String is empty for nothing, so that help shows no default then.
func (l *length) String() string {
	if *l == 0 {
		return ""
	}
	return time.Duration(*l).String()
}

func (l *length) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("not a time span") // flagError says what one is
	}
	*l = length(d)
	return nil
}

// lengthFlag adds a flag that is a time span.
func lengthFlag(cmd *cobra.Command, name string, usual time.Duration, usage string) *time.Duration {
	l := usual
	cmd.Flags().Var((*length)(&l), name, usage)
	return &l
}

// serviceArgument is the argument that names a service.
const serviceArgument = "<service>"

// argumentsOf are the names of a command's arguments, as its help has them. One
// in square brackets may be left out.
func argumentsOf(cmd *cobra.Command) []string { return strings.Fields(cmd.Use)[1:] }

// checkArguments holds a command line against argumentsOf and the flags that are
// required.
func checkArguments(cmd *cobra.Command, args []string) error {
	if configPath(cmd) == "" { // every command has the flag
		return usageFailure(cmd, "--config needs a file")
	}
	names := argumentsOf(cmd)
	if len(args) > len(names) {
		return usageFailure(cmd, "unexpected argument %s", quoted(args[len(names)]))
	}
	for i, name := range names {
		switch {
		case i >= len(args) && strings.HasPrefix(name, "["):
		case i >= len(args):
			return usageFailure(cmd, "the argument %s is missing (%s --help)", name, cmd.CommandPath())
		case strings.TrimSpace(args[i]) == "":
			return usageFailure(cmd, "the argument %s is empty", name)
		case name == serviceArgument:
			if err := event.CheckServiceName(args[i]); err != nil {
				return usageFailure(cmd, "the argument %s cannot be used: %v", name, err)
			}
		}
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		var missing []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if _, required := f.Annotations[cobra.BashCompOneRequiredFlag]; required && !f.Changed {
				missing = append(missing, "--"+f.Name)
			}
		})
		return usageFailure(cmd, "the flag %s is missing (%s --help)", strings.Join(missing, " and "), cmd.CommandPath())
	}
	return nil
}

// unknownName is a name that is none of those that there are.
func unknownName(cmd *cobra.Command, what, name string, names []string) error {
	if near := nearest.Of(name, names); near != "" {
		return usageFailure(cmd, "unknown %s %s; did you mean %q?", what, quoted(name), near)
	}
	if len(names) == 0 {
		return usageFailure(cmd, "unknown %s %s; there is none", what, quoted(name))
	}
	return usageFailure(cmd, "unknown %s %s; the %ss are %s", what, quoted(name), what, strings.Join(names, ", "))
}

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

// flagError is what is wrong with a command's flags.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &bare):
		return usageFailure(cmd, "--%s needs %s", bare.GetFlag().Name, wanted(bare.GetFlag()))
	case errors.As(err, &invalid):
		return usageFailure(cmd, "--%s must be %s, not %s", invalid.GetFlag().Name, wanted(invalid.GetFlag()), quoted(invalid.GetValue()))
	case errors.As(err, &syntax):
		return usageFailure(cmd, "%s is not a flag (%s --help)", quoted(syntax.GetSpecifiedFlag()), cmd.CommandPath())
	}
	return usageFailure(cmd, "%v (%s --help)", err, cmd.CommandPath())
}

// unknownFlag names the flag that was likely meant.
func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	word, dashes := unknown.GetSpecifiedName(), "--"
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		word, dashes = short, "-" // such as -demo
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	given := strings.Trim(quoted(dashes+word), `"`)
	if near := nearest.Of(word, names); near != "" {
		return usageFailure(cmd, "unknown flag %s; did you mean --%s?", given, near)
	}
	return usageFailure(cmd, "unknown flag %s (%s --help)", given, cmd.CommandPath())
}

// wanted is what a flag's value must be, by its type.
func wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "duration":
		return "a duration above zero, such as 10m"
	case "int":
		return "a whole number"
	case "bool":
		return "true or false"
	case "stringSlice":
		return "a list such as a,b"
	}
	name, _ := pflag.UnquoteUsage(f)
	article := "a "
	if strings.ContainsAny(name[:1], "aeiou") {
		article = "an "
	}
	return article + name
}

const maxQuoted = 80 // bytes

// quoted is what a user typed, fit to be shown.
func quoted(typed string) string { return fmt.Sprintf("%q", text.Clip(typed, maxQuoted)) }

// usageFailure is a command line that cannot be meant.
func usageFailure(cmd *cobra.Command, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if cmd.HasParent() {
		message = cmd.Name() + ": " + message
	}
	return startupFailure{errors.New(message)}
}

// The configuration file without --config: what the variable names, as in the
// image, where it is on a volume; else the one where logstream runs.
const (
	configVariable = "LOGSTREAM_CONFIG"
	defaultConfig  = "config.yaml"
)

// configPath is the file that --config names.
func configPath(cmd *cobra.Command) string { return cmd.Flag("config").Value.String() }

// loadConfig loads the configuration that --config names, with the warnings about it. It
// prints the errors.
func loadConfig(cmd *cobra.Command) (c config.Config, warnings []config.Finding, err error) {
	c, report := config.Load(configPath(cmd))
	if len(report.Errors) > 0 {
		printFindings(cmd, report.Errors)
		return config.Config{}, nil, startupFailure{errPrinted}
	}
	return c, report.Warnings, nil
}
