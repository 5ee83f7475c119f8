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
			version, err := exec.Command("docker", "-H", d.host, "version", "--format", "{{.Server.Version}}").Output()
			if err != nil {
				d.t.Fatalf("which engine is it: %v", err)
			}
			d.engine = "docker " + strings.TrimSpace(string(version))
		}
	}
	story := d.t.Name()
	for _, kind := range []string{"/current", "/packaged"} {
		story = strings.Replace(story, kind, "", 1)
	}
	return []string{"LOGSTREAM_STORY=" + story, "LOGSTREAM_STORY_ENGINE=" + d.engine}
}
