package history

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

var zero = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var (
	ten   = Stop{Timeout: 10 * time.Second}
	quit  = Stop{Signal: "3", Timeout: 10 * time.Second}
	winch = Stop{Signal: "28", Timeout: 10 * time.Second}
	nine  = Stop{Signal: "9", Timeout: 10 * time.Second}
	began = Stop{Timeout: 10 * time.Second, ReadSince: ms(0)}
)

func ms(n int) time.Time { return zero.Add(time.Duration(n) * time.Millisecond) }

// written is the history "kill(15)@0 die(137)@100 stop@120": milliseconds after
// zero, as the engine's time and as read. "stop@120/400" is read at 400.
func written(text string) History {
	var h History
	for word := range strings.FieldsSeq(text) {
		what, times, _ := strings.Cut(word, "@")
		action, arg, _ := strings.Cut(strings.TrimSuffix(what, ")"), "(")
		engine, read, late := strings.Cut(times, "/")
		var at, readAt int
		fmt.Sscan(engine, &at)
		if readAt = at; late {
			fmt.Sscan(read, &readAt)
		}
		e := event.Docker{Time: ms(at), Container: "c", ID: "id", Action: action}
		switch action {
		case "kill":
			e.Signal = arg
		case "die":
			if arg != "" {
				code := 0
				fmt.Sscan(arg, &code)
				e.ExitCode = &code
			}
		}
		h = h.Add(Event{e, ms(readAt)})
	}
	return h
}

// describe is a list of events in one line.
func describe(h History, indexes []int) string {
	words := make([]string, len(indexes))
	for k, i := range indexes {
		words[k] = h[i].Action
	}
	return strings.Join(words, " ")
}

var (
	starts   = Pattern{{"start"}}
	unpauses = Pattern{{"unpause"}}
	restarts = Pattern{{"kill", "kill", "die", "stop"}, {"start"}, {"restart"}}
)

func TestOwnEventsAreTheActionsPatternOnce(t *testing.T) {
	for _, tt := range []struct {
		name     string
		pattern  Pattern
		events   string
		external string
	}{
		{"start", starts, "start@10", ""},
		{"start, then a stop, 20.10", starts, "start@10 kill(15)@2000 die@2030 stop@2040", "kill die stop"},
		{"start, then a stop, 29", starts, "start@10 kill(15)@2000 stop@2030 die@2032", "kill stop die"},
		{"start, and die of the life before comes late", starts, "die@5 start@10", ""},
		{"restart on 20.10", restarts, "kill(15)@10 die@20 stop@30 start@40 restart@41", ""},
		{"restart on 29", restarts, "kill(15)@10 stop@20 die@23 start@40 restart@41", ""},
		{"restart whose stop is reported after the start", restarts, "kill(15)@10 die@20 start@40 stop@41 restart@42", ""},
		{"restart of what ignores its signal, 20.10", restarts, "kill(15)@10 kill(9)@11 die@20 stop@30 start@40 restart@41", ""},
		{"restart of what ignores its signal, 29", restarts, "kill(15)@10 kill(9)@11 stop@20 die@22 start@40 restart@41", ""},
		{"restart of what had ended", restarts, "start@40 restart@41", ""},
		{"two restarts, one is ours", restarts, "kill(15)@10 stop@20 die@23 start@40 restart@41 kill(15)@50 stop@60 die@63 start@80 restart@81", "kill stop die start restart"},
		{"a HUP is evidence of nothing", restarts, "kill(1)@5 kill(15)@10 stop@20 die@23 start@40 restart@41 kill(1)@99", ""},
		{"start, and it ends by itself", starts, "start@10 die@2000", "die"},
		{"unpause", unpauses, "unpause@10", ""},
		{"unpause, and it ends by itself before", unpauses, "die@5", "die"},
		{"start, and oom of the life before comes late", starts, "oom@5 start@10", ""},
		{"start, and stop of the life before comes late", starts, "start@10 stop@40", ""},
		{"start, and a stop whose kill was not reported", starts, "start@10 stop@510", "stop"},
		{"nothing yet, and stop of the life before comes late", nil, "stop@40", "stop"},
		{"before the intent", starts, "die@-5 start@10", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := written(tt.events)
			in := Intent{Container: "id", Pattern: tt.pattern, Stop: ten, Base: zero}
			if got := describe(h, h.External(in)); got != tt.external {
				t.Errorf("external are %q, want %q", got, tt.external)
			}
		})
	}
}

func TestOwnEventsOfARefusedCallAreBounded(t *testing.T) {
	h := written("kill(15)@10 stop@20 die@23 start@9000")
	in := Intent{Container: "id", Pattern: restarts, Stop: ten, Base: zero, Until: ms(600)}
	if got := describe(h, h.External(in)); got != "start" {
		t.Errorf("external are %q, want the start that came long after the call was refused", got)
	}
	if own := h.Own([]Intent{in}); !slices.Equal(own, []bool{true, true, true, false}) {
		t.Errorf("own are %v", own)
	}
}

func TestEndAfterAForeignStartIsNotOfTheLifeBefore(t *testing.T) {
	h := written("start@9000 die@9500")
	in := Intent{Container: "id", Pattern: starts, Stop: ten, Base: zero, Until: ms(600)}
	if got := describe(h, h.External(in)); got != "start die" {
		t.Errorf("after a start that was refused, external are %q", got)
	}
}

func TestEachIntentReachesUpToTheNext(t *testing.T) {
	late := written("unpause@3000")
	if own := late.Own([]Intent{{Container: "id", Pattern: unpauses, Base: zero}, {Container: "id", Pattern: starts, Base: ms(2000)}}); own[0] {
		t.Error("an intent that had no effect takes an event after the next intent for its own")
	}
	h := written("start@10 die@2000 start@5000")
	own := h.Own([]Intent{{Container: "id", Pattern: starts, Stop: ten, Base: zero}, {Container: "id", Pattern: starts, Stop: ten, Base: ms(2000)}})
	if !slices.Equal(own, []bool{true, false, true}) {
		t.Errorf("own are %v", own)
	}
}

func TestHistoryIsBoundedAndTakesNothingTwice(t *testing.T) {
	var long History
	for i := range 3 * maxLen {
		e := Event{event.Docker{Time: ms(i), ID: "id", Action: "die"}, ms(i)}
		long = long.Add(e).Add(e)
	}
	if twice := long[:1].Add(long[0]); len(twice) != 1 {
		t.Errorf("an event that is read twice is kept %d times", len(twice))
	}
	if len(long) != maxLen {
		t.Errorf("%d events are kept, want %d", len(long), maxLen)
	}
	if !slices.IsSortedFunc(long, func(a, b Event) int { return a.Time.Compare(b.Time) }) {
		t.Error("they are out of order")
	}
	old := History{}.Add(Event{event.Docker{Time: ms(0), ID: "id", Action: "die"}, ms(0)})
	if kept := old.Add(Event{event.Docker{Time: ms(1), ID: "id", Action: "die"}, ms(0).Add(MaxAge + time.Second)}); len(kept) != 1 {
		t.Errorf("%d events are kept beyond their age, want 1", len(kept))
	}
}

func TestLateEventsAreInsertedInOrder(t *testing.T) {
	h := written("die@100 start@300 stop@120/900")
	if got := describe(h, []int{0, 1, 2}); got != "die stop start" {
		t.Errorf("they stand as %q", got)
	}
}

func TestEventsFollowAClockThatWasSetBackInTheOrderTheyWereRead(t *testing.T) {
	hour := 3600_000
	h := written("start@3600000 kill(15)@0/3660000 stop@100/3660100 die@20/3660100")
	if got := describe(h, []int{0, 1, 2, 3}); got != "start kill die stop" {
		t.Errorf("they stand as %q", got)
	}
	for i, e := range h { // as after a reconnection
		if again := h.Add(Event{e.Docker, ms(2 * hour)}); len(again) != len(h) {
			t.Errorf("event %d that is read twice is kept twice", i)
		}
	}
	for base, want := range map[int]int{-1: 0, hour: 1, 0: 2, 20: 3, 50: 3, 100: 4, 2 * hour: 4} {
		if got := h.Until(ms(base)); got != want {
			t.Errorf("%d events came up to %d, want %d", got, base, want)
		}
	}
	own := h.Own([]Intent{{Container: "id", Pattern: Pattern{{"kill", "stop", "die"}}, Stop: ten, Base: ms(hour)}})
	if !slices.Equal(own, []bool{false, true, true, true}) {
		t.Errorf("own are %v", own)
	}
	end, ended := h.Ending("id", ten, nil, ms(hour+100_000))
	if !ended || end.End != EndStopped || !end.At.Equal(ms(100)) {
		t.Errorf("the end is %+v, %v", end, ended)
	}
	if h := written("start@10000 kill(15)@5000/15000 stop@5100/15100 die@5090/15110"); describe(h, []int{0, 1, 2, 3}) != "start kill die stop" {
		t.Errorf("after ten seconds they stand as %q", describe(h, []int{0, 1, 2, 3}))
	}
	for _, text := range []string{"kill(15)@3600000 start@3600100 stop@0/3660000", "pause@3600000 unpause@0/3660000"} {
		h := written(text)
		if last := len(h) - 1; h.isLateStop(last) && h[0].Action == "start" || h.IsEcho(last) {
			t.Errorf("%s: the last is taken for late, or for an echo", text)
		}
	}
}

func TestAStartHasBegunWhenItIsRead(t *testing.T) {
	for _, tt := range []struct {
		name          string
		events        string
		started, want int
	}{
		{"the clocks agree", "start@1000/1010", 990, 990},
		{"the engine's is ahead", "start@3600000/1000", 3599900, 1000},
		{"the engine's is behind", "start@1000/3600000", 990, 3600000},
		{"it is read late", "start@1000/30000", 990, 990},
		{"this start is not read yet", "start@3600000/1000", 3700000, 3700000},
		{"its start is not known", "die@1000", 5000, 5000},
	} {
		if got := written(tt.events).Began("id", ms(tt.started)); !got.Equal(ms(tt.want)) {
			t.Errorf("%s: it began at %s, want %s", tt.name, got, ms(tt.want))
		}
	}
}

func TestASignalIsOfTheLifeThatRuns(t *testing.T) {
	for _, tt := range []struct {
		name         string
		events       string
		started, now int
		want         bool
	}{
		{"it came after the start", "start@1000 kill(15)@5000", 990, 6000, true},
		{"the next start is not read yet", "start@1000 kill(15)@5000", 5900, 6000, false},
		{"the clock was set back after the start", "start@10000 kill(15)@5000/15000", 9990, 15100, true},
		{"so it was, and the start is not known any more", "kill(15)@5000/1800000", 1700000, 1800100, true},
	} {
		h := written(tt.events)
		if got := h.IsOfRunning(h[len(h)-1], ms(tt.started), ms(tt.now)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestEchoOfAQuickUnpause(t *testing.T) {
	h := written("pause@0 unpause@1000 pause@1010 unpause@1012 pause@5000")
	var got []int
	for i := range h {
		if h.IsEcho(i) {
			got = append(got, i)
		}
	}
	if !slices.Equal(got, []int{2, 3}) {
		t.Errorf("echoes are %v, want the second pause and its unpause", got)
	}
}

func TestAStopInsideARestartIsNoStop(t *testing.T) {
	for _, events := range []string{
		"kill(15)@0 die@10 stop@20 start@30 restart@31 kill(15)@100 die@110 stop@120 start@500",
		"kill(15)@0 stop@10 die@20 start@30 restart@31 kill(15)@100 stop@110 die@120 start@500",
	} {
		h := written(events)
		var inside []bool
		for i, e := range h {
			if e.Action == "stop" {
				inside = append(inside, h.IsOfRestart(i))
			}
		}
		if !slices.Equal(inside, []bool{true, false}) {
			t.Errorf("%s: of a restart: %v, want the first only", events, inside)
		}
	}
}

func TestAStopOfWhatWasRemoved(t *testing.T) {
	h := written("kill(15)@0 die@10 stop@20 destroy@30 kill(15)@60000 die@60010 stop@60020")
	if !h.IsRemovedAfter(2) || h.IsRemovedAfter(6) {
		t.Errorf("removed: %v and %v, want true and false", h.IsRemovedAfter(2), h.IsRemovedAfter(6))
	}
}

func TestStartsThatFollowAnOwnEnd(t *testing.T) {
	for events, want := range map[string]bool{
		"die@0 start@10":                                       true,
		"oom@0 die(137)@1 start@10":                            true,
		"kill(1)@0 die@1 start@10":                             true,
		"kill(9)@0 die@1 start@10":                             false,
		"kill(15)@0 die@1 stop@2 start@10":                     false,
		"kill(15)@0 stop@1 die@2 start@10":                     false,
		"start@10":                                             false,
		"die@0 start@10 unpause@20":                            false,
		"kill(15)@0 die@1 stop@2 start@600 die@700 start@1300": true,
		"die@0 start@10 kill(15)@20 stop@21 die@22 start@600":  false,
	} {
		h := written(events)
		code, is := h.FollowsOwnEnd(len(h)-1, ten)
		if is != want || (code == 137) != strings.Contains(events, "die(137)") {
			t.Errorf("%s: %v, exit code %d", events, is, code)
		}
	}
}

func TestInterference(t *testing.T) {
	all := func(Event) bool { return true }
	for _, tt := range []struct{ events, want string }{
		{"die@0 start@2000", "start"},
		{"kill(15)@0 die@10 stop@20 start@30 restart@31", "restart"},
		{"kill(15)@0 stop@10 die@20 start@30 restart@31", "restart"},
		{"kill(15)@0 stop@10 die@20 start@30 restart@31 kill(1)@900", "restart"},
		{"start@0 kill(15)@1000 stop@1010 die@1020", ""},
		{"start@0 kill(15)@1000", ""},
		{"pause@0 unpause@1000", "unpause"},
		{"pause@0 kill(15)@1000 unpause@1001", ""}, // that is how what is paused is stopped
		{"unpause@0 pause@1000", ""},
		{"kill(15)@0 die@10 start@20 stop@40", "start"}, // the stop is of the life before
		{"die@0 start@20 stop@520", ""},
	} {
		h := written(tt.events)
		i, found := h.Interference(make([]bool, len(h)), ms(-1000), ten, all)
		if got := ""; found {
			if got = h[i].Action; got != tt.want {
				t.Errorf("%s: %q, want %q", tt.events, got, tt.want)
			}
		} else if tt.want != "" {
			t.Errorf("%s: none, want %q", tt.events, tt.want)
		}
	}
}

// TestManyNamesMakeRoom keeps what is a service's, and the newest of the others.
func TestManyNamesMakeRoom(t *testing.T) {
	h := NewHost()
	none := func(string) bool { return false }
	at := zero
	for i := range 2*maxNames + 100 {
		at = at.Add(time.Second)
		h.Read(event.Docker{Time: at, Container: fmt.Sprintf("run-%d", i), ID: "x", Action: "create"}, at, none)
	}
	if newest := h.Of(fmt.Sprintf("run-%d", 2*maxNames+99)); len(newest) != 1 || len(h.byName) > maxNames {
		t.Errorf("of the newest %d events are kept; %d names", len(newest), len(h.byName))
	}
	for i := range maxNames {
		h.Read(event.Docker{Time: at, Container: fmt.Sprintf("burst-%d", i), ID: "x", Action: "create"}, at, none)
	}
	h.Read(event.Docker{Time: at, Container: "web", ID: "w", Action: "die"}, at, func(name string) bool { return name == "web" })
	if len(h.Of("web")) != 1 {
		t.Error("what a service's container did is not kept")
	}
}
