package fleet

import "time"

// Watch is what the pictures showed one after another. It is lost with the
// process, and begins anew then.
type Watch struct {
	calm    time.Time // since when the observer sees; zero: it does not
	tripped bool      // too few are healthy, or were until a moment ago
	stable  time.Time // since when enough are again; zero: not enough are
	healthy int       // of known, when it tripped
	known   int
}

// Note takes a picture. least is the share that has to be healthy, in percent; 0:
// none. For window the share has to be reached before repairs go on.
func (w *Watch) Note(p Picture, least int, window time.Duration, now time.Time) {
	if w.calm = since(w.calm, !p.StillBlind(), now); w.calm.After(now) {
		w.calm = now
	}
	few := p.Known >= Least && 100*p.Healthy < least*p.Known
	if w.stable = since(w.stable, !few, now); w.stable.After(now) {
		w.stable = now
	}
	if few && !w.tripped {
		w.healthy, w.known = p.Healthy, p.Known
	}
	w.tripped = few || w.tripped && now.Sub(w.stable) < window
}

// since is when something that is the case began: before, or now.
func since(before time.Time, is bool, now time.Time) time.Time {
	switch {
	case !is:
		return time.Time{}
	case before.IsZero():
		return now
	}
	return before
}

// CalmSince is since when the observer sees; zero where it does not.
func (w *Watch) CalmSince() time.Time { return w.calm }

// Tripped says whether so few are healthy, or were until a moment ago, that only
// what loses nothing may be done. stable is since when enough are again.
func (w *Watch) Tripped() (is bool, stable time.Time) { return w.tripped, w.stable }

// AtTrip is how many were healthy of how many when it tripped: numbers that do
// not change with each service.
func (w *Watch) AtTrip() (healthy, known int) { return w.healthy, w.known }
