//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
)

// recorded is the environment in which a daemon records the healer's decisions,
// for the corpus that healer/replay replays; nothing where no recordings are
// asked for.
func (d *daemon) recorded() []string {
	if os.Getenv("LOGSTREAM_RECORDINGS") == "" {
		return nil
	}
	if d.engine == "" {
		d.engine = "demo"
		if d.host != "" {
			d.engine = "docker " + d.version()
		}
	}
	scenario := d.t.Name()
	for _, kind := range []string{"/current", "/packaged"} {
		scenario = strings.Replace(scenario, kind, "", 1)
	}
	return []string{"LOGSTREAM_SCENARIO=" + scenario, "LOGSTREAM_SCENARIO_ENGINE=" + d.engine}
}

// version is that of the daemon's engine; of one that is down, that of the
// scenarios' own, which is of the same kind.
func (d *daemon) version() string {
	for _, host := range []string{d.host, docker.Host()} {
		version, err := exec.Command("docker", "-H", host, "version", "--format", "{{.Server.Version}}").Output()
		if err == nil {
			return strings.TrimSpace(string(version))
		}
	}
	d.t.Fatal("no engine says its version")
	return ""
}
