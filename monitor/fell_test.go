package monitor

import (
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
)

// TestAnEventIsWrittenBeforeTheInspection has an engine that answers only once it is
// through with a death, or a pause. The inspection leaves it to a repair for a moment.
func TestAnEventIsWrittenBeforeTheInspection(t *testing.T) {
	for action, want := range map[container.Action]string{container.ActionDie: "pay DOWN: container pay exited with code 3", container.ActionPause: "pay DOWN: container pay is paused"} {
		t.Run(string(action), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := newScripted(running(pay, "1"))
				state := exited(pay, "1", 3)
				state.StartedAt = time.Now()
				if action == container.ActionPause {
					state = running(pay, "1")
					state.Status = container.Paused
				}
				b := newBench(engine, define(pay, time.Hour))
				b.start(t.Context())
				settle(time.Second)
				engine.set(func() { engine.slow, engine.inspections = 5*time.Second, 0 })
				engine.happen(state, action)
				synctest.Wait() // no time passes
				expectRecords(t, "at once", b.log.appended(t)[2:], string(action)+" pay", want)
				settle(fallPause - time.Millisecond)
				engine.set(func() {
					if engine.inspections != 0 {
						t.Errorf("inspected %d times at once", engine.inspections)
					}
				})
				settle(2 * tick)
				engine.set(func() {
					if engine.inspections != 1 {
						t.Errorf("inspected %d times a moment later", engine.inspections)
					}
				})
				settle(10 * time.Second)
				expectRecords(t, "the inspection says the same", b.log.appended(t)[2:], string(action)+" pay", want)
				b.end(t)
			})
		})
	}
}

// TestAnEchoOfAPauseIsNotWritten: after a quick unpause the engine reports a pause
// and an unpause that never happened.
func TestAnEchoOfAPauseIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newScripted(running(pay, "1"))
		now := running(pay, "1")
		paused := now
		paused.Status = container.Paused
		b := newBench(engine, define(pay, time.Hour))
		b.start(t.Context())
		settle(time.Second)
		engine.happen(paused, container.ActionPause)
		settle(time.Second)
		engine.happen(now, container.ActionUnpause)
		settle(100 * time.Millisecond)
		before := len(b.log.appended(t))
		engine.happen(now, container.ActionPause, container.ActionUnpause)
		settle(time.Second)
		expectRecords(t, "the echo", b.log.appended(t)[before:], "pause pay", "unpause pay")
		b.end(t)
	})
}
