//go:build e2e

package engine_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

// The engine itself forgets an event after 256 more, and all of them when it
// ends.
func TestEventsThatTheEngineForgotAreStillCounted(t *testing.T) {
	kinds, err := engine.Kinds()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) { forgets(t, kind) })
	}
}

func forgets(t *testing.T, kind engine.Kind) {
	e := engine.Start(t, kind)
	images.Load(t, e, images.Webapp)
	e.Docker(t, "run", "-d", "--name", "noisy", images.Webapp.Name)
	if got := actionsOf(e.Events(t, time.Time{}), "noisy"); !slices.Equal(got, []string{"create", "start"}) {
		t.Errorf("from its own start the engine reports %v, want create and start", got)
	}
	since := time.Now()
	e.Docker(t, "restart", "-t", "0", "noisy")
	restarted := e.Events(t, since)
	if got := actionsOf(restarted, "noisy"); count(got, "restart") != 1 || count(got, "start") != 1 || count(got, "create") != 0 {
		t.Errorf("since the restart the engine reports %v, want one restart with its start", got)
	}

	// A signal that a process ignores; the command names its target often.
	e.Docker(t, append([]string{"kill", "-s", "WINCH"}, slices.Repeat([]string{"noisy"}, 320)...)...)
	kept := strings.Fields(e.Docker(t, "events", "--since", strconv.FormatInt(since.Unix(), 10), "--until", strconv.FormatInt(time.Now().Unix(), 10),
		"--format", "{{.Action}}"))
	if count(kept, "kill") == 0 || count(kept, "restart") != 0 {
		t.Errorf("the engine keeps %d kills and has not forgotten the restart: this test shows nothing", count(kept, "kill"))
	}
	signalled := e.Events(t, since)
	if n := count(actionsOf(signalled[len(restarted):], "noisy"), "kill"); n != 320 || !slices.Equal(signalled[:len(restarted)], restarted) {
		t.Errorf("after the restart %d kills are recorded, want 320, and before them %v, want %v", n, signalled[:len(restarted)], restarted)
	}

	if err := e.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	if got := e.Events(t, since); len(got) < len(signalled) || !slices.Equal(got[:len(signalled)], signalled) {
		t.Errorf("of the %d events before the engine was killed not all are recorded: %d are since", len(signalled), len(got))
	}
	e.Docker(t, "start", "noisy")
	if got := actionsOf(e.Events(t, since)[len(signalled):], "noisy"); count(got, "start") != 1 {
		t.Errorf("after the engine was killed it reports %v, want one start", got)
	}
}

func count(actions []string, action string) (n int) {
	for _, a := range actions {
		if a == action {
			n++
		}
	}
	return n
}

func actionsOf(events []engine.Event, name string) (actions []string) {
	for _, event := range events {
		if event.Name == name {
			actions = append(actions, event.Action)
		}
	}
	return actions
}
