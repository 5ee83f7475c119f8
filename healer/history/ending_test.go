package history

import (
	"testing"
	"time"
)

func TestEndingIsReadFromTheSetOfALife(t *testing.T) {
	for _, tt := range []struct {
		name    string
		events  string
		stop    Stop
		now     int // milliseconds
		end     End
		order   string
		waiting bool
	}{
		{"stop on 20.10", "start@0 kill(15)@1000 die@1100 stop@1120", ten, 1200, EndStopped, "kill(15) → die → stop", false},
		{"stop on 29", "start@0 kill(15)@1000 stop@1100 die@1103", ten, 1200, EndStopped, "kill(15) → stop → die", false},
		{"stop on 29, die not read yet", "start@0 kill(15)@1000 stop@1100", ten, 1200, EndStopped, "kill(15) → stop", true},
		{"stop on 20.10, stop not read yet", "start@0 kill(15)@1000 die@1100", ten, 1200, EndKilled, "kill(15) → die", true},
		{"the wait for the other event ends", "start@0 kill(15)@1000 die@1100", ten, 1300, EndKilled, "kill(15) → die", false},
		{"and it still comes", "start@0 kill(15)@1000 die@1100 stop@1120/1900", ten, 1900, EndStopped, "kill(15) → die → stop", false},
		{"stop of nginx", "kill(3)@0 die@100 stop@120", quit, 200, EndStopped, "kill(3) → die → stop", false},
		{"stop of what ignores SIGTERM, 20.10", "kill(15)@0 kill(9)@10000 die(137)@10100 stop@10120", ten, 10200, EndStopped, "kill(15) → kill(9) → die → stop", false},
		{"stop of what ignores SIGTERM, 29", "kill(15)@0 kill(9)@10000 stop@10100 die(137)@10102", ten, 10200, EndStopped, "kill(15) → kill(9) → stop → die", false},
		{"stop -t 0", "kill(15)@0 kill(9)@5 die(137)@100 stop@120", ten, 200, EndStopped, "kill(15) → kill(9) → die → stop", false},
		{"stop of what ignores SIGTERM, its stop not read yet", "kill(15)@0 kill(9)@10000 die(137)@10100", ten, 11099, EndKilled, "kill(15) → kill(9) → die", true},
		{"and it does not come", "kill(15)@0 kill(9)@10000 die(137)@10100", ten, 11100, EndKilled, "kill(15) → kill(9) → die", false},
		{"kill", "kill(9)@0 die(137)@100", ten, 101, EndKilled, "kill(9) → die", false},
		{"stop with SIGKILL, 29", "kill(9)@0 stop@100 die(137)@101", ten, 101, EndStopped, "kill(9) → stop → die", false},
		{"stop with SIGKILL, and its stop is read late", "kill(9)@0 die(137)@100 stop@99/120", ten, 120, EndStopped, "kill(9) → stop → die", false},
		{"a stop signal of 9", "kill(9)@0 die(137)@100", nine, 101, EndKilled, "kill(9) → die", true},
		{"a stop signal of 9, decided", "kill(9)@0 die(137)@100", nine, 300, EndKilled, "kill(9) → die", false},
		{"kill of what ignores SIGTERM may be its stop", "kill(15)@0 kill(9)@60000 die(137)@60100", ten, 60101, EndKilled, "kill(9) → die", true},
		{"kill of what ignores a signal that it may have been stopped with", "kill(1)@0 kill(9)@10000 die(137)@10100", ten, 10101, EndKilled, "kill(9) → die", true},
		{"kill after a stop signal of the life before", "kill(15)@0 stop@10 die@11 start@20 kill(9)@1000 die(137)@1100", ten, 1101, EndKilled, "kill(9) → die", false},
		{"kill whose stop may have begun before anything was read", "kill(9)@9000 die(137)@9100", began, 9101, EndKilled, "kill(9) → die", true},
		{"kill long after reading began", "kill(9)@16000 die(137)@16100", began, 16101, EndKilled, "kill(9) → die", false},
		{"stop signal of its own kills", "kill(28)@0 die@100", winch, 300, EndKilled, "kill(28) → die", false},
		{"another program's stop signal is no end", "kill(28)@0 die@100", ten, 101, EndByItself, "die", false},
		{"a HUP right before a crash", "kill(1)@0 die(2)@100", ten, 101, EndByItself, "die", false},
		{"a HUP hours before a crash", "kill(1)@0 die(2)@800000", ten, 800001, EndByItself, "die", false},
		{"a TERM that was ignored, and a crash later", "kill(15)@0 die(2)@15000", ten, 15001, EndByItself, "die", false},
		{"a TERM within its time-out", "kill(15)@0 die(0)@14999", ten, 20000, EndKilled, "kill(15) → die", false},
		{"it ended by itself", "start@0 die(1)@100", ten, 101, EndByItself, "die", false},
		{"out of memory", "oom@90 die(137)@100", ten, 101, EndOOM, "oom → die", false},
		{"out of memory, reported late", "die(137)@100 oom@250", ten, 300, EndOOM, "die → oom", false},
		{"an oom of a child, after the end", "die(137)@100 oom@310", ten, 400, EndByItself, "die → oom", false},
		{"an oom of a child that was survived", "oom@0 die(137)@6000", ten, 6001, EndByItself, "oom → die", false},
		{"an oom of a child, and an exit of its own", "oom@0 die(1)@100", ten, 101, EndByItself, "oom → die", false},
		{"killed after an oom", "oom@0 kill(9)@50 die(137)@100", ten, 400, EndKilled, "oom → kill(9) → die", false},
		{"an older stop does not count", "kill(15)@0 die@1 stop@2 start@600 die@700", ten, 701, EndByItself, "die", false},
		{"an older stop reported after the start does not count", "kill(15)@0 die@1 start@50 stop@60 die(1)@100", ten, 101, EndByItself, "die", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := written(tt.events)
			e, found := h.Ending("id", tt.stop, nil, ms(tt.now))
			if !found || e.End != tt.end || e.Order != tt.order || e.Waiting != tt.waiting {
				t.Errorf("found %v: %+v", found, e)
			}
		})
	}
	for _, events := range []string{"", "start@0", "kill(15)@0 die@1 stop@2 start@600", "kill(15)@0"} {
		if e, found := written(events).Ending("id", ten, nil, ms(1000)); found {
			t.Errorf("%q: an ending out of nothing: %+v", events, e)
		}
	}
}

// TestEndingIsOursByAnyOfItsEvents: a restart that fails after its stop.
func TestEndingIsOursByAnyOfItsEvents(t *testing.T) {
	h := written("start@0 kill(15)@1000 stop@1100 die@1103")
	for i, want := range []bool{false, true, true, true} {
		own := make([]bool, len(h))
		own[i] = true
		if e, _ := h.Ending("id", ten, own, ms(1200)); e.Ours != want {
			t.Errorf("with %s alone of ours, the ending is ours: %v", h[i].Action, e.Ours)
		}
	}
}

func TestAStopInProgress(t *testing.T) {
	for _, tt := range []struct {
		events string
		stop   Stop
		now    int
		want   bool
	}{
		{"start@0 kill(15)@1000", ten, 2000, true},
		{"start@0 kill(15)@1000", ten, 290000, true}, // the event does not contain which -t was given
		{"start@0 kill(15)@1000", ten, 302000, false},
		{"start@0 kill(15)@1000", Stop{Timeout: 10 * time.Minute}, 302000, true},
		{"start@0 kill(1)@1000", ten, 2000, false},
		{"start@0 kill(10)@1000", ten, 2000, false},
		{"start@0 kill(28)@1000", winch, 2000, true},
		{"start@0 kill(15)@1000 die@1100", ten, 2000, false},
		{"start@0 kill(15)@1000 stop@1100", ten, 2000, false},
		{"kill(15)@0 die@1 stop@2 start@600", ten, 2000, false},
		{"start@0 kill(15)@1000 kill(1)@1500", ten, 2000, true},
	} {
		if _, got := written(tt.events).Stopping("id", tt.stop, nil, ms(tt.now)); got != tt.want {
			t.Errorf("%s at %d: %v", tt.events, tt.now, got)
		}
	}
	h := written("start@0 kill(15)@1000")
	if _, got := h.Stopping("id", ten, []bool{false, true}, ms(2000)); got {
		t.Error("a kill of our own counts as a stop from outside")
	}
}
