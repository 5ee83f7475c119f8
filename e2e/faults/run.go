//go:build e2e

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/e2e/engine"
	"logstream/e2e/faults/peers"
	"logstream/e2e/sockproxy"
)

// The policies.
const (
	logstream     = "logstream"
	autoheal      = "autoheal"       // docker-autoheal's
	poc           = "proof"          // the proof of concept's
	unlessStopped = "unless-stopped" // Docker's own restart policies
	always        = "always"
)

// policies are all of them, ours first.
var policies = []string{logstream, autoheal, poc, unlessStopped, always}

// restartPolicy is Docker's restart policy under a policy; empty: the scenario's.
func restartPolicy(policy string) string {
	if policy == unlessStopped || policy == always {
		return policy
	}
	return ""
}

// errOtherFault is the error of an injection that chance made another fault: it is
// injected anew.
var errOtherFault = errors.New("another fault than the one that is meant")

// stagger is the time between two faults of one group: they are not one event.
const stagger = 2500 * time.Millisecond

// runner runs groups of scenarios on one engine.
type runner struct {
	binary string
	engine *engine.Engine
	dir    string // short: sockets are made in it
}

// group runs the scenarios of one group beside each other under a policy. Its name
// distinguishes groups that run at the same time.
func (r runner) group(t testing.TB, policy, name string, list []Scenario) ([]Result, error) {
	t.Helper()
	g := &group{runner: r, policy: policy, began: time.Now(), dir: filepath.Join(r.dir, name)}
	defer g.close(t)
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		return nil, err
	}
	if err := g.prepare(name, list); err != nil {
		return nil, err
	}
	if err := g.govern(); err != nil {
		return nil, err
	}
	views := make([]view, len(g.stages))
	var all sync.WaitGroup
	for i, s := range g.stages {
		all.Go(func() {
			if views[i].refused = g.refused[s.Name]; views[i].refused == nil {
				views[i].refused = s.ready()
			}
		})
	}
	if !few(list) {
		all.Go(func() {
			if err := g.noise.ready(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := g.noise.visit("flapping", "/flap?s=3&lasting"); err != nil {
		t.Error(err)
	}
	for i, s := range g.stages {
		all.Go(func() {
			if views[i].refused == nil {
				time.Sleep(time.Duration(i) * stagger)
				views[i].follow(s)
			}
		})
	}
	all.Wait()
	if err := g.halt(); err != nil {
		return nil, err
	}
	return g.judge(t, views)
}

// few says whether one of the scenarios is about few services.
func few(list []Scenario) bool {
	return slices.ContainsFunc(list, func(s Scenario) bool { return s.Few })
}

// view is what was seen of one scenario.
type view struct {
	refused error // it could not be run
	seen    seen
	red     bool // it was shown as DOWN
}

// group is some scenarios under one policy.
type group struct {
	runner
	policy  string
	dir     string
	began   time.Time
	stages  []*Stage
	noise   *Stage
	refused map[string]error // by scenario, why it cannot be run
	proxy   *sockproxy.Proxy
	logs    *daemon
	cancel  context.CancelFunc // of a peer
	peer    chan struct{}
}

// prepare makes all containers.
func (g *group) prepare(name string, list []Scenario) error {
	var making errgroup.Group
	making.SetLimit(3)
	noise := noise
	noise.Name += "-" + name
	noise.AtOnce = slices.ContainsFunc(list, func(s Scenario) bool { return s.AtOnce }) // nothing else waits for longer
	for _, s := range append(slices.Clone(list), noise) {
		stage, err := newStage(s, g.policy, g.engine, g.dir)
		if err != nil {
			return err
		}
		if s.Name == noise.Name {
			g.noise = stage
		} else {
			g.stages = append(g.stages, stage)
		}
		making.Go(func() error {
			if err := stage.up(); err != nil {
				return fmt.Errorf("%s: %w", stage.Name, err)
			}
			return nil
		})
	}
	return making.Wait()
}

// govern starts the policy.
func (g *group) govern() error {
	var err error
	g.refused = map[string]error{}
	socket := g.engine.Socket
	if g.policy == logstream {
		socket = g.engine.Guarded()
	}
	if g.proxy, err = sockproxy.New(filepath.Join(g.dir, "s"), socket, nil); err != nil {
		return err
	}
	if g.policy == logstream {
		return g.startLogStream()
	}
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel, g.peer = cancel, make(chan struct{})
	targets := map[string]string{}
	for _, s := range append(slices.Clone(g.stages), g.noise) {
		for _, c := range s.Containers {
			if !c.Extra && s.probers[c.Role] != nil {
				targets[s.name(c.Role)] = s.url(c)
			}
		}
	}
	go func() {
		defer close(g.peer)
		switch g.policy {
		case autoheal:
			peers.Autoheal(ctx, filepath.Join(g.dir, "s"), "autoheal="+filepath.Base(g.dir))
		case poc:
			peers.ProofOfConcept(ctx, filepath.Join(g.dir, "s"), targets)
		}
	}()
	return nil
}

func (g *group) startLogStream() error {
	var err error
	if g.logs, err = newDaemon(g.binary, filepath.Join(g.dir, "l")); err != nil {
		return err
	}
	var services []string
	watched := slices.Clone(g.stages)
	if !slices.ContainsFunc(watched, func(s *Stage) bool { return s.Few }) {
		watched = append(watched, g.noise)
	}
	for _, s := range watched {
		s.logs = g.logs
		own, err := s.services()
		if err == nil {
			err = g.logs.accepts(g.logs.configuration(g.proxy.Host(), own))
		}
		if err != nil {
			g.refused[s.Name] = err
			continue
		}
		services = append(services, own...)
	}
	return g.logs.start(g.logs.configuration(g.proxy.Host(), services))
}

// halt ends the policy.
func (g *group) halt() error {
	if g.logs != nil {
		return g.logs.stop()
	}
	if g.cancel != nil {
		g.cancel()
		<-g.peer
	}
	return nil
}

func (g *group) judge(t testing.TB, views []view) (results []Result, err error) {
	t.Helper()
	events, err := g.engine.AllEvents(t.Context(), g.began.Add(-time.Minute))
	if err != nil {
		return nil, err
	}
	acts := actsOf(g.proxy.Calls("", ""), events)
	for i, s := range g.stages {
		var r Result
		switch {
		case views[i].refused != nil:
			r = s.result()
			r.Verdict, r.Why = Missed, []string{views[i].refused.Error()}
			r.other = errors.Is(views[i].refused, errOtherFault)
		case g.policy == logstream:
			r = s.judge(views[i].seen, views[i].red, acts)
		default:
			r = s.judgePeer(acts)
		}
		results = append(results, r)
		if g.policy == logstream && r.Verdict != Correct && !r.other {
			t.Errorf("%s: %s: %s\nlogstream said:\n%s", r.Scenario, r.Verdict, strings.Join(append(r.Why, r.Collateral...), "; "), g.logs.said(s.Name))
		}
	}
	for _, role := range []string{"a", "b"} {
		name := g.noise.name(role)
		for _, a := range of(acts, name) {
			if !diedBefore(events, name, g.began, a.At) {
				say := t.Errorf
				if g.policy != logstream {
					say = t.Logf // a finding about a peer
				}
				say("%s: %s of %s, which was healthy", g.policy, a.Kind, name)
			}
		}
	}
	return results, nil
}

// diedBefore says whether the container ended between then and at by itself, as
// when its engine was stopped.
func diedBefore(events []engine.Event, name string, then, at time.Time) bool {
	return slices.ContainsFunc(events, func(e engine.Event) bool {
		return e.Name == name && e.Action == "die" && e.At.After(then) && e.At.Before(at)
	})
}

func (g *group) close(t testing.TB) {
	var err error
	if g.logs != nil {
		err = g.logs.stop()
	}
	var all sync.WaitGroup
	for _, s := range append(slices.Clone(g.stages), g.noise) {
		if s != nil {
			all.Go(s.down)
		}
	}
	all.Wait()
	if g.proxy != nil {
		err = errors.Join(err, g.proxy.Close())
	}
	if err != nil {
		t.Error(err)
	}
}
