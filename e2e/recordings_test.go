//go:build e2e

package e2e

import (
	"os"
)

// recorded is the environment in which a daemon records the healer's decisions,
// for the corpus that healer/replay replays; nothing where no recordings are
// asked for.
func (d *daemon) recorded() []string {
	if os.Getenv("LOGSTREAM_RECORDINGS") == "" {
		return nil
	}
	return []string{"LOGSTREAM_STORY=" + d.t.Name(), "LOGSTREAM_ENGINE=" + d.engineName()}
}

// engineName is which container engine the daemon's stories run on.
func (d *daemon) engineName() string {
	if len(d.args) > 1 && d.args[1] == "--demo" {
		return "demo"
	}
	return "docker " + docker.Docker(d.t, "version", "--format", "{{.Server.Version}}")
}
