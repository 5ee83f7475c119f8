package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
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

// versionCommand says which logstream this is.
func versionCommand(t terminal, args []string) int {
	set, _ := flags(t, "version")
	asJSON := set.Bool("json", false, "for programs")
	if code, ok := parse(set, t, args); !ok {
		return code
	}
	b := thisBuild()
	if *asJSON {
		_ = json.NewEncoder(t.out).Encode(b) // whoever closed its end has no use for an error
		return exitDone
	}
	fmt.Fprintf(t.out, "logstream %s (%s)\n", b.Version, b.Go)
	return exitDone
}
