package history

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestLives(t *testing.T) {
	h := written("die(1)@0 start@1000 oom@4000 die(137)@4100 start@5000 kill(15)@6000 die(0)@6100 stop@6110 start@9000 die(78)@9500 start@10000")
	var got []string
	for _, l := range Lives(h, "id", ten, ms(20000)) {
		got = append(got, fmt.Sprintf("%d %s %d", l.End, l.Ran, l.ExitCode))
	}
	want := fmt.Sprintf("%d -1ns 1, %d 3.1s 137, %d 1.11s 0, %d 500ms 78", EndByItself, EndOOM, EndStopped, EndByItself)
	if strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if lives := Lives(h, "other", ten, ms(20000)); len(lives) != 0 {
		t.Errorf("another container has %v", lives)
	}
}

// TestALifeEndsFromWhenItWasAskedTo: not from a signal that asks for something else,
// nor from a kill that is of the life before, or that the process survived long ago.
func TestALifeEndsFromWhenItWasAskedTo(t *testing.T) {
	for events, want := range map[string]int{
		"start@0 kill(15)@1000 kill(9)@11000 die(137)@11100 stop@11120":       1000,
		"start@0 kill(15)@1000 kill(9)@41000 die(137)@41100 stop@41120":       1000, // docker stop -t 40
		"start@0 kill(1)@1000 kill(15)@2000 die(0)@2100 stop@2110":            2000,
		"kill(15)@0 die(0)@50 start@60 restart@61 kill(9)@2000 die(137)@2050": 2000,
		"start@0 kill(15)@1000 kill(9)@200000 die(137)@200050":                200000,
		"start@0 kill(15)@1000 die(1)@30000":                                  30000, // by itself
	} {
		lives := Lives(written(events), "id", ten, ms(300000))
		if last := lives[len(lives)-1]; !last.Began.Equal(ms(want)) {
			t.Errorf("%q: it ends from %v, want %v", events, last.Began, ms(want))
		}
	}
}

func TestIgnoredStop(t *testing.T) {
	for events, want := range map[string]bool{
		"start@0 kill(15)@1000 kill(9)@11000 die(137)@11100 stop@11120":               true,
		"start@0 kill(15)@1000 kill(9)@11000 stop@11100 die(137)@11102 start@12000":   true,
		"start@0 kill(15)@1000 kill(9)@1005 die(137)@1100 stop@1120":                  false, // docker stop -t 0
		"start@0 kill(15)@1000 die@1100 stop@1120":                                    false,
		"start@0 kill(9)@1000 die(137)@1100":                                          false,
		"start@0 kill(15)@1000 die@1100 stop@1120 start@2000 kill(9)@30000 die@30100": false,
		"": false,
	} {
		if got := IgnoredStop(written(events), "id", ten); got != want {
			t.Errorf("%q: %v", events, got)
		}
	}
	if IgnoredStop(written("kill(15)@0 kill(9)@5 die@9"), "id", Stop{Timeout: time.Millisecond}) {
		t.Error("with a stop time-out of nothing every stop is a kill")
	}
}
