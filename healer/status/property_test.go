package status

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
)

var (
	sequences = flag.Int("sequences", 10000, "how many random sequences are compared with the reference model")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first")
)

var healthKey = [2]string{"me", event.CheckHealth}

// op is one thing of a sequence.
type op struct {
	at     time.Time
	what   string // observe, tick, start, claim, redefine
	who    string
	kind   Kind
	check  string
	saw    event.Status
	ago    time.Duration
	extra  bool
	def    service.Definition
	before time.Duration // how long after the one before
}

func (o op) String() string {
	at := o.at.Sub(dawn).Seconds()
	switch o.what {
	case "observe":
		return fmt.Sprintf("%9.3f %s/%s %s, begun %v before, extra %t", at, o.who, o.check, o.saw, o.ago, o.extra)
	case "redefine":
		d := o.def
		return fmt.Sprintf("%9.3f redefine url=%q container=%q every %v, %d/%d window %v start_period %v push %v", at, d.URL, d.Container, d.Interval,
			d.FailureThreshold, d.SuccessThreshold, d.Window, d.StartPeriod, d.Push)
	}
	return fmt.Sprintf("%9.3f %s", at, o.what)
}

func (o op) log() event.HealthLog {
	return event.HealthLog{Timestamp: event.Seconds(o.at.Add(-o.ago)), Service: "pay", Status: o.saw, Check: o.check, Extra: o.extra,
		Origin: event.Origin{Instance: o.who}}
}

func (o op) apply(s *Status) {
	switch o.what {
	case "observe":
		s.Observe(o.log(), o.kind, o.at)
	case "tick":
		s.Tick(o.at)
	case "start":
		s.Started(o.at)
	case "claim":
		s.NewClaim(o.at)
	case "redefine":
		s.Redefine(o.def, o.at)
	}
}

func (o op) applyTo(r *reference) {
	switch h := o.log(); o.what {
	case "observe":
		r.observe([2]string{o.who, o.check}, o.kind, entry{began: h.Time(), saw: o.saw}, o.extra, o.at)
	case "tick":
		r.passTo(o.at)
	case "start":
		r.starts = append(r.starts, o.at)
	case "claim":
		r.claim(o.at)
	case "redefine":
		r.redefine(o.def, o.at)
	}
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// randomDefinition is one of a url, of a container alone, or of push://.
func randomDefinition(rng *rand.Rand, url string) service.Definition {
	d := watched()
	d.URL = url
	d.Container = pick(rng, "pay", "pay", "pay", "other", "")
	if url == "" {
		d.Container = pick(rng, "pay", "pay", "pay", "other")
	}
	d.Interval = pick(rng, 5*time.Second, 10*time.Second, 20*time.Second)
	d.FailureThreshold, d.SuccessThreshold = 1+rng.IntN(3), 1+rng.IntN(3)
	d.Window = pick(rng, service.Window{}, service.Window{Failures: 2, Of: 4}, service.Window{Failures: 3, Of: 5}, service.Window{Failures: 1, Of: 3})
	d.StartPeriod = pick(rng, 0, 0, 15*time.Second, time.Minute)
	if url == "push://" {
		d.Push = pick(rng, service.Push{}, service.Push{Grace: 7 * time.Second}, service.Push{Grace: 20 * time.Second, Schedule: "* * * * *", TimeZone: "UTC"})
	}
	return d
}

// randomSequence is how a service is defined, and what happens to it.
func randomSequence(seed uint64) (service.Definition, []op) {
	rng := rand.New(rand.NewPCG(seed, 23))
	url := pick(rng, "http://pay", "http://pay", "http://pay", "", "push://")
	def := randomDefinition(rng, url)
	now, current := dawn, def
	bias := pick(rng, 0.15, 0.5, 0.85) // how often it is good
	ops := make([]op, 10+rng.IntN(50))
	for i := range ops {
		o := op{what: "observe", who: "me", kind: Own, check: "http"}
		o.before = time.Duration(1+rng.IntN(6000)) * time.Millisecond
		switch n := rng.IntN(20); {
		case n < 3:
			o.before = time.Duration(5+rng.IntN(6)*5) * time.Second // also right on a limit
		case n == 3:
			o.before = time.Duration(30+rng.IntN(90)) * time.Second
		case n == 4:
			o.before = 0
		}
		o.saw = event.Down
		if rng.Float64() < bias {
			o.saw = pick(rng, event.Up, event.Up, event.Up, event.Degraded)
		}
		if rng.IntN(8) == 0 {
			o.ago = pick(rng, time.Second, 3*time.Second, 20*time.Second, 11*time.Minute)
		}
		o.extra = rng.IntN(6) == 0
		switch n := rng.IntN(40); {
		case n < 20:
			if url != "http://pay" {
				o.who, o.kind, o.check = pick(rng, "a", "b"), Foreign, "job"
			}
		case n < 24:
			o.who, o.kind, o.check = pick(rng, "a", "b"), Foreign, "job"
		case n < 29:
			o.kind, o.check, o.extra = OwnersLevel, event.CheckContainer, false
			if o.saw == event.Degraded {
				o.saw = event.Up
			}
		case n < 32:
			o.kind, o.check, o.extra = OwnersHealth, event.CheckHealth, false
		case n < 35:
			o.what = "tick"
		case n < 37:
			o.what = "start"
			o.before = max(o.before, time.Millisecond) // what began at the very instant may be on either side
		case n == 37:
			o.what = "claim"
		default:
			if rng.IntN(6) == 0 {
				url = pick(rng, "http://pay", "http://pay:81", "push://")
			}
			o.what = "redefine"
			next := randomDefinition(rng, url)
			if rng.IntN(2) == 0 { // one key alone
				kept := current
				pick(rng, func() { kept.FailureThreshold = next.FailureThreshold }, func() { kept.Interval = next.Interval },
					func() { kept.Window = next.Window }, func() { kept.Note = "x" })()
				next = kept
			}
			current, o.def = next, next
		}
		now = now.Add(o.before)
		o.at = now
		ops[i] = o
	}
	return def, ops
}

// state is what is compared.
func state(value event.Status, firstBad time.Time, flapping bool, sources []string) string {
	slices.Sort(sources)
	first := "-"
	if !firstBad.IsZero() {
		first = fmt.Sprintf("%.6f", firstBad.Sub(dawn).Seconds())
	}
	return fmt.Sprintf("%s, first bad %s, flapping %t, %s", value, first, flapping, strings.Join(sources, " "))
}

// count is how many sources there are.
func (r *reference) count() int { return len(r.history) + min(1, len(r.missed)) }

func (r *reference) String() string {
	var sources []string
	for key := range r.history {
		status, _ := r.status(key)
		sources = append(sources, fmt.Sprintf("%s/%s=%s", key[0], key[1], status))
	}
	if len(r.missed) > 0 {
		sources = append(sources, fmt.Sprintf("%s/%s=%s", silence[0], silence[1], event.Down))
	}
	return state(r.value, r.firstBad, r.flapping, sources)
}

func (s *Status) String() string {
	var sources []string
	for _, src := range s.Sources() {
		sources = append(sources, fmt.Sprintf("%s/%s=%s", src.Instance, src.Check, src.Status))
	}
	return state(s.Value, s.FirstBad, s.Flapping(), sources)
}

// disagreement is the first op after which the status and the reference differ,
// and how; -1: they agree.
func disagreement(def service.Definition, ops []op, reached map[string]bool) (int, string) {
	s, r := New(def, nil, dawn), newReference(def, dawn)
	for i, o := range ops {
		o.apply(s)
		o.applyTo(r)
		if s.Value != r.value || !s.FirstBad.Equal(r.firstBad) || s.Flapping() != r.flapping || len(s.sources) != r.count() || s.String() != r.String() {
			return i, fmt.Sprintf("it is      %s\nand should be %s", s, r)
		}
		if reached != nil {
			reached[string(r.value)] = true
			reached["flapping"] = reached["flapping"] || r.flapping
			reached["silence"] = reached["silence"] || len(r.missed) > 1
			reached["an outage that outlasts UNKNOWN"] = reached["an outage that outlasts UNKNOWN"] || r.value == event.Unknown && !r.firstBad.IsZero()
			reached["a failure while it starts"] = reached["a failure while it starts"] || r.isStarting()
		}
	}
	return -1, ""
}

// shrink leaves out what a disagreement does not need.
func shrink(ops []op, fails func([]op) bool) []op {
	for again := true; again; {
		again = false
		for i := len(ops) - 1; i >= 0; i-- {
			if fewer := slices.Delete(slices.Clone(ops), i, i+1); fails(fewer) {
				ops, again = fewer, true
			}
		}
	}
	return ops
}

func script(def service.Definition, ops []op) string {
	var b strings.Builder
	fmt.Fprintln(&b, op{what: "redefine", at: dawn, def: def})
	for _, o := range ops {
		fmt.Fprintln(&b, o)
	}
	return b.String()
}

// TestStatusAgreesWithTheReference compares them after everything that happens in
// random sequences of observations, reloads, starts, claims and ticks. It prints
// the shortest sequence that it can find. -sequences and -seed ask for others.
func TestStatusAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	reached := map[string]bool{}
	for seed := *firstSeed; seed < *firstSeed+uint64(raced.Share(*sequences)); seed++ {
		def, ops := randomSequence(seed)
		if i, _ := disagreement(def, ops, reached); i >= 0 {
			ops = shrink(ops[:i+1], func(fewer []op) bool { i, _ := disagreement(def, fewer, nil); return i >= 0 })
			_, how := disagreement(def, ops, nil)
			t.Fatalf("seed %d:\n%s%s", seed, script(def, ops), how)
		}
	}
	for _, what := range []string{"UP", "DEGRADED", "DOWN", "PENDING", "UNKNOWN", "flapping", "silence", "an outage that outlasts UNKNOWN", "a failure while it starts"} {
		if !reached[what] && raced.Share(*sequences) >= 10000 {
			t.Errorf("no sequence reached %s", what)
		}
	}
}

// TestAReplayedPrefixIsWhatWasHeld feeds each sequence twice: once with ticks all
// along, as it happens, and once without any for a random prefix, as it is
// replayed. From there on both are the same, in all that they say.
func TestAReplayedPrefixIsWhatWasHeld(t *testing.T) {
	t.Parallel()
	for seed := *firstSeed; seed < *firstSeed+uint64(raced.Share(*sequences)); seed++ {
		def, ops := randomSequence(seed)
		cut := rand.New(rand.NewPCG(seed, 29)).IntN(len(ops) + 1)
		lived, replayed := New(def, nil, dawn), New(def, nil, dawn)
		at, ticks := dawn, time.Duration(700+seed%4*1000)*time.Millisecond
		for i, o := range ops {
			for at = at.Add(ticks); at.Before(o.at); at = at.Add(ticks) {
				lived.Tick(at)
				if i >= cut {
					replayed.Tick(at)
				}
			}
			at = o.at
			o.apply(lived)
			if i < cut && o.what == "tick" {
				continue
			}
			o.apply(replayed)
			if i >= cut && o.what != "start" && !same(replayed, lived) { // a start has no time of its own
				t.Fatalf("seed %d, after %d replayed and %d more:\n%sreplayed it is\n%+v\nand it was\n%+v", seed, cut, i+1-cut, script(def, ops[:i+1]),
					said(replayed), said(lived))
			}
		}
	}
}

// statement is what a status says, beside its sources.
type statement struct {
	value           event.Status
	since, firstBad time.Time
	decided         event.Source
	last, own       event.HealthLog
	err             string
	known           bool
	wasUp, disputed bool
	flapping        bool
	bad             int
}

func said(s *Status) statement {
	own, known := s.OwnLast()
	return statement{s.Value, s.Since, s.FirstBad, s.Decided, s.Last, own, s.Error, known, s.WasUp(), s.Disputed(), s.Flapping(), s.OwnBadSince(dawn)}
}

func same(a, b *Status) bool { return said(a) == said(b) && slices.Equal(a.Sources(), b.Sources()) }
