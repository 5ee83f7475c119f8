// Logstream watches services, repairs what fails, and shows every step of it.
// Everything that happens is a record in Kafka.
package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"logstream/internal/process/demoservice"
)

// The page, without its tests and tools.
//
//go:embed static/*.html static/*.css static/*.webmanifest static/icons static/js static/vendor/@fontsource-variable static/vendor/preact static/vendor/uplot
var static embed.FS

// page is the page's files, index.html at the root.
func page() fs.FS {
	sub, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the name above is wrong: a bug
	}
	return sub
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == demoservice.Argument {
		os.Exit(demoservice.Main(os.Args[2:])) // the demo's services are this program, too
	}
	os.Exit(execute(context.Background(), os.Stdout, os.Stderr, os.Args[1:]))
}

// commandGroup is the commands that help lists under one title.
type commandGroup struct {
	title    string
	commands []*cobra.Command
}

// commandGroups are the words after logstream. Each command has a file of its own.
func commandGroups() []commandGroup {
	return []commandGroup{
		{"Set up and run", []*cobra.Command{initCommand(), runCommand(), checkCommand(), doctorCommand(), notifyCommand(), passwordCommand(), importCommand()}},
		{"See what happens", []*cobra.Command{tailCommand(), incidentsCommand(), probeCommand(), readyCommand(), recordCommand(), replayCommand(), mcpCommand()}},
		{"Repair", slices.Concat([]*cobra.Command{healCommand()}, operationCommands(), []*cobra.Command{noteCommand(), silenceCommand(), unsilenceCommand(), holdCommand(), releaseCommand()})},
		{"Test repairs", []*cobra.Command{chaosCommand(), gamedayCommand(), verifyDeployCommand(), evalCommand()}},
		{"About logstream", []*cobra.Command{completionCommand(), versionCommand()}},
	}
}

// Exit codes, as the contract has them.
const (
	exitDone           = 0
	exitFailed         = 1 // while it ran
	exitStartupFailure = 2
)

// startupFailure is why nothing ran: wrong usage, a wrong file, or an address or
// a directory that logstream cannot have. A person has to change something first.
type startupFailure struct{ error }

func (f startupFailure) Unwrap() error { return f.error }

// errPrinted stands for an error that the command has printed in a form of its own.
var errPrinted = errors.New("printed already")

// execute runs the command that args name, prints its error, and returns the
// exit code.
func execute(ctx context.Context, out, errOut io.Writer, args []string) int {
	root := rootCommand()
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetArgs(append([]string{}, args...)) // not nil, which would be those of the process
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errPrinted) {
		fmt.Fprintln(errOut, "logstream: "+err.Error())
	}
	if errors.As(err, new(startupFailure)) {
		return exitStartupFailure
	}
	return exitFailed
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:     "logstream",
		Short:   "Monitors services, diagnoses why one fails, repairs it, and shows every step.",
		Example: "  logstream run --demo\n  logstream run --config config.yaml",
		Version: thisBuild().line(),

		SilenceErrors: true, SilenceUsage: true, // execute prints them

		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageFailure(cmd, "no command given; %s", known(cmd))
			}
			return usageFailure(cmd, "unknown command %s; %s", quoted(args[0]), known(cmd, args[0]))
		},
		Run: func(*cobra.Command, []string) {}, // never: no arguments are right
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().String("config", cmp.Or(os.Getenv(configVariable), defaultConfig), "the configuration `file`")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // it is a flag
	for _, group := range commandGroups() {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title + ":"})
		for _, cmd := range group.commands {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
		root.SetHelpCommandGroupID(group.title) // the last
	}
	root.SetHelpCommand(helpCommand(root.Groups()))
	return root
}
