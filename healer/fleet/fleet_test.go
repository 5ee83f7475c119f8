package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// services are n that are checked each two seconds and answer.
func services(n int) []Member {
	list := make([]Member, n)
	for i := range list {
		list[i] = Member{Name: fmt.Sprintf("svc-%d", i), Status: event.Up, Probed: true, Interval: 2 * time.Second,
			Checked: now.Add(-time.Duration(i%20) * 100 * time.Millisecond)}
	}
	return list
}

// fail makes a member fail since then, by its thresholds as well.
func fail(m *Member, ago time.Duration, why event.Failure) {
	m.Status, m.Failing, m.Red, m.Failure, m.FirstBad = event.Down, true, true, why, now.Add(-ago)
}

// cut makes all of them fail, each at its own check after the path was cut.
func cut(list []Member) {
	for i := range list {
		fail(&list[i], 6*time.Second-time.Duration(i%20)*100*time.Millisecond, event.FailureConnectTimeout)
	}
}

func TestBlind(t *testing.T) {
	for name, test := range map[string]struct {
		n     int
		shape func([]Member)
		blind bool
	}{
		"nothing fails":   {30, func([]Member) {}, false},
		"all of thirty":   {30, cut, true},
		"all of five":     {5, cut, true},
		"all of four":     {4, cut, false},
		"half":            {30, func(l []Member) { cut(l[:15]) }, true},
		"fewer than half": {30, func(l []Member) { cut(l[:14]) }, false},
		"one":             {30, func(l []Member) { cut(l[:1]) }, false},
		"all, and their containers end": {30, func(l []Member) {
			cut(l)
			for i := range l {
				l[i].Stopped = true
			}
		}, false},
		"one after another": {30, func(l []Member) {
			for i := range l {
				fail(&l[i], time.Duration(i)*time.Minute, event.FailureConnectTimeout)
			}
		}, false},
		"half fail for an hour, and a few more now": {30, func(l []Member) {
			cut(l)
			for i := range l[:16] {
				l[i].FirstBad = now.Add(-time.Hour)
				if i%2 == 0 {
					l[i].FirstBad = now.Add(-time.Duration(i) * time.Hour)
				}
			}
		}, false},
		"a few fail for an hour, and the others now": {30, func(l []Member) {
			cut(l)
			l[0].FirstBad, l[1].FirstBad = now.Add(-time.Hour), now.Add(-2*time.Hour)
		}, true},
		"different intervals": {30, func(l []Member) {
			cut(l)
			for i := range l[:10] {
				l[i].Interval, l[i].FirstBad = time.Minute, now.Add(-6*time.Second+time.Duration(i)*6*time.Second)
			}
		}, true},
		"one check of each failed": {30, func(l []Member) {
			cut(l)
			for i := range l {
				l[i].Red, l[i].Status = false, event.Up
			}
		}, false},
		"their HEALTHCHECKs succeed": {30, func(l []Member) {
			cut(l)
			for i := range l {
				l[i].Health = event.Up
			}
		}, true},
		"most HEALTHCHECKs fail too": {30, func(l []Member) {
			cut(l)
			for i := range 5 {
				l[i].Health = event.Down
			}
			l[5].Health, l[6].Health = event.Up, event.Up
		}, false},
		"behind one database that hangs": {30, func(l []Member) {
			cut(l)
			l[0].Failure = event.FailureHeaderTimeout
			for i := range l[1:] {
				l[1+i].Needs, l[1+i].Failure = []string{"svc-0"}, event.FailureStatus
			}
		}, false},
		"behind one database, and nothing is reached": {30, func(l []Member) {
			cut(l)
			for i := range l[1:] {
				l[1+i].Needs = []string{"svc-0"}
			}
		}, true},
		"behind one database that is healthy by its HEALTHCHECK": {30, func(l []Member) {
			cut(l)
			l[0].Health = event.Up
			for i := range l {
				l[i].Failure = event.FailureHeaderTimeout
			}
			for i := range l[1:] {
				l[1+i].Needs = []string{"svc-0"}
			}
		}, true},
		"a chain behind a database": {6, func(l []Member) {
			cut(l[:5])
			for i := range l[1:5] {
				l[1+i].Needs, l[1+i].Failure = []string{l[i].Name}, event.FailureStatus
			}
		}, false},
		"what is not probed": {30, func(l []Member) {
			cut(l)
			for i := range l {
				l[i].Probed = i < 4
			}
		}, false},
	} {
		list := services(test.n)
		test.shape(list)
		if p := Assess(list); p.Blind() != test.blind {
			t.Errorf("%s: blind is %v: %d of %d are red, %d together", name, p.Blind(), p.Red, p.Targets, p.Group().Together)
		}
	}
}

// TestWhatFailsFirstIsHeld: of thirty services six are checked often. They are
// DOWN before the others were checked at all.
func TestWhatFailsFirstIsHeld(t *testing.T) {
	for name, test := range map[string]struct {
		n       int
		shape   func([]Member)
		suspect bool
	}{
		"before others were checked": {30, func(l []Member) {
			for i := range l[1:] {
				l[1+i].Checked, l[1+i].Interval = now.Add(-10*time.Second), 30*time.Second
			}
		}, true},
		"others answered since":           {30, func([]Member) {}, false},
		"others failed since":             {30, func(l []Member) { cut(l[1:20]) }, true},
		"a few failed, and more answered": {30, func(l []Member) { cut(l[1:6]) }, false},
		"the others are checked once an hour": {30, func(l []Member) {
			for i := range l[1:] {
				l[1+i].Checked, l[1+i].Interval = now.Add(-10*time.Minute), time.Hour
			}
			l[1].Checked, l[2].Checked = now, now
		}, false},
		"three of five fail for long": {5, func(l []Member) {
			for i := range 3 {
				fail(&l[2+i], time.Hour, event.FailureStatus)
			}
		}, false},
		"there are four":             {4, func(l []Member) { cut(l[1:]) }, false},
		"its container does not run": {30, func(l []Member) { cut(l); l[0].Stopped = true }, false},
	} {
		list := services(test.n)
		fail(&list[0], 4*time.Second, event.FailureStatus)
		test.shape(list)
		if got := Assess(list).Suspect(list[0]); got != test.suspect {
			t.Errorf("%s: suspect is %v", name, got)
		}
	}
}

func TestPictureHasTheNumbersOfItsSentence(t *testing.T) {
	list := services(30)
	cut(list[:28])
	p, g := Assess(list), Assess(list).Group()
	if g.Together != 28 || p.Targets != 30 || g.Within != 1900*time.Millisecond || !g.Since.Equal(now.Add(-6*time.Second)) {
		t.Errorf("%d of %d within %s since %s", g.Together, p.Targets, g.Within, g.Since)
	}
	slices.Reverse(list)
	if again := Assess(list).Group(); again != g {
		t.Error("in another order it is another picture")
	}
}

func TestTheBreakerOpensAgainOnceItIsStable(t *testing.T) {
	var w Watch
	at := func(after time.Duration, down int) bool {
		list := services(10)
		for i := range down {
			list[i].Status = event.Down
		}
		w.Note(Assess(list), 51, 10*time.Second, now.Add(after))
		is, _ := w.Tripped()
		return is
	}
	for i, step := range []struct {
		after   time.Duration
		down    int
		tripped bool
	}{
		{0, 0, false}, {time.Second, 4, false}, {2 * time.Second, 5, true}, {3 * time.Second, 0, true}, {12 * time.Second, 0, true},
		{12500 * time.Millisecond, 9, true}, {13 * time.Second, 1, true}, {22 * time.Second, 1, true}, {23 * time.Second, 1, false},
	} {
		if got := at(step.after, step.down); got != step.tripped {
			t.Errorf("step %d: tripped is %v", i, got)
		}
	}
}

func TestTheBreakerCountsRootsAndNotTheirDependents(t *testing.T) {
	for name, test := range map[string]struct {
		n              int
		shape          func([]Member)
		healthy, known int
	}{
		"dependents of one that is down": {10, func(l []Member) {
			for i := range l[:8] {
				l[i].Status, l[i].Needs = event.Down, []string{"svc-0"}
			}
			l[0].Needs = nil
		}, 2, 3},
		"one that a person stopped":   {10, func(l []Member) { l[0].Status, l[0].Wanted = event.Down, true }, 9, 9},
		"one that is not decided yet": {10, func(l []Member) { l[0].Status = event.Pending }, 9, 9},
		"slow counts as healthy":      {10, func(l []Member) { l[0].Status = event.Degraded }, 10, 10},
	} {
		list := services(test.n)
		test.shape(list)
		if p := Assess(list); p.Healthy != test.healthy || p.Known != test.known {
			t.Errorf("%s: %d of %d", name, p.Healthy, p.Known)
		}
	}
	var w Watch
	few := services(4)
	few[0].Status, few[1].Status, few[2].Status = event.Down, event.Down, event.Down
	if w.Note(Assess(few), 51, time.Second, now); w.tripped {
		t.Error("four services are judged together")
	}
	many := services(20)
	for i := range many {
		many[i].Status = event.Down
	}
	if w.Note(Assess(many), 0, time.Second, now); w.tripped {
		t.Error("a share of 0 % trips it")
	}
}

func TestTheObserverSeesAgainAfterAWhile(t *testing.T) {
	var w Watch
	list := services(10)
	cut(list)
	w.Note(Assess(list), 51, 10*time.Second, now)
	if !w.CalmSince().IsZero() {
		t.Error("it is calm while all fail")
	}
	for i := range list[:6] {
		list[i] = services(10)[i]
	}
	w.Note(Assess(list), 51, 10*time.Second, now.Add(time.Second))
	w.Note(Assess(list), 51, 10*time.Second, now.Add(5*time.Second))
	if !w.CalmSince().Equal(now.Add(time.Second)) {
		t.Errorf("it is calm since %s", w.CalmSince())
	}
}
