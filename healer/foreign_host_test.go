package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

func TestServiceOfThatNameOnAnotherHostIsNotOurs(t *testing.T) {
	m, _ := quiet(t)
	before := standing(m)
	for range 5 {
		m.observeAs(event.HealthLog{Timestamp: event.Seconds(m.now), Service: "svc-0", Status: event.Down, Check: "http",
			Origin: event.Origin{Instance: "they", Host: "theirs"}}, true)
	}
	m.run(200 * time.Millisecond)
	if after := standing(m); after != before {
		t.Errorf("before: %s\nafter:  %s", before, after)
	}
}

// TestCommandAboutAnotherHostsServiceIsAnsweredThere: of several answers the first
// is shown.
func TestCommandAboutAnotherHostsServiceIsAnsweredThere(t *testing.T) {
	m, _ := quiet(t)
	asked := func() (all []event.CommandResult) {
		for _, name := range []string{event.CommandHeal, event.CommandSilence, event.CommandUnsilence} {
			id := m.command(event.Command{Service: "theirs", Command: name, Args: event.CommandArgs{For: "1h"}})
			m.run(time.Second)
			all = append(all, m.results(id)...)
		}
		return all
	}
	theirs := event.Service{Service: "theirs", Definition: &event.Definition{Name: "theirs"}, Origin: event.Origin{Instance: "they", Host: "there"}}
	m.step(ReadService{theirs})
	if all := asked(); len(all) != 0 {
		t.Errorf("the answers are %+v", all)
	}
	theirs.Definition = nil
	m.step(ReadService{theirs})
	if all := asked(); len(all) != 3 {
		t.Errorf("once no host has it the answers are %+v", all)
	}
}

// TestOurNameWithoutOurSignatureIsForeign, whatever else the record copies.
func TestOurNameWithoutOurSignatureIsForeign(t *testing.T) {
	m, b := quiet(t)
	for range 3 {
		for _, check := range []string{"http", event.CheckContainer} {
			m.observeAs(event.HealthLog{Timestamp: event.Seconds(m.now), Service: "svc-0", Status: event.Down, Code: 500, Check: check}, false)
		}
		m.run(2 * time.Second)
	}
	wantHeld(t, m, "unconfirmed")
	if got := m.status("svc-0").Status; got != event.Down || m.source("svc-0", "me", "http") != event.Up || m.level("svc-0") != event.Up ||
		m.source("svc-0", "me (unsigned)", "http") != event.Down {
		t.Errorf("it is %s by %+v", got, m.status("svc-0").Sources)
	}
	if b.state.Status != container.Running {
		t.Errorf("it is %s", b.state.Status)
	}
}

// TestEventOfAnEarlierClaimIsNoNews comes before any event under the new
// one, and would have everything wait for the engine.
func TestEventOfAnEarlierClaimIsNoNews(t *testing.T) {
	for name, earlier := range map[string]bool{"of the earlier claim": true, "of the new one": false} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t)
			lost := event.Docker{Time: m.now, Action: event.StreamLost}
			lost.Origin, lost.Revision = m.revise()
			m.crash(time.Second)
			m.run(time.Second)
			m.until(t, "the next claim", func() bool { _, owns := m.owner(); return owns })
			if !earlier {
				lost.Origin, lost.Revision = m.revise()
			}
			m.step(ReadDocker{lost})
			m.run(time.Second)
			do("kill", m, b)
			m.run(3 * time.Second)
			if waits := m.gate() == "engine"; waits == earlier {
				t.Errorf("actions are %v, held by %q", m.actions(), m.gate())
			}
		})
	}
}
