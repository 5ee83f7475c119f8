package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker for a release; else the build knows it.
var version string

// build is what this program was made of.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"` // of the commit
	Go      string `json:"go"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = cmp.Or(b.Version, info.Main.Version)
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Date = s.Value
			}
		}
	}
	b.Version = cmp.Or(b.Version, "(devel)")
	return b
}

func versionLine() string {
	b := thisBuild()
	return fmt.Sprintf("logstream %s (%s)", b.Version, b.Go)
}

// versionCommand says which logstream this is.
func versionCommand() *cobra.Command {
	cmd := newCommand("version", "Print the version", "logstream version --json")
	asJSON := jsonFlag(cmd)
	cmd.Run = func(cmd *cobra.Command, _ []string) {
		if *asJSON {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(thisBuild()) // a closed output needs no error
			return
		}
		fmt.Fprintln(cmd.OutOrStdout(), versionLine())
	}
	return cmd
}
