package status

import (
	"maps"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// reference is the status made simply: it keeps what was observed of every
// source as it was, and at each instant at which anything might have changed it
// works out each of them anew, from all of it. It shares no code with what it
// checks but the definition's own, and it is as slow as it looks.
type reference struct {
	def     service.Definition
	history map[[2]string][]entry // of each source, since it last started over
	kinds   map[[2]string]Kind
	at      time.Time // until then everything is worked out

	begin, redefined, lifted, healthDue time.Time
	levelDue                            time.Time // after a claim
	hadHealth                           bool      // a HEALTHCHECK was seen
	heardOwn                            bool      // our own check was, ever
	starts                              []time.Time
	answered                            time.Time
	due                                 time.Time   // the next report
	missed                              []time.Time // reports that did not come since the last that did

	value    event.Status
	firstBad time.Time
	decided  event.Status // UP or DOWN, the last of them
	turned   bool
	samples  []bool
	flapping bool
}

// entry is one observation of a source, with the definition by which it counts;
// or, with reload, that other thresholds count from there on.
type entry struct {
	read, began time.Time
	saw         event.Status
	def         *service.Definition
	starting    bool // a failure in the start period
	restarted   bool // the first after a start
	reload      bool
}

func newReference(def service.Definition, now time.Time) *reference {
	r := &reference{def: def, history: map[[2]string][]entry{}, kinds: map[[2]string]Kind{}, begin: now, redefined: now, at: now, value: event.Pending}
	r.expect(now)
	return r
}

func (r *reference) pushes() bool { return r.def.URL == "push://" }
func (r *reference) alone() bool  { return r.def.URL == "" }

func (r *reference) expect(after time.Time) {
	r.due = time.Time{}
	if r.pushes() {
		r.due = r.def.Push.Due(after, r.def.Interval)
	}
}

func (r *reference) fresh() time.Duration { return 3 * max(r.def.Interval, r.def.Timeout) }

// livesUntil is until when a source is fresh.
func (r *reference) livesUntil(key [2]string) time.Time {
	list := r.history[key]
	last := list[len(list)-1].read
	for _, e := range slices.Backward(list) {
		if !e.reload {
			last = e.read
			break
		}
	}
	switch kind := r.kinds[key]; {
	case kind == Foreign:
		return last.Add(time.Minute)
	case kind == OwnersLevel || kind == OwnersHealth:
		return last.Add(90 * time.Second)
	case r.pushes():
		if r.redefined.After(last) {
			last = r.redefined
		}
		return r.def.Push.Due(last, r.def.Interval).Add(r.def.Push.Grace)
	}
	return last.Add(r.fresh())
}

// row is how many of the newest entries saw one of these, without a break.
func row(list []entry, saw ...event.Status) int {
	n := 0
	for _, e := range slices.Backward(list) {
		if e.reload || !slices.Contains(saw, e.saw) {
			break
		}
		n++
	}
	return n
}

// counts are the entries of a list that count for DOWN: since the last reload,
// start, or failure within a start period.
func counts(list []entry) []entry {
	from := 0
	for i, e := range list {
		if e.reload || e.starting {
			from = i + 1
		} else if e.restarted {
			from = i
		}
	}
	return list[from:]
}

// status works out what a source is held to be, and when what is bad of it began.
func (r *reference) status(key [2]string) (status event.Status, firstBad time.Time) {
	list := r.history[key]
	last := list[len(list)-1].saw
	if r.kinds[key] == OwnersLevel {
		if last == event.Down {
			firstBad = list[len(list)-row(list, event.Down)].began
		}
		return last, firstBad
	}
	status = event.Pending
	backUp := 0 // the window sees nothing before
	var window []entry
	for i, e := range list {
		if e.reload {
			continue
		}
		failures, successes, w := e.def.FailureThreshold, e.def.SuccessThreshold, e.def.Window
		if r.kinds[key] == OwnersHealth || r.kinds[key] == Own && e.def.URL == "push://" {
			failures, successes, w = 1, 1, service.Window{}
		}
		here := list[:i+1]
		counting := counts(here)
		window = counts(list[min(backUp, i+1) : i+1])
		window = window[max(0, len(window)-w.Of):]
		bad := 0
		for _, o := range window {
			if o.saw == event.Down {
				bad++
			}
		}
		full := w.Failures > 0 && bad >= w.Failures
		switch {
		case e.starting:
		case e.saw == event.Down:
			if row(counting, event.Down) >= failures || full {
				status = event.Down
			}
		case status == event.Up:
			if row(here, event.Degraded) >= failures {
				status = event.Degraded
			}
		case status == event.Degraded:
			if row(here, event.Up) >= successes {
				status = event.Up
			}
		case row(here, event.Up, event.Degraded) >= successes && !full:
			status, backUp, window = e.saw, i+1, nil
		}
	}
	for _, e := range slices.Backward(list) {
		if !e.reload && e.saw != event.Down {
			break
		}
		if !e.reload {
			firstBad = e.began
		}
	}
	for _, o := range window {
		inForce := len(counts(list)) > 0 // nothing of the window is from before a reload
		if inForce && status == event.Down && o.saw == event.Down && (firstBad.IsZero() || o.began.Before(firstBad)) {
			firstBad = o.began
		}
	}
	return status, firstBad
}

// passTo works out every instant up to t.
func (r *reference) passTo(t time.Time) {
	for {
		var next time.Time
		consider := func(at time.Time) {
			if at.After(r.at) && !at.After(t) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		const soon = time.Nanosecond
		for key := range r.history {
			consider(r.livesUntil(key).Add(soon))
		}
		consider(r.begin.Add(r.fresh() + soon))
		consider(r.healthDue)
		consider(r.levelDue)
		if r.pushes() {
			consider(r.due.Add(r.def.Push.Grace + soon))
		}
		if next.IsZero() {
			break
		}
		r.work(next)
	}
	r.work(t)
}

func (r *reference) work(t time.Time) {
	r.at = t
	for key := range r.history {
		if t.After(r.livesUntil(key)) {
			delete(r.history, key)
		}
	}
	if r.pushes() && t.After(r.due.Add(r.def.Push.Grace)) {
		r.missed = append(r.missed, r.due)
		r.expect(r.due)
	}
	r.settle(t)
}

// held is what one source is held to be.
type held struct {
	kind     Kind
	status   event.Status
	firstBad time.Time
}

func (r *reference) settle(t time.Time) {
	var all []held
	for key := range r.history {
		status, first := r.status(key)
		all = append(all, held{r.kinds[key], status, first})
	}
	if len(r.missed) > 0 {
		all = append(all, held{Own, event.Down, r.missed[0]})
	}
	var own, level, health *held
	for i := range all {
		switch h := &all[i]; {
		case h.kind == Own && (own == nil || h.status == event.Down):
			own = h
		case h.kind == OwnersLevel:
			level = h
		case h.kind == OwnersHealth:
			health = h
		}
	}
	if r.alone() {
		if own = level; health != nil {
			own = health
		}
	}
	saw := map[event.Status]bool{}
	for _, h := range all {
		stale := own == nil && t.Sub(r.begin) > r.fresh()
		switch {
		case r.alone(), h.kind == Own, h.kind == Foreign, h.kind == OwnersLevel && h.status == event.Down,
			h.kind == OwnersHealth && (stale || own != nil && own.status == event.Down):
			saw[h.status] = true
		}
	}
	switch {
	case saw[event.Down]:
		if r.firstBad.IsZero() {
			r.firstBad = t
			for _, h := range all {
				if !h.firstBad.IsZero() && h.firstBad.Before(r.firstBad) {
					r.firstBad = h.firstBad
				}
			}
		}
		r.set(event.Down)
	case t.Before(r.levelDue):
	case own != nil && own == level && t.Before(r.healthDue):
	case own == nil && r.pushes():
		r.set(event.Pending)
	case own != nil && own.status == event.Pending:
		if r.value == event.Unknown {
			r.set(event.Pending)
		}
	case own == nil && t.Sub(r.begin) <= r.fresh():
	case saw[event.Degraded]:
		r.set(event.Degraded)
	case saw[event.Up]:
		r.set(event.Up)
	default:
		r.set(event.Unknown)
	}
}

func (r *reference) isStarting() bool {
	for _, list := range r.history {
		if list[len(list)-1].starting {
			return true
		}
	}
	return false
}

func (r *reference) set(to event.Status) {
	r.value = to
	side := event.Up
	switch to {
	case event.Up, event.Degraded:
		r.firstBad = time.Time{}
	case event.Down:
		side = event.Down
	default:
		return
	}
	r.turned = r.turned || r.decided != "" && r.decided != side
	r.decided = side
}

func (r *reference) observe(key [2]string, kind Kind, o entry, extra bool, t time.Time) {
	r.passTo(t)
	if o.began.After(t.Add(5*time.Minute)) || o.began.Before(t.Add(-10*time.Minute)) {
		return
	}
	owners := kind == OwnersLevel || kind == OwnersHealth
	if owners && r.def.Container == "" || kind == Own && (r.alone() || r.pushes()) {
		return
	}
	before := r.history[key]
	switch {
	case kind == OwnersLevel && before != nil && !o.began.After(before[len(before)-1].began):
		return
	case kind != OwnersLevel && o.began.Before(r.lifted) && !r.pushes():
		return
	}
	as := kind
	if as == Foreign && r.pushes() {
		as = Own
	}
	if as == OwnersLevel {
		r.levelDue = time.Time{}
	}
	if as == OwnersLevel && before != nil && before[len(before)-1].saw == event.Down && o.saw != event.Down {
		r.lift(o.began, t)
	}
	if as == Own {
		if !r.heardOwn {
			r.starts = append(r.starts, o.began)
		}
		r.heardOwn = true
		if o.saw != event.Down && o.began.After(r.answered) {
			r.answered = o.began
		}
		if r.pushes() {
			r.missed = nil
			r.expect(t)
		}
	}
	if start, is := r.startBefore(o.began); is && (as == Own || as == Foreign) && !r.pushes() && r.def.StartPeriod > 0 {
		o.starting = o.saw == event.Down && r.answered.Before(start) && o.began.Before(start.Add(r.def.StartPeriod))
		for _, e := range slices.Backward(before) {
			if !e.reload {
				o.restarted = e.began.Before(start)
				break
			}
		}
	}
	def := r.def
	o.read, o.def = t, &def
	r.history[key], r.kinds[key] = append(before, o), as
	r.hadHealth = r.hadHealth || as == OwnersHealth
	r.settle(t)
	_, healthy := r.history[healthKey]
	stands := as == Own || r.pushes() && as == OwnersLevel ||
		r.alone() && (as == OwnersHealth || as == OwnersLevel && !healthy && !t.Before(r.healthDue))
	if stands && !extra {
		r.sample()
	}
}

func (r *reference) startBefore(t time.Time) (time.Time, bool) {
	var newest time.Time
	for _, start := range r.starts {
		if !start.After(t) && start.After(newest) {
			newest = start
		}
	}
	return newest, !newest.IsZero()
}

func (r *reference) lift(at, t time.Time) {
	maps.DeleteFunc(r.history, func(key [2]string, _ []entry) bool {
		return r.kinds[key] != OwnersLevel && !(r.pushes() && r.kinds[key] == Own)
	})
	r.lifted, r.begin = at, t
	r.awaitHealth(t)
}

func (r *reference) awaitHealth(t time.Time) {
	if r.hadHealth {
		r.healthDue = t.Add(max(90*time.Second, r.def.StartPeriod))
	}
}

func (r *reference) sample() {
	r.samples = append(r.samples, r.turned)
	r.turned = false
	sum := 0.0
	for i := range 20 { // from the newest
		if at := len(r.samples) - 1 - i; at >= 0 && r.samples[at] {
			sum += 1.2 - 0.4*float64(i)/19
		}
	}
	share := 100 * sum / 20
	if r.flapping && len(r.samples) >= 20 && share < 25 {
		r.flapping = false
	} else if share > 40 {
		r.flapping = true
	}
}

func (r *reference) claim(t time.Time) {
	r.passTo(t)
	maps.DeleteFunc(r.history, func(key [2]string, _ []entry) bool {
		owners := r.kinds[key] == OwnersLevel || r.kinds[key] == OwnersHealth
		if owners {
			r.levelDue = t.Add(500 * time.Millisecond)
		}
		return owners
	})
	r.awaitHealth(t)
}

func (r *reference) redefine(def service.Definition, t time.Time) {
	old := r.def
	if same := func(a, b service.Definition) bool { return a.Hash() == b.Hash() }; same(old, def) {
		return
	}
	r.passTo(t)
	if old.URL != def.URL {
		maps.DeleteFunc(r.history, func(key [2]string, _ []entry) bool {
			return r.kinds[key] == Own || r.kinds[key] == Foreign && (old.URL == "push://" || def.URL == "push://")
		})
		r.missed = nil
	}
	if old.FailureThreshold != def.FailureThreshold || old.SuccessThreshold != def.SuccessThreshold || old.Window != def.Window {
		for key, list := range r.history {
			if r.kinds[key] == Own || r.kinds[key] == Foreign {
				r.history[key] = append(list, entry{reload: true})
			}
		}
	}
	r.def, r.begin, r.redefined = def, t, t
	r.expect(t)
	if old.Container != def.Container {
		maps.DeleteFunc(r.history, func(key [2]string, _ []entry) bool {
			return r.kinds[key] == OwnersLevel || r.kinds[key] == OwnersHealth
		})
		r.hadHealth, r.healthDue, r.levelDue = false, time.Time{}, time.Time{}
	}
	r.work(t)
}
