//go:build e2e

package engine

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is a Docker engine that the tests can start.
type Kind string

// The engines. They report the same happenings in different orders, and differ
// in what an image's ID is: what holds on both holds on those between.
const (
	Current  Kind = "current"  // Docker 29, built by make deps from current.mod
	Packaged Kind = "packaged" // the system's package: Docker 20.10 on Debian 12
)

// chosen is the environment's variable that names the one engine to run on.
const chosen = "LOGSTREAM_ENGINE"

// Kinds are the engines to run on, that of the scenarios first.
func Kinds() ([]Kind, error) {
	all := []Kind{Current, Packaged}
	name := os.Getenv(chosen)
	if name == "" {
		return all, nil
	}
	if !slices.Contains(all, Kind(name)) {
		return nil, fmt.Errorf("%s=%s: want %s or %s", chosen, name, Current, Packaged)
	}
	return []Kind{Kind(name)}, nil
}

// currentSum has the hash of everything that the current engine is built from.
//
//go:embed current.sum
var currentSum string

// folder is where the engine's programs are; empty: on the PATH.
func (k Kind) folder() (string, error) {
	if k == Packaged {
		return "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the current Docker engine: %w", err)
	}
	pattern := filepath.Join(cache, "logstream-e2e", "engine-*")
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return "", err // unreachable: the pattern is well formed
	}
	for _, folder := range folders {
		// The copy is made last: what is half built has none.
		if sum, err := os.ReadFile(filepath.Join(folder, "current.sum")); err == nil && string(sum) == currentSum {
			return folder, nil
		}
	}
	return "", fmt.Errorf("the current Docker engine is not built (no %s of what current.sum pins): make deps", pattern)
}

// environ is the process's environment, with the programs in folder first on
// its PATH: an engine finds its own containerd, shim and runc there.
func environ(folder string) []string {
	env := os.Environ()
	if folder == "" {
		return env
	}
	env = slices.DeleteFunc(env, func(entry string) bool { return strings.HasPrefix(entry, "PATH=") })
	return append(env, "PATH="+folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
}
