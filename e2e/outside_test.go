//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
)

// outsideGrace is the manual_grace of these scenarios: on a busy machine a second
// docker command, such as the rm after a stop, comes seconds after the first.
const outsideGrace = 15 * time.Second

// TestWhatOthersDoIsAttributedToThem has another client restart containers, stop and
// remove them, and stop what ignores its stop signal: none of it is taken for
// a failure or for an action of ours. LOGSTREAM_ROUNDS says how often.
func TestWhatOthersDoIsAttributedToThem(t *testing.T) {
	t.Parallel()
	engines.Each(t, func(t *testing.T, docker *engine.Engine) {
		for _, o := range []outside{
			{"restarted", nil, restartedFromOutside, restartIsLeftAlone},
			{"removed", nil, stoppedAndRemoved, removalIsLeftAlone},
			{"deaf", []string{"--stop-timeout", "1", "-e", "STOP=ignore"}, dockerDoes("stop"), stopIsUndoneAfterItsGrace},
		} {
			t.Run(o.name, func(t *testing.T) {
				t.Parallel()
				o.scenario(t, docker)
			})
		}
	})
}

// outside is an external change of a container, and what must come of it.
type outside struct {
	name string
	args []string // of docker run
	do   func(*testing.T, *engine.Engine, string)
	want func(t *testing.T, events engineEvents, d *daemon, name string)
}

// engineEvents are the events of an engine since then.
type engineEvents struct {
	engine *engine.Engine
	since  time.Time
}

func (e engineEvents) times(t *testing.T, action, name string) []time.Time {
	t.Helper()
	return engineTimes(t, e.engine, name, e.since, action)
}

func (o outside) scenario(t *testing.T, docker *engine.Engine) {
	var names []string
	var services string
	for i := range rounds(1) {
		name := fmt.Sprintf("%s-%d", o.name, i)
		names = append(names, name)
		services += yaml(name, container(t, docker, name, o.args...), "")
	}
	d := configured(t, docker.Host(), "", services)
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(text), "manual_grace: 1s", "manual_grace: "+outsideGrace.String(), 1))
	d.start()
	for _, name := range names {
		d.up(name)
	}
	events := engineEvents{docker, time.Now()}
	for _, name := range names {
		o.do(t, docker, name)
	}
	right := 0
	for _, name := range names {
		if t.Run(name, func(t *testing.T) { o.want(t, events, d, name) }) {
			right++
		}
	}
	t.Logf("%s on Docker %s: %d of %d attributed rightly", o.name, docker.Version, right, len(names))
}

func restartedFromOutside(t *testing.T, docker *engine.Engine, name string) {
	docker.Docker(t, "restart", name)
}

// restartIsLeftAlone: one start and one restart, both of them external.
func restartIsLeftAlone(t *testing.T, events engineEvents, d *daemon, name string) {
	d.until(60*time.Second, "once the grace is over it is up, and nothing is open", func() bool {
		done := events.times(t, "restart", name)
		return len(done) > 0 && time.Since(done[0]) > outsideGrace+5*time.Second && d.service(name).OpenIncident == "" && d.isUp(name)()
	})
	for _, in := range d.incidents(name) {
		if whole := d.incident(in.ID); len(actions(whole)) != 0 || how(whole) != "recovered" {
			t.Errorf("actions %v, how %q: want none, recovered", actions(whole), how(whole))
		}
	}
	for _, action := range []string{"start", "restart"} {
		if n := len(events.times(t, action, name)); n != 1 {
			t.Errorf("the engine reports %d %s, want 1", n, action)
		}
	}
}

// stoppedAndRemoved fails the test where the removal does: the container was
// started in between.
func stoppedAndRemoved(t *testing.T, docker *engine.Engine, name string) {
	docker.Docker(t, "stop", name)
	docker.Docker(t, "rm", name)
}

func removalIsLeftAlone(t *testing.T, events engineEvents, d *daemon, name string) {
	in := d.newest(90*time.Second, name, "called a person", func(in apiIncident) bool { return in.State == "escalated" })
	if len(actions(in)) != 0 {
		t.Errorf("actions %v: want none", actions(in))
	}
	if n := len(events.times(t, "start", name)); n != 0 {
		t.Errorf("the engine reports %d starts", n)
	}
}

// stopIsUndoneAfterItsGrace: the signal that ended it is the engine's, and it
// was stopped all the same.
func stopIsUndoneAfterItsGrace(t *testing.T, events engineEvents, d *daemon, name string) {
	in := d.newest(60*time.Second, name, "is resolved", resolved)
	if got := actions(in); !slices.Equal(got, []string{"start"}) || how(in) != "healed" || diagnosedOf(t, in).CauseID != "stopped" {
		t.Errorf("actions %v, how %q, cause %q: want one start, healed, stopped", got, how(in), diagnosedOf(t, in).CauseID)
	}
	stops, starts := events.times(t, "stop", name), events.times(t, "start", name)
	if len(stops) != 1 || len(starts) != 1 {
		t.Fatalf("the engine reports %d stops and %d starts, want one of each", len(stops), len(starts))
	}
	if apart := starts[0].Sub(stops[0]); apart < outsideGrace {
		t.Errorf("it was started %v after it was stopped: want %v of grace", apart, outsideGrace)
	}
}
