package healer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
)

// played is a tape of events written as "kill(15)@0 die@100 stop@120", with
// milliseconds after simStart, as the engine's time and as heard.
func played(text string) tape {
	var t tape
	for word := range strings.FieldsSeq(text) {
		what, ms, _ := strings.Cut(word, "@")
		action, signal, _ := strings.Cut(strings.TrimSuffix(what, ")"), "(")
		var after int
		fmt.Sscan(ms, &after)
		at := simStart.Add(time.Duration(after) * time.Millisecond)
		t = t.add(entry{event.Docker{Time: at, Container: "c", ID: "id", Action: action, Signal: signal}, at})
	}
	return t
}

func TestEnded(t *testing.T) {
	for _, tt := range []struct {
		name    string
		tape    string
		now     int // milliseconds
		end     runbook.End
		order   string
		waiting bool
	}{
		{"docker stop", "kill(15)@0 die@100 stop@120", 200, runbook.EndStopped, "kill(15) → die → stop", false},
		{"docker stop of nginx", "kill(3)@0 die@100 stop@120", 200, runbook.EndStopped, "kill(3) → die → stop", false},
		{"docker stop, its stop event not read yet", "kill(15)@0 die@100", 200, runbook.EndKilled, "kill(15) → die", true},
		{"docker stop -t 0", "kill(15)@0 kill(9)@5 die@100 stop@120", 200, runbook.EndStopped, "kill(15) → kill(9) → die → stop", false},
		{"docker kill", "kill(9)@0 die@100", 101, runbook.EndKilled, "kill(9) → die", false},
		{"docker kill -s TERM", "kill(15)@0 die@100", 700, runbook.EndKilled, "kill(15) → die", false},
		{"it ended by itself", "die@100", 101, runbook.EndDied, "die", false},
		{"out of memory", "oom@90 die@100", 101, runbook.EndOOM, "oom → die", false},
		{"an older stop does not count", "kill(15)@0 die@1 stop@2 start@50 die@100", 101, runbook.EndDied, "die", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tape := played(tt.tape)
			e, found := tape.ended("id", make([]bool, len(tape)), simStart.Add(time.Duration(tt.now)*time.Millisecond))
			if !found || e.end != tt.end || e.order != tt.order || e.waiting != tt.waiting {
				t.Errorf("found %v: %+v", found, e)
			}
		})
	}
}

func TestMatchTellsOursFromOutside(t *testing.T) {
	for _, tt := range []struct{ name, action, tape, outside string }{
		{"our start", service.ActionStart, "start@10", ""},
		{"our start, then somebody's stop", service.ActionStart, "start@10 kill(15)@20 die@30 stop@40", "kill die stop"},
		{"our restart", service.ActionRestart, "kill(15)@10 die@20 stop@30 start@40 restart@41", ""},
		{"our restart of what ignores its signal", service.ActionRestart, "kill(15)@10 kill(9)@11 die@20 stop@30 start@40 restart@41", ""},
		{"our restart, then another", service.ActionRestart, "kill(15)@10 die@20 stop@30 start@40 restart@41 kill(15)@50 die@60 stop@70 start@80 restart@81", "kill die stop start restart"},
		{"our start, and it ends by itself", service.ActionStart, "start@10 die@20", "die"},
		{"our unpause", service.ActionUnpause, "unpause@10", ""},
		{"before the intent", service.ActionStart, "die@-5 start@10", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tape := played(tt.tape)
			_, outside := tape.match(intent{"id", tt.action, simStart})
			var got []string
			for _, i := range outside {
				got = append(got, tape[i].Action)
			}
			if strings.Join(got, " ") != tt.outside {
				t.Errorf("from outside are %v, want %q", got, tt.outside)
			}
		})
	}
}

func TestTapeIsBoundedAndTakesNothingTwice(t *testing.T) {
	var long tape
	for i := range 3 * tapeLen {
		at := simStart.Add(time.Duration(i) * time.Millisecond)
		e := entry{event.Docker{Time: at, ID: "id", Action: "die"}, at}
		long = long.add(e).add(e)
	}
	if len(long) != tapeLen {
		t.Errorf("%d events are kept, want %d", len(long), tapeLen)
	}
	times := make([]time.Time, len(long))
	for i, e := range long {
		times[i] = e.Time
	}
	if !slices.IsSortedFunc(times, time.Time.Compare) {
		t.Error("they are out of order")
	}
}

func TestGhostsOfAQuickUnpause(t *testing.T) {
	tape := played("pause@0 unpause@1000 pause@1010 unpause@1012 pause@5000")
	var got []int
	for i := range tape {
		if tape.ghost(i) {
			got = append(got, i)
		}
	}
	if !slices.Equal(got, []int{2, 3}) {
		t.Errorf("ghosts are %v, want the second pause and its unpause", got)
	}
}

func TestAStopInsideARestartIsNoStop(t *testing.T) {
	tape := played("kill(15)@0 die@10 stop@20 start@30 restart@31 kill(15)@100 die@110 stop@120 start@500")
	if !tape.ofRestart(2) || tape.ofRestart(7) {
		t.Errorf("of a restart: %v and %v, want true and false", tape.ofRestart(2), tape.ofRestart(7))
	}
}

func TestCooldownDoubles(t *testing.T) {
	for n, want := range []time.Duration{0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := cooldown(30*time.Second, n); got != want {
			t.Errorf("after %d: %s, want %s", n, got, want)
		}
	}
}

func TestAnsweredInWords(t *testing.T) {
	for _, tt := range []struct {
		code int
		text string
		want runbook.Answer
	}{
		{503, "HTTP 503, expected 200-399", runbook.AnswerStatus},
		{0, "localhost:8080 took the connection, and didn't answer within 1s", runbook.AnswerTimeout},
		{0, "no connection to localhost:8080 within 1s", runbook.AnswerTimeout},
		{0, "connection refused by localhost:8080: nothing listens there", runbook.AnswerRefused},
		{0, "localhost:8080 closed the connection before its answer was complete", runbook.AnswerRefused},
		{0, "no address is known for the name shop.example", runbook.AnswerBroken},
		{0, "the address of shop.example was not found out within 1s", runbook.AnswerBroken},
		{0, "the certificate of shop.example is for another name", runbook.AnswerBroken},
	} {
		if got := answerOf(event.HealthLog{Code: tt.code, Error: tt.text}); got != tt.want {
			t.Errorf("%q is %d, want %d", tt.text, got, tt.want)
		}
	}
}

func TestCommandsAreQuoted(t *testing.T) {
	for name, want := range map[string]string{"payment-service": "docker start payment-service", "a b": "docker start 'a b'", "x;rm -rf /": "docker start 'x;rm -rf /'", "it's": `docker start 'it'\''s'`} {
		if got := command(service.ActionStart, name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAStopOfWhatWasRemovedIsNoDecision(t *testing.T) {
	tape := played("kill(15)@0 die@10 stop@20 destroy@30 kill(15)@60000 die@60010 stop@60020")
	if !tape.removed(2) || tape.removed(6) {
		t.Errorf("removed: %v and %v, want true and false", tape.removed(2), tape.removed(6))
	}
}

func TestStartsByPolicy(t *testing.T) {
	for text, want := range map[string]bool{
		"die@0 start@10":                                     true,
		"oom@0 die@1 start@10":                               true,
		"kill(9)@0 die@1 start@10":                           false,
		"kill(15)@0 die@1 stop@2 start@10":                   false,
		"start@10":                                           false,
		"die@0 start@10 unpause@20":                          false,
		"kill(15)@0 die@1 stop@2 start@10 die@20 start@30":   true,
		"die@0 start@10 kill(15)@20 die@21 stop@22 start@30": false,
	} {
		if tape := played(text); tape.byItself(len(tape)-1) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

func TestManyNamesMakeRoom(t *testing.T) {
	m, b := quiet(t)
	tell := func(name string) {
		m.now = m.now.Add(time.Second)
		e := event.Docker{Time: m.now, Container: name, ID: name, Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	for i := range 2*maxTapes + 100 {
		tell(fmt.Sprintf("run-%d", i))
	}
	if _, kept := m.world.tapes["run-"+fmt.Sprint(2*maxTapes+99)]; !kept || len(m.world.tapes) > maxTapes {
		t.Errorf("the newest name is kept: %v; %d names", kept, len(m.world.tapes))
	}
	delete(m.world.tapes, b.def.Name)
	for i := range maxTapes {
		e := event.Docker{Time: m.now, Container: fmt.Sprintf("burst-%d", i), ID: "x", Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	if tell(b.def.Name); len(m.world.tapes[b.def.Name]) != 1 {
		t.Error("what a service's container did was not kept")
	}
}
