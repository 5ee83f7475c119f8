package monitor

import (
	"testing"
	"time"

	"logstream/internal/event"
)

func TestJournalKnowsTheNewest(t *testing.T) {
	j := &journal{}
	at := func(i int) event.Docker {
		return event.Docker{Time: zero.Add(time.Duration(i)), ID: "1", Action: "die"}
	}
	for i := range 3 * maxWritten {
		if !j.add(at(i)) {
			t.Fatalf("the new event %d is held to be known", i)
		}
		if j.add(at(i)) {
			t.Fatalf("the event %d is taken twice", i)
		}
	}
	if len(j.known) != maxWritten || len(j.order) != maxWritten {
		t.Errorf("%d and %d are remembered", len(j.known), len(j.order))
	}
	if j.add(at(2 * maxWritten)) {
		t.Error("one of the newest was forgotten")
	}
	other := at(3*maxWritten - 1)
	other.Action = "stop"
	if !j.add(other) {
		t.Error("another action at the same time is held to be known")
	}
}

// TestJournalFollowsAClockThatWasSetBack: what is missed in a loss after it is dated
// before what was written before it.
func TestJournalFollowsAClockThatWasSetBack(t *testing.T) {
	j := &journal{}
	for _, c := range []struct{ at, newest time.Duration }{
		{0, 0}, {-overlap / 2, 0}, {time.Second, time.Second}, {-time.Hour, -time.Hour}, {time.Second - time.Hour, time.Second - time.Hour}, {-time.Hour, time.Second - time.Hour},
	} {
		j.add(event.Docker{Time: zero.Add(c.at), ID: "1", Action: "die"})
		if got := j.newest.Sub(zero); got != c.newest {
			t.Errorf("after an event at %s the newest is %s, want %s", c.at, got, c.newest)
		}
	}
}

func TestRecallReadsOnlySignedRecordsOfItsHost(t *testing.T) {
	die := event.Docker{Time: time.Now().UTC(), Container: pay, ID: "1", Action: "die", Origin: identity}
	foreign := die
	foreign.Host = "elsewhere"
	for _, c := range []struct {
		name   string
		record event.Docker
		signed bool
		age    time.Duration
		known  bool // as written
		began  bool
	}{
		{"ours", die, true, time.Minute, true, true},
		{"ours, of long ago", die, true, time.Hour, false, true},
		{"unsigned", die, false, time.Minute, false, false},
		{"another host's", foreign, true, time.Minute, false, false},
		{"a stream record", event.Docker{Time: time.Now(), Action: event.StreamBack, Origin: identity}, true, time.Minute, false, true},
	} {
		log := &recordingLog{records: []event.Record{{
			Topic: event.TopicDocker, Time: time.Now().Add(-c.age), Value: event.Encode(c.record), Signed: c.signed,
		}}}
		j, err := recall(t.Context(), log, identity.Host, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if j.began != c.began {
			t.Errorf("%s: began is %t", c.name, j.began)
		}
		if known := !j.add(die); known != c.known {
			t.Errorf("%s: held to be written: %t", c.name, known)
		}
	}
}

func TestSince(t *testing.T) {
	for _, c := range []struct {
		name string
		j    journal
		want time.Time
	}{
		{"nothing was ever written", journal{}, time.Time{}},
		{"nothing lately", journal{began: true}, zero.Add(-recallWindow)},
		{"it first began lately", journal{began: true, first: zero.Add(-time.Minute)}, zero.Add(-time.Minute - overlap)},
		{"from the newest on", journal{began: true, newest: zero.Add(-time.Minute)}, zero.Add(-time.Minute - overlap)},
	} {
		if got := c.j.since(zero); !got.Equal(c.want) {
			t.Errorf("%s: since %s, want %s", c.name, got, c.want)
		}
	}
}

// TestWhatCameBeforeTheFirstLifeIsNotReadInTheSecond: a container that was
// started just before would be taken for one that was started since.
func TestWhatCameBeforeTheFirstLifeIsNotReadInTheSecond(t *testing.T) {
	now := time.Now()
	back := event.Docker{Time: now.Add(-time.Minute), Action: event.StreamBack, Origin: identity}
	log := &recordingLog{records: []event.Record{{Topic: event.TopicDocker, Time: now.Add(-time.Minute), Value: event.Encode(back), Signed: true}}}
	j, err := recall(t.Context(), log, identity.Host, now)
	if err != nil {
		t.Fatal(err)
	}
	if since := j.since(now); now.Sub(since) > time.Minute+overlap {
		t.Errorf("the engine is asked for events since %s ago", now.Sub(since))
	}
}

// TestRepublishedOldEventDoesNotReachBack: the engine would report once more
// what it sent since then, which was read long ago.
func TestRepublishedOldEventDoesNotReachBack(t *testing.T) {
	old := event.Docker{Time: time.Now().Add(-24 * time.Hour), Container: pay, ID: "1", Action: "die", Origin: identity}
	log := &recordingLog{records: []event.Record{{Topic: event.TopicDocker, Time: time.Now().Add(-time.Minute), Value: event.Encode(old), Signed: true}}}
	now := time.Now()
	j, err := recall(t.Context(), log, identity.Host, now)
	if err != nil {
		t.Fatal(err)
	}
	if since := j.since(now); since.Before(now.Add(-recallWindow - overlap)) {
		t.Errorf("the engine is asked for events since %s ago", now.Sub(since))
	}
}
