//go:build e2e

package e2e

import (
	"testing"
	"time"

	"logstream/e2e/engine"
)

// TestObserveCountsHowOftenItWouldHaveBeenRight: in mode observe a kill is left, a
// person starts the container, and the service shows that the repair would have
// been right.
func TestObserveCountsHowOftenItWouldHaveBeenRight(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		const name = "trusted"
		url := container(t, docker, name)
		d := configured(t, docker.Host(), "", yaml(name, url, ", heal: {mode: observe}")).start()
		d.up(name)
		for times := 1; times <= 2; times++ {
			docker.Docker(t, "kill", name)
			d.newest(time.Minute, name, "is held by observe", func(in apiIncident) bool { return in.State == "open" && in.Held == "observe" })
			docker.Docker(t, "start", name)
			in := d.newest(time.Minute, name, "is resolved", resolved)
			if got := actions(in); len(got) != 0 || how(in) != "recovered" {
				t.Errorf("actions %v, how %q", got, how(in))
			}
			d.until(time.Minute, "it is counted", func() bool {
				trust := d.published()[name].Trust
				return trust != nil && trust.Would == times && trust.Right == times
			})
		}
		d.stop()
		d.start()
		d.up(name)
		d.until(time.Minute, "it is still known after a restart", func() bool {
			trust := d.published()[name].Trust
			return trust != nil && trust.Would == 2 && trust.Right == 2
		})
	})
}
