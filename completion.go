package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/dashboard/view"
	"logstream/internal/config"
)

// shells are those for which there is a completion script.
var shells = []struct {
	name  string
	write func(root *cobra.Command, to io.Writer) error
}{
	{"bash", func(root *cobra.Command, to io.Writer) error { return root.GenBashCompletionV2(to, true) }},
	{"zsh", func(root *cobra.Command, to io.Writer) error { return root.GenZshCompletion(to) }},
	{"fish", func(root *cobra.Command, to io.Writer) error { return root.GenFishCompletion(to, true) }},
	{"powershell", func(root *cobra.Command, to io.Writer) error { return root.GenPowerShellCompletionWithDesc(to) }},
}

// completionCommand prints a script with which a shell completes commands,
// flags, and the names of services and incidents.
func completionCommand() *cobra.Command {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	cmd := newCommand("completion "+strings.Join(names, "|"), "Print the script with which a shell completes logstream's command lines",
		"source <(logstream completion bash)\nlogstream completion zsh > \"${fpath[1]}/_logstream\"\nlogstream completion fish > ~/.config/fish/completions/logstream.fish")
	cmd.ValidArgs, cmd.ValidArgsFunction = names, nil
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, s := range shells {
			if s.name == args[0] {
				return s.write(cmd.Root(), cmd.OutOrStdout())
			}
		}
		return unknownName(cmd, "shell", args[0], names)
	}
	return cmd
}

// completeWithin bounds what a press of the Tab key waits for.
const completeWithin = 2 * time.Second

// completeNames completes the first argument with the names that list gives.
// What cannot be asked for completes nothing: a shell has no place for errors.
func completeNames(list func(ctx context.Context, cmd *cobra.Command) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), completeWithin)
		defer cancel()
		var all []cobra.Completion
		for _, name := range list(ctx, cmd) {
			if word, _, _ := strings.Cut(name, "\t"); strings.HasPrefix(word, typed) {
				all = append(all, name)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// configuredServices are those of the configuration.
func configuredServices(_ context.Context, cmd *cobra.Command) []string {
	c, _ := config.Load(configPath(cmd))
	var names []string
	for _, s := range c.Services {
		names = append(names, s.Name)
	}
	return names
}

// runningServices gives those of a running instance, discovered ones too, or
// else those of the configuration.
func runningServices(open func() (client, error)) func(context.Context, *cobra.Command) []string {
	return func(ctx context.Context, cmd *cobra.Command) []string {
		var all []view.Service
		c, err := open()
		if err != nil || c.call(ctx, http.MethodGet, []string{"services"}, nil, nil, &all) != nil {
			return configuredServices(ctx, cmd)
		}
		var names []string
		for _, s := range all {
			names = append(names, s.Name+"\t"+string(s.Status))
		}
		return names
	}
}

// runningIncidents gives those about which an operation has something to do.
func runningIncidents(open func() (client, error), offers func(view.Incident) string) func(context.Context, *cobra.Command) []string {
	return func(ctx context.Context, _ *cobra.Command) []string {
		c, err := open()
		if err != nil {
			return nil
		}
		all, _ := c.incidents(ctx) // none where it does not answer
		var ids []string
		for _, in := range all {
			if what := offers(in); what != "" {
				ids = append(ids, in.ID+"\t"+printable(in.Service+": "+what))
			}
		}
		return ids
	}
}
