package healer_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"logstream/healer"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// observed is one life as Observe gave it.
type observed struct {
	services []service.Definition
	began    time.Time
	steps    []observedStep
}

type observedStep struct {
	in  healer.Input
	at  time.Time
	out []healer.Effect
}

// TestEveryInputIsObservedWithItsEffects: a controller that gets the same again
// decides the same, and nothing was written or called that was not observed.
func TestEveryInputIsObservedWithItsEffects(t *testing.T) {
	var lives []*observed
	onSite(t, []string{"web", "db"}, func(s *site) {
		s.observe = func(services []service.Definition, began time.Time) func(healer.Input, time.Time, []healer.Effect) {
			life := &observed{services: services, began: began}
			lives = append(lives, life)
			return func(in healer.Input, at time.Time, out []healer.Effect) {
				life.steps = append(life.steps, observedStep{in, at, slices.Clone(out)})
			}
		}
	}, func(s *site) {
		s.harm("web", container.FaultKill)
		s.repaired("web")
		s.engine.fail("Start", callFault{slow: 3 * time.Second})
		s.harm("db", container.FaultKill)
		s.until("the call", func() bool { return s.engine.underway("Start") > 0 })
		s.configure("db")
		time.Sleep(time.Second)
		s.stop()
		s.boot()
		s.repaired("db")
		s.stop()

		if len(lives) != 2 {
			t.Fatalf("%d lives were observed, want 2", len(lives))
		}
		appended, executed, read := 0, 0, 0
		for n, life := range lives {
			c := healer.NewController(healer.Setup{Config: s.config, CLI: "docker", Instance: instance, Host: hostName, Services: life.services}, life.began)
			for i, step := range life.steps {
				if out := c.Step(step.in, step.at); len(out)+len(step.out) > 0 && !reflect.DeepEqual(out, step.out) {
					t.Fatalf("life %d, step %d, %T: the effects were\n%+v\nand are\n%+v", n+1, i+1, step.in, step.out, out)
				}
				if _, is := step.in.(healer.ReadIncident); is {
					read++
				}
				for _, e := range step.out {
					switch e := e.(type) {
					case healer.Append:
						appended += len(e.Events)
					case healer.Execute:
						executed++
					}
				}
			}
		}
		if n := len(s.log.attempted(event.TopicIncidents)); n != appended {
			t.Errorf("%d appends, and %d were observed", n, appended)
		}
		if n := len(s.calls()); n != 2 || executed != n {
			t.Errorf("%d calls, and %d were observed", n, executed)
		}
		delivered := 0
		for _, m := range s.timeline.marked() {
			if m.kind == "read" {
				delivered++
			}
		}
		if delivered != read {
			t.Errorf("%d records were delivered, and %d observed", delivered, read)
		}
		last := lives[0].steps[len(lives[0].steps)-1]
		if _, is := last.in.(healer.Executed); !is || len(last.out) != 1 {
			t.Errorf("the last of the first life is %T with %+v, want the result of the call", last.in, last.out)
		}
	})
}
