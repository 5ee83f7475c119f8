package healer

import (
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

// What a hold of all repairs outlives, and what ends it.

func (m *sim) hold(length string) string {
	return m.command(event.Command{Command: event.CommandHold, Args: event.CommandArgs{For: length, Reason: "maintenance"}})
}

func (m *sim) release() string { return m.command(event.Command{Command: event.CommandRelease}) }

func TestHoldOutlivesARestart(t *testing.T) {
	m, b := quiet(t)
	m.hold("1m")
	m.run(time.Second)
	m.kill()
	m.run(20 * time.Second)
	do("kill", m, b)
	m.run(10 * time.Second)
	wantHeld(t, m, "hold")
	m.run(2 * time.Minute)
	if b.state.Status != container.Running {
		t.Error("the hold is over, and nothing was repaired")
	}
}

// TestHoldOfAllHostsIsAnsweredByEach has another host answer the same command first.
func TestHoldOfAllHostsIsAnsweredByEach(t *testing.T) {
	m, b := quiet(t)
	m.hold("")
	m.run(time.Second)
	theirs := m.commands[0]
	theirs.in.Command.Result, theirs.in.Command.Origin = &event.CommandResult{OK: true}, event.Origin{Host: "elsewhere"}
	m.commands = append(m.commands[:1:1], append([]onWire[ReadCommand]{theirs}, m.commands[1:]...)...)
	m.kill()
	m.run(20 * time.Second)
	do("kill", m, b)
	m.run(10 * time.Second)
	wantHeld(t, m, "hold")
}

// TestHoldOfAnotherHostChangesNothing has the dashboard of another host ask for a hold,
// and then for the end of one that stands here.
func TestHoldOfAnotherHostChangesNothing(t *testing.T) {
	m, b := quiet(t)
	elsewhere := event.Origin{Host: "elsewhere"}
	m.command(event.Command{Command: event.CommandHold, Origin: elsewhere})
	m.run(time.Second)
	if n := len(m.commands); n != 1 {
		t.Errorf("%d records of a command to another host; want the request alone", n)
	}
	do("kill", m, b)
	m.run(time.Minute)
	if b.state.Status != container.Running {
		t.Error("the hold of another host holds a repair here")
	}

	m.hold("")
	m.run(time.Minute)
	m.command(event.Command{Command: event.CommandRelease, Origin: elsewhere})
	m.run(time.Second)
	do("kill", m, b)
	m.run(10 * time.Second)
	if b.state.Status == container.Running {
		t.Error("a release of another host ends the hold of this one")
	}
}

// TestHoldOutlivesTheRetentionOfCommands: what was asked for days ago stands,
// though the record of it is gone.
func TestHoldOutlivesTheRetentionOfCommands(t *testing.T) {
	for _, length := range []string{"", "240h"} {
		t.Run("for "+length, func(t *testing.T) {
			m, b := quiet(t)
			m.hold(length)
			m.run(time.Second)
			given, renewed := m.now, 0
			for range 9 {
				before := len(m.commands)
				m.sleep(25 * time.Hour)
				m.run(time.Second)
				renewed += len(m.commands) - before
			}
			if renewed != 9 {
				t.Fatalf("it was written again %d times in nine days", renewed)
			}
			newest := m.commands[len(m.commands)-1]
			if c := newest.in.Command; c.By != "operator:ada" || c.Args.Reason != "maintenance" {
				t.Errorf("the last one says %+v", c)
			}
			m.commands = []onWire[ReadCommand]{newest}
			m.kill()
			m.run(30 * time.Second)
			do("kill", m, b)
			m.run(10 * time.Second)
			wantHeld(t, m, "hold")
			until := m.of0().HeldUntil
			if length == "" && until != nil || length != "" && (until == nil || until.Sub(given.Add(240*time.Hour)).Abs() > 10*time.Second) {
				t.Errorf("a hold of %s holds until %v", given, until)
			}
		})
	}
}

// TestHoldStandsAfterLogStreamWasOff for longer than a command is remembered, where the
// topic still has it. What ended it stands as well, and a copy of it changes nothing.
func TestHoldStandsAfterLogStreamWasOff(t *testing.T) {
	for name, tt := range map[string]struct {
		length string
		then   func(*sim)
		held   bool
	}{
		"without an end":       {"", func(*sim) {}, true},
		"with an end to come":  {"240h", func(*sim) {}, true},
		"that is over":         {"24h", func(*sim) {}, false},
		"that was ended":       {"", func(m *sim) { m.release() }, false},
		"that was given again": {"", func(m *sim) { m.release(); m.run(time.Minute); m.hold("") }, true},
		"whose end came before it": {"", func(m *sim) { // and is on the topic again
			m.release()
			m.run(time.Minute)
			m.hold("")
			m.run(time.Minute)
			m.commandAgain(3)
		}, true},
		"that is on the topic again after its end": {"", func(m *sim) {
			m.release()
			m.run(time.Minute)
			m.commandAgain(1)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m, b := quiet(t)
			m.hold(tt.length)
			m.run(time.Minute)
			tt.then(m)
			m.run(time.Minute)
			m.crash(2 * time.Second)
			m.sleep(8 * 24 * time.Hour)
			m.run(3 * time.Minute)
			do("kill", m, b)
			m.run(time.Minute)
			if held := m.gate() == "hold"; held != tt.held {
				t.Errorf("held by %q, and the actions are %v", m.gate(), m.actions())
			}
			m.crash(2 * time.Second)
			m.run(time.Minute)
			if held := m.gate() == "hold"; held != tt.held {
				t.Errorf("after another start it is held by %q, and the actions are %v", m.gate(), m.actions())
			}
		})
	}
}
