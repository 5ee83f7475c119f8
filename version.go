package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// The linker sets them in what scripts/compile.sh builds; else the build
// itself knows what it was made of.
var version, commit, date string

// build is what this program was made of.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"` // of the commit, so that the same commit always gives the same program
	Go      string `json:"go"`
}

func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(build{Version: version, Commit: commit, Date: date, Go: runtime.Version()}, info)
}

// buildOf is what the linker set, and from info what it did not.
func buildOf(b build, info *debug.BuildInfo) build {
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = cmp.Or(b.Commit, s.Value)
		case "vcs.time":
			b.Date = cmp.Or(b.Date, s.Value)
		}
	}
	b.Version = cmp.Or(b.Version, info.Main.Version, "(devel)")
	return b
}

// line is what version prints: "logstream v1.2.0 (commit 0123456789ab, 2026-11-29T04:00:00Z, go1.26.8)".
func (b build) line() string {
	var parts []string
	if b.Commit != "" {
		parts = append(parts, "commit "+b.Commit[:min(12, len(b.Commit))])
	}
	if b.Date != "" {
		parts = append(parts, b.Date)
	}
	return fmt.Sprintf("logstream %s (%s)", b.Version, strings.Join(append(parts, b.Go), ", "))
}

// versionCommand prints which logstream this is.
func versionCommand() *cobra.Command {
	cmd := newCommand("version", "Print the version, its commit and the commit's date", "logstream version --json")
	asJSON := jsonFlag(cmd)
	cmd.Run = func(cmd *cobra.Command, _ []string) {
		if *asJSON {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(thisBuild()) // a closed output needs no error
			return
		}
		fmt.Fprintln(cmd.OutOrStdout(), thisBuild().line())
	}
	return cmd
}
