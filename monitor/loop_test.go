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

// happening is an engine's event at seconds.
type happening struct {
	at     float64
	action container.Action
	signal string
}

func TestACrashLoopIsThreeStartsByThePolicyWithinAMinute(t *testing.T) {
	const start, die, stop, kill = container.ActionStart, container.ActionDie, container.ActionStop, container.ActionKill
	looping := []happening{{0, start, ""}, {1, die, ""}, {2, start, ""}, {3, die, ""}, {4, start, ""}, {5, die, ""}, {6, start, ""}}
	with := func(more ...happening) []happening { return append(looping[:len(looping):len(looping)], more...) }
	for name, test := range map[string]struct {
		events   []happening
		at       float64 // of the inspection
		restarts int
		period   time.Duration
		loops    bool
	}{
		"three starts":                     {looping, 7, 3, 0, true},
		"two starts":                       {looping[:5], 7, 2, 0, false},
		"three starts in more than that":   {[]happening{{0, start, ""}, {1, die, ""}, {2, start, ""}, {3, die, ""}, {35, start, ""}, {36, die, ""}, {63, start, ""}}, 64, 3, 0, false},
		"it ran for 30 s":                  {looping, 36, 3, 0, false},
		"it ran for less":                  {looping, 35.9, 3, 0, true},
		"it starts slowly":                 {looping, 65, 3, time.Minute, true},
		"it starts slowly, and has":        {looping, 66, 3, time.Minute, false},
		"it ended again":                   {with(happening{30, die, ""}, happening{31, start, ""}), 50, 4, 0, true},
		"it ended after a long run":        {with(happening{37, die, ""}, happening{38, start, ""}), 39, 4, 0, false},
		"it was started by hand":           {looping, 7, 0, 0, false},
		"stopped and started in between":   {with(happening{7, kill, "15"}, happening{7.1, die, ""}, happening{7.2, stop, ""}, happening{8, start, ""}), 9, 4, 0, false},
		"stopped as Docker 29 reports":     {with(happening{7, kill, "3"}, happening{7.1, stop, ""}, happening{7.2, die, ""}, happening{8, start, ""}), 9, 4, 0, false},
		"each time it was killed":          {[]happening{{0, start, ""}, {1, kill, "9"}, {1, die, ""}, {2, start, ""}, {3, kill, "9"}, {3, die, ""}, {4, start, ""}, {5, kill, "9"}, {5, die, ""}, {6, start, ""}}, 7, 3, 0, false},
		"a signal that ends nothing":       {with(happening{6.5, kill, "1"}, happening{7, die, ""}, happening{8, start, ""}), 9, 4, 0, true},
		"the first start was not observed": {looping[1:], 7, 3, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			instant := func(s float64) time.Time { return zero.Add(time.Duration(s * float64(time.Second))) }
			loops := crashLoops{}
			for _, h := range test.events {
				loops.observe(event.Docker{ID: "1", Action: string(h.action), Signal: h.signal, Time: instant(h.at)}, instant(h.at))
			}
			s := container.State{ID: "1", Name: pay, Status: container.Running, RestartCount: test.restarts}
			seen, _ := levelOf(pay, s, nil)
			got := loops.judge(seen, s, test.period, instant(test.at))
			if is := got.failure == event.FailureCrashLoop; is != test.loops || is != (got.status == event.Down) {
				t.Errorf("the level is %+v, want a loop: %v", got, test.loops)
			}
		})
	}
}

func TestCrashLoopsAreBounded(t *testing.T) {
	loops := crashLoops{}
	for i := range 2 * maxLives {
		loops.observe(event.Docker{ID: fmt.Sprint(i), Action: "start"}, zero)
	}
	if len(loops) > maxLives {
		t.Errorf("%d containers are remembered", len(loops))
	}
	loops = crashLoops{"1": {}}
	if loops.observe(event.Docker{ID: "1", Action: "destroy"}, zero); len(loops) != 0 {
		t.Error("a container that was removed is remembered")
	}
}

// crash has a container exit and be started by its policy.
func crash(engine *scriptedRuntime, count int) {
	s := exited(pay, "1", 78)
	s.Status, s.RestartPolicy, s.RestartCount = container.Restarting, "always", count
	engine.happen(s, container.ActionDie)
	settle(time.Second)
	s = running(pay, "1")
	s.RestartPolicy, s.RestartCount = "always", count
	engine.happen(s, container.ActionStart)
	settle(time.Second)
}

func TestACrashLoopIsDownUntilItRanAlsoForANewProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(exited(pay, "1", 0))
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(running(pay, "1"), container.ActionStart)
		settle(time.Second)
		for count := 1; count <= 3; count++ {
			crash(engine, count)
		}
		const loops = "pay DOWN: container pay keeps exiting: its restart policy started it 3 times within a minute"
		last := func() string { all := b.log.appended(t); return all[len(all)-1] }
		if got := last(); got != loops {
			t.Errorf("it runs for a moment: %q", got)
		}
		b.end(t)

		after := newBench(engine, define(pay, time.Hour))
		after.log = b.log
		after.Monitor = New(Deps{Log: b.log, Runtime: engine, Identity: identity, Owner: after.owner.get, Services: []service.Definition{define(pay, time.Hour)},
			Logger: b.deps.Logger, Health: after.registry})
		after.newCheck = b.newCheck
		after.owner.set(2, "nonce-2")
		after.start(t.Context())
		settle(2 * time.Second)
		levels := b.log.health(t, event.CheckContainer)
		if got := levels[len(levels)-1]; got.Nonce != "nonce-2" || got.Status != event.Down || got.Failure != event.FailureCrashLoop {
			t.Errorf("a new process says %+v", got)
		}
		settle(24 * time.Second)
		if got := last(); got != loops {
			t.Errorf("before it ran for 30 s: %q", got)
		}
		settle(4 * time.Second)
		if got := last(); got != "pay UP" {
			t.Errorf("after it ran for 30 s: %q", got)
		}
		if strings.Count(strings.Join(b.log.appended(t), "\n"), loops) > 6 {
			t.Errorf("the same is written again and again: %q", b.log.appended(t))
		}
		after.end(t)
	})
}
