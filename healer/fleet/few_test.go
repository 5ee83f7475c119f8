package fleet

import (
	"testing"
	"time"

	"logstream/internal/event"
)

// proven is cut, of services whose HEALTHCHECKs show this since.
func proven(list []Member, proof Proof) {
	cut(list)
	for i := range list {
		list[i].Health, list[i].Runs, list[i].Proof = event.Up, 30*time.Second, proof
	}
}

func TestFewAreCutOffOnlyByProof(t *testing.T) {
	const waits = 30*time.Second + 2*time.Second + inspected
	for name, test := range map[string]struct {
		n      int
		shape  func([]Member)
		blind  bool
		awaits time.Duration
	}{
		"two of two, proven":      {2, func(l []Member) { proven(l, Well) }, true, waits},
		"four of four, proven":    {4, func(l []Member) { proven(l, Well) }, true, waits},
		"two of four, proven":     {4, func(l []Member) { proven(l[:2], Well) }, true, waits},
		"two of three, proven":    {3, func(l []Member) { proven(l[:2], Well) }, true, waits},
		"one of two":              {2, func(l []Member) { proven(l[:1], Well) }, false, 0},
		"one alone":               {1, func(l []Member) { proven(l, Well) }, false, 0},
		"no HEALTHCHECK":          {3, cut, false, 0},
		"one HEALTHCHECK of two":  {2, func(l []Member) { proven(l, Well); l[1].Proof, l[1].Runs, l[1].Health = NoProof, 0, "" }, false, 0},
		"two of three have one":   {3, func(l []Member) { proven(l, Well); l[1].Proof, l[1].Runs, l[1].Health = NoProof, 0, "" }, true, waits},
		"not proven yet":          {2, func(l []Member) { proven(l, Awaited) }, false, waits},
		"one is not proven yet":   {3, func(l []Member) { proven(l, Well); l[2].Proof = Awaited }, false, waits},
		"one fails inside":        {3, func(l []Member) { proven(l, Well); l[2].Proof = Ill }, false, 0},
		"one HEALTHCHECK is rare": {2, func(l []Member) { proven(l, Awaited); l[1].Runs = time.Minute }, false, waits + 30*time.Second},
		"one was not checked since": {2, func(l []Member) {
			proven(l[:1], Awaited)
			l[1].Checked, l[1].Health, l[1].Runs = now.Add(-7*time.Second), event.Up, 30*time.Second
		}, false, waits},
		"they hang": {2, func(l []Member) {
			proven(l, Well)
			l[0].Failure, l[1].Failure = event.FailureHeaderTimeout, event.FailureHeaderTimeout
		}, false, 0},
		"one of two answers 500":    {2, func(l []Member) { proven(l, Well); l[1].Failure = event.FailureStatus }, false, 0},
		"one after another":         {2, func(l []Member) { proven(l, Well); l[1].FirstBad = now.Add(-time.Minute) }, false, 0},
		"their containers end":      {2, func(l []Member) { proven(l, Well); l[0].Stopped, l[1].Stopped = true, true }, false, 0},
		"one is not DOWN yet":       {2, func(l []Member) { proven(l, Well); l[1].Red = false }, false, waits},
		"five, and two of them are": {5, func(l []Member) { proven(l[:2], Well) }, false, 0},
	} {
		list := services(test.n)
		test.shape(list)
		p := Assess(list)
		if p.Blind() != test.blind || p.Awaits(list[0]) != test.awaits || p.Suspect(list[0]) {
			t.Errorf("%s: blind is %v, it awaits %s, suspect is %v", name, p.Blind(), p.Awaits(list[0]), p.Suspect(list[0]))
		}
		if p.Blind() && !p.StillBlind() {
			t.Errorf("%s: the observer sees again at once", name)
		}
	}
}

// TestFewAreReachedAgain once fewer than two fail as what is cut off does.
func TestFewAreReachedAgain(t *testing.T) {
	list := services(2)
	proven(list, Well)
	list[0].Failure = event.FailureStatus
	if Assess(list).StillBlind() {
		t.Error("one of two answers")
	}
	proven(list, NoProof)
	list[0].Checked, list[0].Failing, list[0].Failure = time.Time{}, false, "" // in a new life of the process
	if !Assess(list).StillBlind() {
		t.Error("one was not checked yet, and the other fails")
	}
}
