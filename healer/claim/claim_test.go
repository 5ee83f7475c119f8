package claim

import (
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func claimed(t *testing.T) *Claim {
	t.Helper()
	c := New("local", "me")
	e := c.Write(event.Claim{Epoch: 6}, "n", now)
	if e.Data.(event.Claim).Epoch != 7 || e.ID != "n" || e.Seq != 1 {
		t.Fatalf("the claim is %+v", e)
	}
	if got := c.Read(e.Data.(event.Claim), true, true, now); got != Acquired {
		t.Fatalf("reading it back: %v", got)
	}
	return c
}

func TestAClaimIsAcquiredWhenItIsReadBack(t *testing.T) {
	c := New("local", "me")
	if _, leads := c.Leader(); leads {
		t.Error("it leads before it claimed")
	}
	c.Write(event.Claim{}, "n", now)
	if _, leads := c.Leader(); leads {
		t.Error("it leads before its claim was read back")
	}
	if since, leads := claimed(t).Leader(); !leads || !since.Equal(now) {
		t.Error("it does not lead")
	}
}

func TestAClaimThatDoesNotCountIsWrittenAgainHigher(t *testing.T) {
	c := New("local", "me")
	first := c.Write(event.Claim{Epoch: 6}, "n", now).Data.(event.Claim)
	if got := c.Read(first, false, false, now); got != Outbid {
		t.Fatalf("it did not count: %v", got)
	}
	if again := c.Outbid(event.Claim{Epoch: 9}, now).Data.(event.Claim); again.Epoch != 10 || again.Nonce != "n" {
		t.Errorf("it is written again as %+v", again)
	}
}

func TestAForeignClaimEndsTheLeadership(t *testing.T) {
	c := claimed(t)
	theirs := event.Claim{Host: "local", Instance: "other", Epoch: 8, Nonce: "x"}
	if got := c.Read(theirs, true, true, now); got != SteppedDown {
		t.Fatalf("a higher claim: %v", got)
	}
	if _, leads := c.Leader(); leads || c.Successor() != "other" {
		t.Errorf("leads %v, successor %q", leads, c.Successor())
	}
	if got := c.Read(event.Claim{Instance: "me", Epoch: 7, Nonce: "n"}, false, false, now); got != Unchanged {
		t.Errorf("our own claim, late: %v", got)
	}
	if _, _, due := c.Tick(event.Claim{}, now.Add(48*time.Hour)); due {
		t.Error("it claims again")
	}
	twin := claimed(t)
	twin.Read(event.Claim{Instance: "me", Epoch: 8, Nonce: "y"}, true, true, now)
	if twin.Successor() != "another process of me" {
		t.Errorf("the successor is %q", twin.Successor())
	}
}

func TestAForeignClaimBeforeOursIsHistory(t *testing.T) {
	c := New("local", "me")
	if got := c.Read(event.Claim{Instance: "other", Epoch: 3, Nonce: "x"}, true, true, now); got != Unchanged || c.Successor() != "" {
		t.Errorf("%v, successor %q", got, c.Successor())
	}
}

func TestAClaimIsRepeatedEachDayAndWhenItIsNotReadBack(t *testing.T) {
	c := claimed(t)
	if _, _, due := c.Tick(event.Claim{}, now.Add(23*time.Hour)); due {
		t.Error("within a day")
	}
	e, repeat, due := c.Tick(event.Claim{}, now.Add(25*time.Hour))
	if !due || !repeat || e.Data.(event.Claim).Epoch != 7 {
		t.Errorf("after a day: %+v, %v, %v", e, repeat, due)
	}
	if _, _, due := c.Tick(event.Claim{}, now.Add(25*time.Hour+100*time.Millisecond)); due {
		t.Error("again before it can be read back")
	}
	waits := New("local", "me")
	waits.Write(event.Claim{}, "n", now)
	if _, _, due := waits.Tick(event.Claim{}, now.Add(9*time.Second)); due {
		t.Error("it may still be read back")
	}
	if !waits.Failed("n", now) {
		t.Error("its own failure is another's")
	}
	if _, _, due := waits.Tick(event.Claim{}, now.Add(time.Second)); !due {
		t.Error("a failed claim is not written again")
	}
}

// TestAFewInARow are confirmed one by one, and repeated from the first that is not.
func TestAFewInARow(t *testing.T) {
	var j Journal
	events := []event.Incident{{ID: "i", Seq: 1, Time: now}, {ID: "i", Seq: 2, Time: now}, {ID: "i", Seq: 3, Time: now}}
	j.Append(events, now)
	j.Confirm(events[0], now)
	if again := j.Due(now.Add(11 * time.Second)); !j.Pending() || len(again) != 2 || again[0].Seq != 2 || again[1].Seq != 3 {
		t.Errorf("repeated: %+v", again)
	}
	if dropped := j.Failed("i", 3, now.Add(12*time.Second)); dropped != nil {
		t.Errorf("dropped after they were repeated: %+v", dropped)
	}
	if again := j.Due(now.Add(13 * time.Second)); len(again) != 2 || again[0].Seq != 2 {
		t.Errorf("after the last failed: %+v", again)
	}
	j.Confirm(events[1], now.Add(16*time.Second))
	if j.Confirm(events[2], now.Add(16*time.Second)); j.Pending() {
		t.Error("all were read back, and one is pending")
	}
}

// TestWhatFollowsAFailureWasNotWritten: it is dropped, also where the one that failed was
// read back all the same.
func TestWhatFollowsAFailureWasNotWritten(t *testing.T) {
	events := []event.Incident{{ID: "i", Seq: 1, Time: now}, {ID: "i", Seq: 2, Time: now}, {ID: "i", Seq: 3, Time: now}}
	for _, tt := range []struct {
		name             string
		readBack         int
		failed           int
		pending, dropped int
	}{
		{"the first", 0, 1, 1, 2},
		{"the second", 1, 2, 1, 1},
		{"one that was read back", 1, 1, 0, 2},
		{"the last", 2, 3, 1, 0},
	} {
		var j Journal
		j.Append(slices.Clone(events), now)
		for _, e := range events[:tt.readBack] {
			j.Confirm(e, now)
		}
		dropped := j.Failed("i", tt.failed, now)
		if len(dropped) != tt.dropped || len(j.Due(now.Add(time.Second))) != tt.pending || j.Pending() != (tt.pending > 0) {
			t.Errorf("%s: dropped %+v, pending %v", tt.name, dropped, j.Pending())
		}
		if j.Failed("another", 1, now) != nil {
			t.Errorf("%s: the failure of another incident counts", tt.name)
		}
	}
}

func TestIncidentIDsFollowFromTheClaim(t *testing.T) {
	a, b := claimed(t), claimed(t)
	first := a.NextIncident()
	if second := a.NextIncident(); first == second || b.NextIncident() != first {
		t.Errorf("%s, %s", first, second)
	}
}

func TestAnAppendIsRepeatedUntilItIsConfirmed(t *testing.T) {
	var j Journal
	e := event.Incident{ID: "i", Seq: 3, Time: now}
	j.Append([]event.Incident{e}, now)
	if j.Due(now.Add(10*time.Second)) != nil {
		t.Error("it may still be read back")
	}
	if again := j.Due(now.Add(11 * time.Second)); len(again) != 1 || again[0].Seq != 3 {
		t.Error("it is not repeated")
	}
	j.Failed("i", 2, now.Add(12*time.Second))
	if j.Due(now.Add(13*time.Second)) != nil {
		t.Error("another append's failure counts")
	}
	j.Failed("i", 3, now.Add(12*time.Second))
	if j.Due(now.Add(13*time.Second)) == nil {
		t.Error("a failed append is not repeated a moment later")
	}
	j.Confirm(event.Incident{ID: "i", Seq: 2}, now)
	if !j.Pending() {
		t.Error("another event confirms it")
	}
	j.Confirm(e, now.Add(20*time.Second))
	if j.Pending() || j.Unwritable() != 20*time.Second {
		t.Errorf("pending %v, unwritable %s", j.Pending(), j.Unwritable())
	}
	if j.ClearUnwritable(); j.Unwritable() != 0 {
		t.Error("it is reported twice")
	}
	j.Append([]event.Incident{e}, now.Add(time.Minute))
	if j.Confirm(e, now.Add(time.Minute)); j.Unwritable() != 0 {
		t.Error("the next append, which did not fail, failed too")
	}
}
