package healer

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

// A writer to the topics may publish what we signed again, byte for
// byte. None of it may change anything.

// republish publishes copies of what stands on the log and pick chooses. It
// uses none of the sim's chance and changes no delay, so that the history is
// the same with it and without.
func (m *sim) republish(pick func(at time.Time) bool) {
	if !m.logUp {
		return // what is on its way stands on the log before its copy
	}
	give := func(in Input) {
		if m.on() && m.replayed {
			m.after(0, m.living(func() { m.deliver(func() Input { return in }) }))
		}
	}
	for _, r := range again(&m.services, m.now, pick) {
		give(r)
	}
	for _, r := range again(&m.commands, m.now, pick) {
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

// read says whether what was written at that time was read long ago: a record
// cannot be published again before it exists.
func read(at, now time.Time) bool { return now.Sub(at) > 5*time.Second }

func again[I Input](topic *[]onWire[I], now time.Time, pick func(time.Time) bool) []I {
	var copies []I
	for _, r := range slices.Clone(*topic) {
		if h, is := any(r.in).(ReadHealth); is && !h.Signed {
			continue // any program may write that, at any time
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

// TestRepublishedRecordsChangeNoHistory lives random histories twice,
// once with copies of what was signed coming in all the time: both have to be
// the same, word for word.
func TestRepublishedRecordsChangeNoHistory(t *testing.T) {
	long(t)
	for seed := range uint64(max(1, histories(t, 2400)/20)) {
		plain := random(seed, false)
		m := randomSim(seed)
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

// standing is what is published of the first service, but for when and by which claim.
func standing(m *sim) string {
	s := m.status("svc-0")
	s.Time, s.Revision, s.Origin = time.Time{}, 0, event.Origin{}
	return string(event.Encode(s))
}

// TestRepublishedRecordsChangeNothing runs each scenario twice, once with
// everything published again, again and again; afterwards as before it the same
// has to follow from the same.
func TestRepublishedRecordsChangeNothing(t *testing.T) {
	long(t)
	stop := func(m *sim, b *box) { do("stop", m, b); m.run(60 * time.Second) }
	for _, tt := range []struct {
		name     string
		scenario func(*sim, *box)
	}{
		{"while it is up", func(m *sim, b *box) {}},
		{"after an outage", stop},
		{"after a stop that was ignored", func(m *sim, b *box) { do("ignored stop", m, b); m.run(60 * time.Second) }},
		{"after a bad answer", func(m *sim, b *box) { do("error", m, b); m.run(60 * time.Second) }},
		{"after Docker was unreachable", func(m *sim, b *box) { do("docker unreachable", m, b); m.run(2 * time.Minute) }},
		{"while a stop stands", func(m *sim, b *box) { stop(m, b); stop(m, b) }},
		{"while nothing helps", func(m *sim, b *box) { b.app = "broken"; m.run(4 * time.Minute) }},
		{"after a restart", func(m *sim, b *box) { do("error", m, b); m.run(60 * time.Second); m.kill(); m.run(40 * time.Second) }},
		{"after an injection", func(m *sim, b *box) { m.inject(); m.run(30 * time.Second) }},
		{"after a hold was released", func(m *sim, b *box) { m.hold(""); m.run(time.Second); m.release(); m.run(10 * time.Second) }},
		{"on hold again", func(m *sim, b *box) {
			for _, command := range []func(){func() { m.hold("") }, func() { m.release() }, func() { m.hold("") }} {
				command()
				m.run(10 * time.Second)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, m *sim, b *box) {
				plain, same := quiet(t, func(p *sim) { p.stopFirst, p.cfg = m.stopFirst, m.cfg })
				both := func(do func(*sim, *box)) {
					do(plain, same)
					do(m, b)
				}
				compare := func(when string) {
					t.Helper()
					want, got := incidentsOf(plain), incidentsOf(m)
					if n := len(want); len(got) != n || !slices.EqualFunc(want, got, bytes.Equal) {
						t.Errorf("%s: %d records of incidents and %d, the last are %s and %s", when, n, len(got), nth(want, n-1), nth(got, len(got)-1))
					}
					if before, after := standing(plain), standing(m); before != after {
						t.Errorf("%s:\nplain: %s\nelse:  %s", when, before, after)
					}
				}
				both(tt.scenario)
				both(func(m *sim, _ *box) { m.run(10 * time.Second) })
				for range 3 {
					m.republish(everything)
				}
				for range 8 {
					both(func(m *sim, _ *box) { m.run(500 * time.Millisecond) })
					m.republish(everything)
				}
				compare("at once")
				both(func(m *sim, b *box) { do("stop", m, b); m.run(30 * time.Second) })
				m.republish(everything)
				compare("after a stop")
				both(func(m *sim, _ *box) { m.crash(3 * time.Second) })
				m.republish(everything)
				both(func(m *sim, _ *box) { m.run(40 * time.Second) })
				compare("after a restart")
				both(func(m *sim, b *box) { do("kill", m, b); m.run(40 * time.Second) })
				compare("after a kill")
			}, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }))
		})
	}
}

// TestOldObservationsAtAStartSayNothing lets a start find nothing within its reach but
// copies of an outage that is long over.
func TestOldObservationsAtAStartSayNothing(t *testing.T) {
	m, b := quiet(t)
	do("error", m, b)
	m.run(9 * time.Second)
	m.crash(pastHealth + time.Minute)
	b.app = "ok"
	m.run(pastHealth + 59*time.Second) // for longer than a start reads back, and not so long that they are too old to count
	m.health = slices.DeleteFunc(m.health, func(r onWire[ReadHealth]) bool { return r.in.Log.Status != event.Down })
	m.incidents = slices.DeleteFunc(m.incidents, func(w written) bool { return w.event.Type != event.TypeClaim })
	m.services = nil
	m.republish(everything)
	if n := len(m.health); n < 4 {
		t.Fatalf("%d observations", n)
	}
	m.until(t, "the next claim", func() bool { _, owns := m.owner(); return owns })
	if got := m.services[0].in.Service; got.Status != event.Pending || len(got.Sources) != 0 {
		t.Errorf("it is %s by %v, of which nothing is known", got.Status, got.Sources)
	}
}

// commandAgain publishes what stands on the commands' topic once more.
func (m *sim) commandAgain(i int) {
	c := m.commands[i].in.Command
	m.commands = append(m.commands, onWire[ReadCommand]{ReadCommand{c}, m.now, true})
	m.read(event.TopicCommands, func() Input { return ReadCommand{c} })
}

// TestRepublishedHoldOrReleaseSwitchesNothing: what they switch is decided by the newest.
func TestRepublishedHoldOrReleaseSwitchesNothing(t *testing.T) {
	const hold, held, release, released = 0, 1, 2, 3
	for _, tt := range []struct {
		name   string
		onHold bool
		again  []int
	}{
		{"hold", false, []int{held, hold, released, held, hold}},
		{"release", true, []int{release, released, held, hold, released}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, b := quiet(t)
			m.hold("")
			m.run(time.Second)
			m.release()
			m.run(time.Second)
			if tt.onHold {
				m.hold("")
				m.run(time.Second)
			}
			for _, i := range tt.again {
				m.commandAgain(i)
			}
			m.run(time.Second)
			do("kill", m, b)
			m.run(5 * time.Second)
			if onHold := m.gate() == "hold"; onHold != tt.onHold {
				t.Errorf("held by %q", m.gate())
			}
		})
	}
}

// TestRepublishedInjectionExcusesNothing stops the container a while after an
// injection, which is published again just before it.
func TestRepublishedInjectionExcusesNothing(t *testing.T) {
	m, b := quiet(t, configured(func(c *Config) { c.ManualGrace = 5 * time.Second }))
	m.inject()
	m.run(20 * time.Second)
	m.commandAgain(0)
	m.run(50 * time.Millisecond)
	do("stop", m, b)
	m.run(3 * time.Second)
	wantHeld(t, m, "operator")
}

// TestRepublishedCommandOfLongAgoChangesNothing: by then it is forgotten that it
// was read.
func TestRepublishedCommandOfLongAgoChangesNothing(t *testing.T) {
	m, b := quiet(t)
	m.hold("")
	m.run(time.Second)
	m.release()
	m.run(time.Second)
	m.hold("")
	m.run(time.Second)
	released := 3
	held := m.commands[1]
	for range 2 {
		m.sleep(4 * 24 * time.Hour)
		m.run(time.Second)
	}
	m.commandAgain(released)
	m.run(time.Second)
	do("kill", m, b)
	m.run(10 * time.Second)
	wantHeld(t, m, "hold")

	held.at, held.copy = m.now.Add(-2*24*time.Hour), true // published again then, and its first is gone
	m.commands = []onWire[ReadCommand]{held}
	m.crash(time.Second)
	m.run(20 * time.Second)
	wantActions(t, m, "start")
}

// TestOldRecordOverOursIsWrittenAgain has what we published of a service written
// again where an old record was published over it, not more than once a minute.
func TestOldRecordOverOursIsWrittenAgain(t *testing.T) {
	m, b := quiet(t)
	do("stop", m, b)
	m.run(60 * time.Second)
	if n := len(m.services); m.services[n-1].in.Service.Revision != int64(n) {
		t.Errorf("the revision of the record %d is %d", n, m.services[n-1].in.Service.Revision)
	}
	m.run(10 * time.Minute)
	n := len(m.services)
	m.run(10 * time.Minute)
	if len(m.services) != n {
		t.Fatalf("%d records about a service that does not change", len(m.services)-n)
	}
	old := m.services[1].in
	for range 600 {
		m.step(old)
		m.run(time.Second)
	}
	if more := len(m.services) - n; more < 9 || more > 11 {
		t.Errorf("%d records in ten minutes in which an old one came each second, want one a minute", more)
	}
}

// TestOldRecordOverTheNewestIsNotBelievedAtAStart, nor one of a service that was
// removed after it.
func TestOldRecordOverTheNewestIsNotBelievedAtAStart(t *testing.T) {
	m, b := quiet(t)
	do("stop", m, b)
	m.run(60 * time.Second)
	newest, old := m.services[len(m.services)-1], m.services[1]
	gone := newest
	gone.in.Service.Service, gone.in.Service.Definition = "svc-1", nil
	before := gone
	before.in.Service.Definition, before.in.Service.Revision = newest.in.Service.Definition, gone.in.Service.Revision-1
	m.crash(time.Second)
	m.services = []onWire[ReadService]{newest, old, gone, before}
	m.run(time.Second)
	m.until(t, "the next claim", func() bool { _, owns := m.owner(); return owns })
	want := newest.in.Service
	if got := m.services[4].in.Service; got.Status != want.Status || !got.Since.Equal(want.Since) {
		t.Errorf("the start takes it for %s since %s, it was published as %s since %s", got.Status, got.Since, want.Status, want.Since)
	}
	m.run(time.Minute)
	if got, published := m.published["svc-1"]; published {
		t.Errorf("what was removed is back, to be removed again: %+v", got)
	}
}

// TestCheckCountsAfterTheClockWasSetBack: records are ordered by their revision,
// not by their times.
func TestCheckCountsAfterTheClockWasSetBack(t *testing.T) {
	m, b := quiet(t)
	for range 2 {
		m.observe(b, "http", event.Down, m.now.Add(-4*time.Minute))
	}
	m.run(200 * time.Millisecond)
	if got := m.source("svc-0", "me", "http"); got != event.Down {
		t.Errorf("after two failed checks that are dated before the last one our check is published as %s", got)
	}
}
