package healer

import (
	"fmt"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/state"
)

const (
	collectWait  = collectLimit + 500*time.Millisecond // an outcome that has not come by then is not waited for
	collectAgain = time.Minute                         // what was collected of one run is good for that long
)

// collection is what was last collected of the service's container. A new life
// collects again.
type collection struct {
	request int
	asked   time.Time          // when the newest was begun; zero: never
	id      string             // of the container
	started time.Time          // and of its run
	failure event.Failure      // of our own check at that time
	found   *runbook.Collected // nil: not there yet
}

// begin is the next collection, begun at now.
func (c *collection) begin(v View, now time.Time) (request int) {
	own, _ := v.Status.OwnLast()
	*c = collection{request: c.request + 1, asked: now, id: v.Inspection.state.ID, started: v.Inspection.state.StartedAt, failure: own.Failure}
	return c.request
}

// take takes the outcome of a collection, and says whether it is the newest.
func (c *collection) take(in Collected) bool {
	if in.Request != c.request || c.found != nil {
		return false
	}
	c.found = &in.Found
	return true
}

// of is what was collected of this run of a container; nil: nothing yet.
func (c collection) of(state container.State, now time.Time) *runbook.Collected {
	switch {
	case c.asked.IsZero() || c.id != state.ID || !c.started.Equal(state.StartedAt):
		return nil
	case c.found == nil && now.Sub(c.asked) >= collectWait:
		late := &runbook.Collected{}
		late.Lack(runbook.WhatAll, fmt.Sprintf("no answer within %s", collectWait))
		return late
	}
	return c.found
}

// planCollection is what is to be done until everything is known that the cause of
// a container that runs may depend on. What is proven without it, as how a
// container ended, never waits for it; and it is never waited for long.
func planCollection(v View) (Decision, bool) {
	own, known := v.Status.OwnLast()
	c, s := v.Collection, v.Inspection.state
	switch {
	case v.Incident.State != state.Open || v.Forced != "" || s.Status != container.Running || v.Status.Looping():
		return Decision{}, false
	case !v.Status.OwnDown() || !known || own.Status != event.Down:
		return Decision{}, false
	case c.asked.IsZero() || c.id != s.ID || !c.started.Equal(s.StartedAt) || v.Now.Sub(c.asked) >= collectAgain:
		return Decision{Kind: DoCollect}, true
	case c.found == nil && v.Now.Sub(c.asked) < collectWait:
		return wait(), true
	case c.failure != own.Failure && v.Now.Sub(c.asked) >= inspectAgain:
		return Decision{Kind: DoCollect}, true // it fails in another way
	}
	return Decision{}, false
}

// planAgain is what is to be looked up once more before evidence is written about
// an incident that was held: a container that runs may have written meanwhile why
// it fails.
func planAgain(v View) (Decision, bool) {
	c := v.Inspection.state
	if v.Incident.Held == "" || c.Status != container.Running {
		return Decision{}, false
	}
	switch {
	case v.Now.Sub(v.Inspection.at) > inspectRetry:
		return Decision{Kind: DoInspect}, true
	case v.Collection.of(c, v.Now) != nil && v.Now.Sub(v.Collection.asked) > inspectAgain:
		return Decision{Kind: DoCollect}, true
	}
	return Decision{}, false
}
