package healer

import (
	"testing"
	"time"

	"logstream/internal/event"
)

// Who may act on a host, and what a claim ends.

func TestClaimIsRepeatedEachDay(t *testing.T) {
	m, _ := quiet(t)
	m.sleep(23 * time.Hour)
	m.run(time.Second)
	if got := m.claims(); len(got) != 1 {
		t.Errorf("after 23 hours: %+v", got)
	}
	m.sleep(2 * time.Hour)
	m.run(time.Second)
	if got := m.claims(); len(got) != 2 || got[1] != got[0] {
		t.Errorf("after a day: %+v, want the same claim twice", got)
	}
}

func TestClaimThatDoesNotCountIsWrittenHigher(t *testing.T) {
	m, _ := quiet(t)
	ours := m.claims()[0]
	higher := ours
	higher.Epoch++
	m.claim(higher)
	m.claim(ours)
	m.run(time.Second)
	if got := m.claims(); len(got) != 4 || got[3].Epoch != higher.Epoch+1 || got[3].Nonce != ours.Nonce {
		t.Errorf("the claims are %+v", got)
	}
	m.claim(event.Claim{Host: "local", Instance: "other", Epoch: 99, Nonce: "theirs"})
	m.claim(ours)
	m.run(time.Second)
	if got := m.claims(); len(got) != 6 {
		t.Errorf("after the claim of another instance: %+v", got[6:])
	}
}

// TestNewClaimEndsTheLevelOfTheOneBefore starts us anew without an engine that
// could report what the container does now.
func TestNewClaimEndsTheLevelOfTheOneBefore(t *testing.T) {
	m, b := quiet(t, configured(observing))
	do("kill", m, b)
	m.run(5 * time.Second)
	if got := m.level("svc-0"); got != event.Down {
		t.Fatalf("the level is %q", got)
	}
	m.crash(time.Second)
	m.dockerUnreachable(time.Minute)
	m.until(t, "the next claim", func() bool { _, owns := m.owner(); return owns })
	m.run(5 * time.Second)
	if got := m.level("svc-0"); got != "" {
		t.Errorf("under the new claim the level is still %s", got)
	}
}

// TestLevelIsTheOwnersAlone has another instance write one record of a
// container that is down, and then the owner.
func TestLevelIsTheOwnersAlone(t *testing.T) {
	m, b := quiet(t)
	other, revision := m.revise()
	other.Instance = "other"
	m.observeAs(event.HealthLog{Timestamp: event.Seconds(m.now), Service: "svc-0", Status: event.Down, Check: event.CheckContainer, Revision: revision, Origin: other}, true)
	m.run(time.Second)
	if got := m.status("svc-0").Status; got != event.Up || m.level("svc-0") != event.Up {
		t.Errorf("by one record of another instance it is %s, the level %s", got, m.level("svc-0"))
	}
	m.observe(b, event.CheckContainer, event.Down, m.now)
	m.run(50 * time.Millisecond)
	if got := m.status("svc-0").Status; got != event.Down {
		t.Errorf("by one record of the owner it is %s", got)
	}
}
