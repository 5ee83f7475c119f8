//go:build e2e

package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/e2e/images"
	"logstream/internal/event"
)

// rival is a restart by another healer: when it looked, and when it was done.
type rival struct{ looked, done time.Time }

// autoheal does as docker-autoheal does: each five seconds it restarts what is
// unhealthy. It returns when it did.
func autoheal(ctx context.Context, t *testing.T, docker *engine.Engine, name string) <-chan rival {
	restarted := make(chan rival, 100)
	go func() {
		defer close(restarted)
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			looked := time.Now()
			out, err := docker.Command(ctx, nil, "ps", "--filter", "health=unhealthy", "--filter", "name=^/"+name+"$", "--format", "{{.Names}}")
			if err != nil || strings.TrimSpace(string(out)) != name {
				continue
			}
			if _, err := docker.Command(ctx, nil, "restart", name); err == nil {
				restarted <- rival{looked, time.Now()}
			}
		}
	}()
	return restarted
}

// TestBesideAutohealNoSecondRestart: both see the same failure. One restarts it,
// and what neither can repair is left to the other.
func TestBesideAutohealNoSecondRestart(t *testing.T) {
	t.Parallel()
	engines.Each(t, besideAutoheal)
}

func besideAutoheal(t *testing.T, docker *engine.Engine) {
	images.Load(t, docker, checkedImage)
	for _, tt := range []struct {
		name      string
		threshold string // how soon we are
		lasting   bool   // no restart repairs it
	}{
		{"beside-quick", "failure_threshold: 2", false},
		{"beside-slow", "failure_threshold: 12", false},
		{"beside-lasting", "failure_threshold: 8", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := container(t, docker, tt.name, checkedImage.Name)
			d := configured(t, docker.Host(), "", yaml(tt.name, url, ", "+tt.threshold)).start()
			d.up(tt.name)
			ctx, cancel := context.WithCancel(t.Context())
			theirs := autoheal(ctx, t, docker, tt.name)
			since := time.Now()
			if tt.lasting {
				visit(t, docker, tt.name, "/fail?lasting=1")
				d.until(150*time.Second, "the other healer is reported", func() bool { return saysAnotherHealer(d, tt.name) })
			} else {
				visit(t, docker, tt.name, "/fail")
				d.newest(120*time.Second, tt.name, "is resolved", resolved)
			}
			cancel()
			var others []rival
			for at := range theirs {
				others = append(others, at)
			}
			ours := repairsOf(d, tt.name)
			t.Logf("%s: the other restarted at %v, we at %v, since %v", tt.name, others, ours, since)
			if !tt.lasting && len(others)+len(ours) != 1 && !atOneInstant(t, docker, tt.name, since, others, ours) {
				t.Errorf("one failure was restarted %d times by the other and %d times by us", len(others), len(ours))
			}
			for _, mine := range ours {
				if slices.ContainsFunc(others, func(r rival) bool { return mine.began.After(r.done) && mine.began.Sub(r.done) < time.Minute }) {
					t.Errorf("we restarted at %v, less than a minute after the other", mine.began)
				}
			}
		})
	}
}

// atOneInstant says whether the other restarted what we had restarted since it looked:
// ours was done before theirs, so that we could not have seen it.
func atOneInstant(t *testing.T, docker *engine.Engine, name string, since time.Time, others []rival, ours []repair) bool {
	t.Helper()
	restarts := engineTimes(t, docker, name, since, "restart")
	return len(others) == 1 && len(ours) == 1 && len(restarts) == 2 && ours[0].began.After(others[0].looked) && ours[0].done.Before(restarts[1])
}

func saysAnotherHealer(d *daemon, name string) bool {
	for _, in := range d.incidents(name) {
		for _, e := range d.incident(in.ID).Events {
			if held, is := e.Data.(event.Suppressed); is && held.Gate == "rival" && strings.Contains(held.Reason, "another healer works on this engine") {
				return true
			}
		}
	}
	return false
}

// repair is one of ours that was executed: when its intent stood on the log, and when it
// was done.
type repair struct{ began, done time.Time }

func repairsOf(d *daemon, name string) (all []repair) {
	for _, in := range d.incidents(name) {
		var began time.Time
		for _, e := range d.incident(in.ID).Events {
			switch data := e.Data.(type) {
			case event.ActionStarted:
				began = e.Time
			case event.ActionFinished:
				if data.Outcome != event.OutcomeNotExecuted {
					all = append(all, repair{began, e.Time})
				}
			}
		}
	}
	return all
}
