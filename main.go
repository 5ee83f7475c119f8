// Logstream watches services, repairs what fails, and shows every step of it:
// logs in, healing out. Everything that happens is a record on a Kafka log.
package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"logstream/internal/process/demoservice"
)

// The page, without its tests and tools.
//
//go:embed static/*.html static/*.css static/icons static/js static/vendor/@fontsource-variable
var static embed.FS

// page is the page's files, index.html at the root.
func page() fs.FS {
	sub, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the name above is wrong: a bug
	}
	return sub
}

// Exit codes, as the contract has them.
const (
	exitDone   = 0
	exitFailed = 1 // while it ran
	exitNever  = 2 // it never started: wrong usage, wrong file, or a place that it cannot have
)

// terminal is where a command reads and writes.
type terminal struct{ out, err io.Writer }

// command is a word after logstream.
type command struct {
	name, args, help string
	run              func(t terminal, args []string) int
}

func commands() []command {
	return []command{
		{"run", "[--config config.yaml] [--demo]", "watch, repair and show; --demo needs nothing installed", runCommand},
		{"check", "[--config config.yaml] [--json]", "say everything that is wrong with the configuration", checkCommand},
		{"version", "[--json]", "say which logstream this is", versionCommand},
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == demoservice.Argument {
		os.Exit(demoservice.Main(os.Args[2:])) // the demo's services are this program, too
	}
	os.Exit(dispatch(terminal{os.Stdout, os.Stderr}, os.Args[1:]))
}

// dispatch runs the command that args name, and returns the exit code.
func dispatch(t terminal, args []string) int {
	if len(args) == 0 {
		usage(t.err)
		return exitNever
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(t.out)
		return exitDone
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(t, args[1:])
		}
	}
	fmt.Fprintf(t.err, "logstream: there is no command %q\n\n", args[0])
	usage(t.err)
	return exitNever
}

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("usage: logstream <command>\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-8s %-34s %s\n", c.name, c.args, c.help)
	}
	b.WriteString("\nTry it: logstream run --demo\n")
	fmt.Fprint(w, b.String())
}

// flags are those of one command; each has --config.
func flags(t terminal, name string) (set *flag.FlagSet, path *string) {
	set = flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(t.err)
	set.Usage = func() {
		i := slices.IndexFunc(commands(), func(c command) bool { return c.name == name })
		c := commands()[i]
		fmt.Fprintf(set.Output(), "usage: logstream %s %s\n", c.name, c.args)
		set.VisitAll(func(f *flag.Flag) { fmt.Fprintf(set.Output(), "  --%-8s %s\n", f.Name, f.Usage) })
	}
	return set, set.String("config", "config.yaml", "the configuration file")
}

// parse reads a command's flags, which take nothing beside them. It returns
// false, and the exit code, where the command is not to go on.
func parse(set *flag.FlagSet, t terminal, args []string) (int, bool) {
	if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		set.SetOutput(t.out)
	}
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone, false
	case err != nil:
		return exitNever, false // the flag package has said why
	case set.NArg() > 0:
		fmt.Fprintf(t.err, "logstream %s: %q is one word too many\n", set.Name(), set.Arg(0))
		set.Usage()
		return exitNever, false
	}
	return exitDone, true
}
