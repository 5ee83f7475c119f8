package healer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Whoever may write to the topics may publish what we signed again, byte for
// byte. None of it may change anything.

// republish publishes copies of what stands on the log and pick chooses. It
// uses none of the sim's chance and changes no delay, so that the history is
// the same with it and without.
func (m *sim) republish(pick func(at time.Time) bool) {
	if !m.logUp {
		return // what is on its way stands on the log before its copy
	}
	give := func(in Input) {
		if m.on() && m.world.replayed {
			m.after(0, m.living(func() { m.deliver(func() Input { return in }) }))
		}
	}
	for _, r := range again(&m.said, m.now, pick) {
		give(r)
	}
	for _, r := range again(&m.docker, m.now, pick) {
		give(r)
	}
	for _, r := range again(&m.health, m.now, pick) {
		if r.Signed {
			give(r)
		}
	}
	for _, w := range slices.Clone(m.incidents) {
		if at := w.event.Time; w.copy.IsZero() && read(at, m.now) && pick(at) {
			m.incidents = append(m.incidents, written{w.value, w.event, m.now})
			give(ReadIncident{decoded(w.value)})
		}
	}
}

// read says whether what was written at that time was read long ago: nobody
// can publish again what is not there yet.
func read(at, now time.Time) bool { return now.Sub(at) > 5*time.Second }

func again[I Input](topic *[]onWire[I], now time.Time, pick func(time.Time) bool) []I {
	var copies []I
	for _, r := range slices.Clone(*topic) {
		if h, is := any(r.in).(ReadHealth); is && !h.Signed {
			continue // everybody may say that, at any time
		}
		if !r.copy && read(r.at, now) && pick(r.at) {
			*topic = append(*topic, onWire[I]{r.in, now, true})
			copies = append(copies, r.in)
		}
	}
	return copies
}

func everything(time.Time) bool { return true }

// incidentsOf is what was written by us, word for word.
func incidentsOf(m *sim) [][]byte {
	var all [][]byte
	for _, w := range m.incidents {
		if w.copy.IsZero() {
			all = append(all, w.value)
		}
	}
	return all
}

// TestTheSameHistoryWithEverythingRepublished lives random histories twice,
// once with copies of what was signed coming in all the time: both have to be
// the same, word for word.
func TestTheSameHistoryWithEverythingRepublished(t *testing.T) {
	for seed := range uint64(histories(t, 2400)/20) {
		plain := random(seed, false)
		m := newSim(seed, 1+int(seed%2))
		chance := rand.New(rand.NewPCG(seed, 99))
		var spam func()
		spam = func() {
			m.republish(func(at time.Time) bool { return chance.IntN(1+int(m.now.Sub(at)/time.Second)) < 3 })
			m.after(1700*time.Millisecond, spam)
		}
		m.after(7*time.Second, spam)
		m.live()
		want, got := incidentsOf(plain), incidentsOf(m)
		if m.broken != plain.broken || !slices.EqualFunc(want, got, bytes.Equal) {
			n := 0
			for n < min(len(want), len(got)) && bytes.Equal(want[n], got[n]) {
				n++
			}
			t.Fatalf("history %d: %q and %q, %d and %d records of incidents, the first %d are the same; then %s and %s",
				seed, plain.broken, m.broken, len(want), len(got), n, nth(want, n), nth(got, n))
		}
	}
}

func nth(list [][]byte, n int) []byte {
	if n < len(list) {
		return list[n]
	}
	return []byte("nothing")
}

// told is what the world holds to be the case.
func told(m *sim) string {
	s := m.world.services["svc-0"]
	text := fmt.Sprintf("%s since %s, level %q, sources %v, good %d, hold %v, chaos %d, lost %s, tape %d", s.status.Value, s.status.Since,
		s.status.Level(), s.status.Sources(), s.good.n, m.world.held, len(s.chaos), m.world.streamLost, len(m.world.history(s)))
	if s.incident != nil {
		text += fmt.Sprintf(", incident %s/%d %s held %q", s.incident.ID, s.incident.Seq(), s.incident.State, s.incident.Held)
	}
	return text
}

func TestRepublishedRecordsChangeNothing(t *testing.T) {
	for _, tt := range []struct {
		name  string
		story func(*sim, *box)
	}{
		{"while it is up", func(m *sim, b *box) {}},
		{"after an outage", func(m *sim, b *box) { do("stop", m, b); m.run(60 * time.Second) }},
		{"after a bad answer", func(m *sim, b *box) { do("error", m, b); m.run(60 * time.Second) }},
		{"after the engine was away", func(m *sim, b *box) { do("engine away", m, b); m.run(2 * time.Minute) }},
		{"while it is held", func(m *sim, b *box) {
			do("stop", m, b)
			m.run(60 * time.Second)
			do("stop", m, b)
			m.run(60 * time.Second)
		}},
		{"while nothing helps", func(m *sim, b *box) { b.app = "broken"; m.run(4 * time.Minute) }},
		{"after a restart", func(m *sim, b *box) { do("error", m, b); m.run(60 * time.Second); m.kill(); m.run(40 * time.Second) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, b := quiet(t)
			tt.story(m, b)
			m.run(10 * time.Second)
			before, done := told(m), len(actions(m))
			for range 3 {
				m.republish(everything)
				m.run(0)
			}
			if after := told(m); after != before {
				t.Errorf("before: %s\nafter:  %s", before, after)
			}
			status := m.world.services["svc-0"].status.Value
			for range 8 {
				m.run(500 * time.Millisecond)
				m.republish(everything)
			}
			m.kill()
			m.republish(everything)
			m.run(40 * time.Second)
			if got := m.world.services["svc-0"].status.Value; got != status || len(originals(m)) != done {
				t.Errorf("after a restart it is %s, and was %s; %d actions, and were %d", got, status, len(originals(m)), done)
			}
		})
	}
}

// originals are the actions that we began ourselves.
func originals(m *sim) []string {
	var out []string
	for _, w := range m.incidents {
		if data, is := w.event.Data.(event.ActionStarted); is && w.copy.IsZero() {
			out = append(out, data.Action)
		}
	}
	return out
}

// TestOldObservationsAtAStart lets a start find nothing within its reach but
// copies of an outage that is long over.
func TestOldObservationsAtAStart(t *testing.T) {
	m, b := quiet(t)
	do("error", m, b)
	m.run(9 * time.Second)
	m.kill()
	m.world = nil
	m.queue = nil // nobody is there, for longer than a start reads back
	b.app = "ok"
	m.now = m.now.Add(pastHealth + time.Minute)
	m.health = slices.DeleteFunc(m.health, func(r onWire[ReadHealth]) bool { return r.in.Log.Status != event.Down })
	m.incidents = slices.DeleteFunc(m.incidents, func(w written) bool { return w.event.Type != event.TypeClaim })
	m.said = nil
	m.republish(everything)
	if n := len(m.health); n < 4 {
		t.Fatalf("%d observations", n)
	}
	w := NewWorld(m.cfg, "me", "local", []service.Definition{b.def}, nil, m.now)
	for _, r := range m.incidents {
		w.Step(ReadIncident{r.event}, m.now)
	}
	for _, r := range m.health {
		if m.now.Sub(r.at) < pastHealth {
			w.Step(r.in, r.at)
		}
	}
	if got := w.services["svc-0"].status; got.Value != event.Pending || len(got.Sources()) != 0 {
		t.Errorf("it is %s by %v, of which nothing is known", got.Value, got.Sources())
	}
}

func TestARepublishedCommandChangesNothing(t *testing.T) {
	m, b := quiet(t)
	give := func(c event.Command) { m.world.Step(ReadCommand{c}, m.now) }
	ask := func(id, command string) (request, result event.Command) {
		request = event.Command{ID: id, Time: m.now, By: "operator:ada", Service: event.AllServices, Command: command}
		give(request)
		result = request
		result.Result, result.Origin = &event.CommandResult{OK: true}, m.world.origin()
		give(result)
		return request, result
	}
	hold, held := ask("c1", event.CommandHold)
	release, released := ask("c2", event.CommandRelease)
	for _, c := range []event.Command{hold, held, released, held, hold} {
		give(c)
	}
	if m.world.held != nil {
		t.Error("a hold that was published again holds")
	}
	holdAgain, _ := ask("c3", event.CommandHold)
	for _, c := range []event.Command{release, released, holdAgain} {
		give(c)
	}
	if m.world.held == nil {
		t.Error("a release that was published again releases")
	}
	inject := event.Command{ID: "c4", Time: m.now, Service: "svc-0", Command: event.CommandInject}
	give(inject)
	m.now = m.now.Add(chaosReach)
	for range 3 {
		give(inject)
	}
	if s := m.world.services["svc-0"]; s.byChaos(m.now) || len(s.chaos) != 1 {
		t.Errorf("an injection that was published again excuses what follows: %v", s.chaos)
	}
	m.now = m.now.Add(8 * 24 * time.Hour)
	m.world.Step(Tick{}, m.now) // what it remembers, it forgets now
	m.world.Step(Tick{}, m.now)
	if len(m.world.asked) != 0 {
		t.Errorf("%d commands are remembered after eight days", len(m.world.asked))
	}
	give(released)
	if m.world.held == nil {
		t.Error("a release of eight days ago releases")
	}
	w := NewWorld(m.cfg, "me", "local", []service.Definition{b.def}, nil, m.now)
	w.Step(ReadCommand{held}, m.now.Add(-2*24*time.Hour)) // published again then, and its first is gone
	if w.held != nil {
		t.Error("after a start a hold of eight days ago holds")
	}
}

// TestAnOldRecordOverOurs has what we published of a service written again
// where somebody put an old record over it, and not more than once a minute.
func TestAnOldRecordOverOurs(t *testing.T) {
	m, b := quiet(t)
	do("stop", m, b)
	m.run(60 * time.Second)
	if n := len(m.said); m.said[n-1].in.Service.Revision != int64(n) {
		t.Errorf("the revision of the record %d is %d", n, m.said[n-1].in.Service.Revision)
	}
	m.run(10 * time.Minute)
	n := len(m.said)
	m.run(10 * time.Minute)
	if len(m.said) != n {
		t.Fatalf("%d records about a service that does not change", len(m.said)-n)
	}
	old := m.said[1].in
	for range 600 {
		m.step(old)
		m.run(time.Second)
	}
	if more := len(m.said) - n; more < 9 || more > 11 {
		t.Errorf("%d records in ten minutes in which an old one came each second, want one a minute", more)
	}
	newest := m.said[len(m.said)-1].in.Service
	w := NewWorld(m.cfg, "me", "local", []service.Definition{b.def}, nil, m.now)
	gone := newest
	gone.Service, gone.Definition = "svc-1", nil
	before := gone
	before.Definition, before.Revision = newest.Definition, gone.Revision-1
	for _, r := range []event.Service{newest, old.Service, gone, before} {
		w.Step(ReadService{r}, m.now)
	}
	if s := w.services["svc-0"].status; s.Value != newest.Status || !s.Since.Equal(newest.Since) {
		t.Errorf("a start takes it for %s since %s, it was published as %s since %s", s.Value, s.Since, newest.Status, newest.Since)
	}
	if w.prior["svc-1"].Definition != nil {
		t.Error("what was removed is back")
	}
}

// TestACheckCountsAfterTheClockWasSetBack holds that the revision makes nobody
// deaf, as a comparison of times would.
func TestACheckCountsAfterTheClockWasSetBack(t *testing.T) {
	m, _ := quiet(t)
	for range 2 {
		h := event.HealthLog{Timestamp: event.Seconds(m.now.Add(-4 * time.Minute)), Service: "svc-0", Status: event.Down, Check: "http"}
		h.Origin, h.Revision = m.revise()
		m.world.Step(ReadHealth{h, true}, m.now)
	}
	if !m.world.services["svc-0"].status.OwnDown() {
		t.Error("checks that are dated before the last one do not count")
	}
}

func TestAnotherHostsServiceOfThatNameIsNotOurs(t *testing.T) {
	m, _ := quiet(t)
	before := told(m)
	for range 5 {
		h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: "svc-0", Status: event.Down, Check: "http", Origin: event.Origin{Instance: "they", Host: "theirs"}}
		m.world.Step(ReadHealth{h, true}, m.now)
	}
	if after := told(m); after != before {
		t.Errorf("before: %s\nafter:  %s", before, after)
	}
}

// TestOurNameWithoutOurSignature is foreign, whatever else it copies.
func TestOurNameWithoutOurSignature(t *testing.T) {
	m, b := quiet(t)
	for range 3 {
		owner, revision := m.revise()
		for _, check := range []string{"http", event.CheckContainer} {
			h := event.HealthLog{Timestamp: event.Seconds(m.now), Service: "svc-0", Status: event.Down, Code: 500, Check: check, Revision: revision, Origin: owner}
			m.step(ReadHealth{h, false})
		}
		m.run(2 * time.Second)
	}
	s := m.world.services["svc-0"]
	if s.incident == nil {
		t.Fatalf("nothing is open: %s", told(m))
	}
	if s.status.Value != event.Down || s.status.OwnDown() || s.status.Level() != event.Up || gate(m) != "unconfirmed" || s.incident.State != state.Open {
		t.Errorf("it is %s, own %v, level %s, held %q", s.status.Value, s.status.OwnDown(), s.status.Level(), gate(m))
	}
	for _, source := range s.status.Sources() {
		if source.Status == event.Down && source.Instance != "me"+unsignedMark {
			t.Errorf("the source is shown as %q", source.Instance)
		}
	}
	if len(actions(m)) != 0 || b.state.Status != container.Running {
		t.Errorf("actions %v", actions(m))
	}
}

// TestAnEventOfAnEarlierClaim comes before anything was told under the new one.
func TestAnEventOfAnEarlierClaim(t *testing.T) {
	m, b := quiet(t)
	w := NewWorld(m.cfg, "me", "local", []service.Definition{b.def}, nil, m.now)
	for _, r := range m.incidents {
		w.Step(ReadIncident{r.event}, m.now)
	}
	old, revision := m.revise()
	lost := event.Docker{Time: m.now, Action: event.StreamLost, Revision: revision, Origin: old}
	for _, e := range w.Step(Replayed{"n"}, m.now) {
		w.Step(ReadIncident{e.(Append).Event}, m.now)
	}
	if w.Step(ReadDocker{lost}, m.now); !w.streamLost.IsZero() {
		t.Error("it is taken for news")
	}
	lost.Origin, lost.Revision = w.origin(), 1
	if w.Step(ReadDocker{lost}, m.now); w.streamLost.IsZero() {
		t.Error("the first event of the new claim is not")
	}
}
