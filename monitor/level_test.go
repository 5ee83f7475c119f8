package monitor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
)

func TestLevelOf(t *testing.T) {
	for _, c := range []struct {
		state container.State
		err   error
		want  event.Status
		text  string
		known bool
	}{
		{container.State{Status: container.Running}, nil, event.Up, "", true},
		{container.State{Status: container.Paused}, nil, event.Down, "container pay is paused", true},
		{container.State{Status: container.Exited, ExitCode: 137}, nil, event.Down, "container pay exited with code 137", true},
		{container.State{Status: container.Restarting, ExitCode: 1}, nil, event.Down, "container pay is restarting: it exited with code 1", true},
		{container.State{Status: container.Created}, nil, event.Down, "container pay was created and never started", true},
		{container.State{Status: container.Created, Error: "port is\x00 taken"}, nil, event.Down, "container pay was created and never started: port is taken", true},
		{container.State{Status: container.Dead}, nil, event.Down, "container pay is dead", true},
		{container.State{Status: container.Removing}, nil, event.Down, "container pay is being removed", true},
		{container.State{Status: "frozen"}, nil, event.Down, "container pay is frozen", true},
		{container.State{Name: "shop-pay-1", Status: container.Paused}, nil, event.Down, "container shop-pay-1 is paused", true},
		{container.State{}, fmt.Errorf("find: %w", container.ErrNotFound), event.Down, "no container is named pay", true},
		{container.State{}, container.ErrUnavailable, "", "", false},
		{container.State{}, &container.AmbiguousError{Ref: "pay"}, "", "", false},
		{container.State{}, errors.New("odd"), "", "", false},
	} {
		got, known := levelOf("pay", c.state, c.err)
		if got.status != c.want || got.err != c.text || known != c.known {
			t.Errorf("%+v, %v: %s %q, known %t; want %s %q, %t", c.state, c.err, got.status, got.err, known, c.want, c.text, c.known)
		}
	}
	long, _ := levelOf("pay", container.State{Status: container.Created, Error: strings.Repeat("x", 10_000)}, nil)
	if len(long.err) > 400 {
		t.Errorf("a sentence of %d bytes", len(long.err))
	}
}

func TestARestartBetweenTwoInspectionsIsAChange(t *testing.T) {
	a, _ := levelOf("pay", container.State{ID: "1", Status: container.Running, StartedAt: zero}, nil)
	for _, s := range []container.State{
		{ID: "1", Status: container.Running, StartedAt: zero.Add(1)},
		{ID: "2", Status: container.Running, StartedAt: zero},
	} {
		if b, _ := levelOf("pay", s, nil); a == b {
			t.Errorf("%+v is no change", s)
		}
	}
}

func TestNextStampStrictlyIncreases(t *testing.T) {
	for _, c := range []struct{ observed, before, want time.Time }{
		{zero, time.Time{}, zero},
		{zero.Add(1500), zero, zero.Add(time.Microsecond)},
		{zero.Add(999), zero, zero.Add(time.Microsecond)},
		{zero, zero, zero.Add(time.Microsecond)},
		{zero.Add(-10 * time.Second), zero, zero.Add(time.Microsecond)},
	} {
		got := nextStamp(c.observed, c.before)
		if !got.Equal(c.want) {
			t.Errorf("after %s, observed at %s: %s", c.before, c.observed, got)
		}
		if event.Seconds(got) <= event.Seconds(c.before) && !c.before.IsZero() {
			t.Errorf("as seconds it doesn't increase: %v, %v", event.Seconds(c.before), event.Seconds(got))
		}
	}
}

func TestStampsFollowAClockThatWasSetBack(t *testing.T) {
	if back := zero.Add(-time.Hour); !nextStamp(back, zero).Equal(back) {
		t.Errorf("set back by an hour: %s", nextStamp(back, zero))
	}
}

func TestMeaningOfEachEvent(t *testing.T) {
	for _, c := range []struct {
		action    container.Action
		announces event.Status
		inspect   bool
		wakes     bool
		recorded  bool
	}{
		{container.ActionCreate, event.Down, true, false, true},
		{container.ActionStart, event.Up, true, true, true},
		{container.ActionRestart, event.Up, true, true, true},
		{container.ActionKill, "", false, false, true},
		{container.ActionDie, event.Down, true, false, true},
		{container.ActionStop, event.Down, true, false, true},
		{container.ActionPause, event.Down, true, false, true},
		{container.ActionUnpause, event.Up, true, true, true},
		{container.ActionOOM, "", false, false, true},
		{container.ActionDestroy, event.Down, true, false, true},
		{container.ActionRename, "", true, false, true},
		{"exec_start: sh", "", false, false, false},
		{"health_status: healthy", "", false, false, false},
	} {
		status, _ := announces(c.action)
		if status != c.announces || callsForInspection(c.action) != c.inspect || wakes(c.action) != c.wakes || isRecorded(c.action) != c.recorded {
			t.Errorf("%s: announces %q, inspect %t, wakes %t, recorded %t", c.action, status, callsForInspection(c.action), wakes(c.action), isRecorded(c.action))
		}
	}
}

func TestEventsAreMatchedToTheirContainer(t *testing.T) {
	for _, c := range []struct {
		name     string
		e        container.Event
		ref, id  string
		of, near bool
	}{
		{"by its name", container.Event{Name: "pay", ID: "1"}, "pay", "", true, false},
		{"another", container.Event{Name: "stock", ID: "2"}, "pay", "1", false, false},
		{"by the id, under a new name", container.Event{Name: "pay-old", ID: "1"}, "pay", "1", true, false},
		{"by Compose's labels", container.Event{Name: "shop-pay-1", Project: "shop", Service: "pay"}, "shop/pay", "", true, true},
		{"another of the same project", container.Event{Name: "shop-db-1", Project: "shop", Service: "db"}, "shop/pay", "", false, true},
		{"another project", container.Event{Name: "blog-db-1", Project: "blog", Service: "db"}, "shop/pay", "", false, false},
		{"about to replace one", container.Event{Name: "0a1b_pay", ID: "3", Replace: "pay"}, "pay", "1", false, true},
		{"nothing known of either", container.Event{Name: "x"}, "pay", "", false, false},
	} {
		of, near := isOf(c.e, c.ref, c.id), isNear(c.e, map[string]bool{"": true, "shop": true})
		if of != c.of || near != c.near {
			t.Errorf("%s: of the service's container %t, near %t", c.name, of, near)
		}
	}
	if got := projectOf("shop/pay"); got != "shop" {
		t.Errorf("the project of shop/pay is %q", got)
	}
	if got := projectOf("pay"); got != "" {
		t.Errorf("the project of pay is %q", got)
	}
}

func TestRecordOfAnEvent(t *testing.T) {
	at := zero.Add(123456789).In(time.FixedZone("elsewhere", 3600))
	die := dockerRecord(container.Event{Time: at, Name: "pay", ID: "1", Action: container.ActionDie, Project: "shop", Service: "pay", Image: "pay:1"}, identity)
	if !die.Time.Equal(at) || die.Time.Location() != time.UTC || die.ExitCode == nil || *die.ExitCode != 0 || die.Compose != "pay" || die.Origin != identity {
		t.Errorf("a die: %+v", die)
	}
	kill := dockerRecord(container.Event{Action: container.ActionKill, Signal: "9"}, identity)
	if kill.ExitCode != nil || kill.Signal != "9" {
		t.Errorf("a kill: %+v", kill)
	}
	huge := dockerRecord(container.Event{Action: container.ActionCreate, Project: strings.Repeat("ä", 1<<20), Replace: strings.Repeat("\x00", 1<<20)}, identity)
	if n := len(event.Encode(huge)); n > 20*maxField {
		t.Errorf("a record of %d bytes", n)
	}
}
