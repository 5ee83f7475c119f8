package monitor

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// In what order records are written, and what is written before the engine answers.

func TestRecordsWaitForTheLogInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		b.log.setUnreachable(true)
		engine.happen(exited(pay, "1", 1), container.ActionDie)
		settle(time.Second)
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(10 * time.Minute)
		if b.log.refused < 10 {
			t.Errorf("%d appends were tried in ten minutes", b.log.refused)
		}
		b.log.setUnreachable(false)
		settle(maxRetry)
		expectRecords(t, "when it is back", b.log.appended(t)[2:],
			"die pay", "pay DOWN: container pay exited with code 1", "start pay", "pay UP")
		levels := b.log.health(t, event.CheckContainer)
		if age := time.Since(levels[len(levels)-1].Time()); age > levelEvery+maxRetry {
			t.Errorf("the newest level is %s old", age)
		}
		b.end(t)
	})
}

func TestInspectionsInParallelAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var services []service.Definition
		engine := newScripted()
		for i := range 100 {
			name := fmt.Sprintf("service-%d", i)
			engine.states[name] = running(name, name)
			services = append(services, define(name, time.Hour))
		}
		b := newBench(engine, services...)
		b.start(t.Context())
		settle(time.Second)
		if n := len(b.log.health(t, event.CheckContainer)); n != 100 {
			t.Errorf("%d levels of 100 containers", n)
		}
		b.end(t)
	})
}

// TestRevisionsGrowInTheOrderOfTheTopic also over a restart of Run, under which
// the claim stays.
func TestRevisionsGrowInTheOrderOfTheTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		b := newBench(engine, define(pay, 2*time.Second))
		b.owner.set(0, "")
		b.start(t.Context())
		settle(3 * time.Second)
		b.owner.set(3, "nonce-3")
		settle(time.Second)
		engine.happen(exited(pay, "1", 137), container.ActionKill, container.ActionDie)
		settle(40 * time.Second)
		b.end(t)
		b.start(t.Context())
		settle(40 * time.Second)
		b.end(t)
		last, n := map[string]int64{}, map[string]int{}
		for _, r := range b.log.all() {
			source, revision := r.Topic, int64(0)
			var origin event.Origin
			switch r.Topic {
			case event.TopicDocker:
				d, _ := event.DecodeDocker(r.Value)
				revision, origin = d.Revision, d.Origin
			case event.TopicHealth:
				h, _ := event.DecodeHealthLog(r.Value)
				source, revision, origin = h.Check, h.Revision, h.Origin
			}
			if source == "http" && origin.Epoch == 0 {
				continue // of before the claim
			}
			if revision <= last[source] || origin.Epoch != 3 || origin.Nonce != "nonce-3" {
				t.Errorf("of %s the revision %d follows %d, under %+v", source, revision, last[source], origin)
			}
			last[source] = revision
			n[source]++
		}
		if n[event.TopicDocker] < 4 || n[event.CheckContainer] < 4 || n["http"] < 20 {
			t.Errorf("there are %v", n)
		}
	})
}

func TestADeathOfAnotherLifeIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		time.Sleep(time.Second)
		engine := newScripted(running(pay, "2"))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(running(pay, "1"), container.ActionDie) // a container that had the name before
		engine.set(func() { s := engine.states[pay]; s.ID = "2"; engine.states[pay] = s })
		engine.send(container.Event{Time: began, Name: pay, ID: "2", Action: container.ActionDie})
		settle(time.Second)
		for _, line := range b.log.appended(t) {
			if strings.Contains(line, "DOWN") {
				t.Errorf("%q", b.log.appended(t))
			}
		}
		b.end(t)
	})
}
