package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// What a start of ours must not change, and what it must find out.

func TestASecondStopStandsOverARestartOfOurs(t *testing.T) {
	for _, fault := range []string{"stop", "pause"} {
		m, b := quiet(t)
		do(fault, m, b)
		m.run(60 * time.Second)
		do(fault, m, b)
		m.run(20 * time.Minute)
		before := b.state.Status
		if gate(m) != "operator" {
			t.Fatalf("held %q", gate(m))
		}
		n := len(m.incidents)
		m.kill()
		m.run(5 * time.Minute)
		if b.state.Status != before || gate(m) != "operator" {
			t.Errorf("%s: it is %s, held %q", fault, b.state.Status, gate(m))
		}
		if more := len(m.incidents) - n; more > 1 {
			t.Errorf("%d records after a restart that changed nothing", more)
		}
	}
}

func TestARestartWithAPublishedStatusOfLongAgo(t *testing.T) {
	m, b := quiet(t)
	published := m.services["svc-0"]
	now := published.Time.Add(10 * time.Minute)
	w := NewWorld(m.cfg, "me", "local", []service.Definition{b.def}, nil, now)
	w.Step(ReadService{published}, published.Time)
	w.Step(Tick{}, now) // a replay may take longer than a tick
	w.Step(Replayed{"n"}, now)
	w.Step(Tick{}, now)
	if got := w.services["svc-0"].status.Value; got != event.Up {
		t.Errorf("right after the start it is %s, and was published as %s", got, published.Status)
	}
}

func TestAServiceThatLeftTheConfigurationWhileWeWereAway(t *testing.T) {
	m, b := quiet(t)
	m.world.services["svc-0"].def.Heal.ManualStop = service.StopIgnore
	do("stop", m, b)
	m.run(time.Minute)
	now := m.now
	w := NewWorld(m.cfg, "me", "local", nil, nil, now)
	w.Step(ReadService{m.services["svc-0"]}, now)
	for _, r := range m.incidents {
		w.Step(ReadIncident{r.event}, now)
	}
	var effects []Effect
	for _, e := range w.Step(Replayed{"n"}, now) {
		effects = append(effects, w.Step(ReadIncident{e.(Append).Event}, now)...)
	}
	for range 3 {
		for _, e := range effects {
			if a, is := e.(Append); is {
				effects = append(effects, w.Step(ReadIncident(a), now)...)
			}
		}
		effects = append(effects, w.Step(Tick{}, now)...)
	}
	gone := false
	for _, e := range effects {
		p, is := e.(Publish)
		gone = gone || is && p.Service.Definition == nil
	}
	if in := w.incidents.Of("svc-0", "local"); !gone || in[len(in)-1].State != state.Resolved {
		t.Errorf("published as gone: %v; its incident is %s", gone, in[len(in)-1].State)
	}
}

// TestARestartKeepsTheTimes: a replay reads when the broker took a record, which
// is not when it was read.
func TestARestartKeepsTheTimes(t *testing.T) {
	m, b := quiet(t)
	b.app = "broken"
	m.run(30 * time.Second)
	before := m.world.services["svc-0"].status
	m.kill()
	m.run(40 * time.Second)
	after := m.world.services["svc-0"].status
	if after.Value != event.Down || !after.Since.Equal(before.Since) || !after.FirstBad.Equal(before.FirstBad) {
		t.Errorf("%s since %s, first bad %s; it was %s since %s, first bad %s", after.Value, after.Since, after.FirstBad, before.Value, before.Since, before.FirstBad)
	}
}
