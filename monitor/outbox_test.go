package monitor

import (
	"fmt"
	"log/slog"
	"testing"

	"logstream/internal/event"
)

func (o *outbox) contents() []string {
	var list []string
	for _, e := range o.waiting {
		if e.event != nil {
			list = append(list, e.event.Action)
		} else {
			list = append(list, e.level.Service+" "+string(e.level.Status))
		}
	}
	return list
}

func idleOutbox() *outbox {
	return newOutbox(Deps{Log: &recordingLog{}, Logger: slog.New(slog.DiscardHandler), Owner: (&claims{}).get}, new(Monitor).revise)
}

func TestOutboxKeepsOrderAndTheNewestLevels(t *testing.T) {
	o := idleOutbox()
	down := event.HealthLog{Service: pay, Status: event.Down}
	up := event.HealthLog{Service: pay, Status: event.Up}
	o.putLevel(up)
	o.putEvent(event.Docker{Action: "die"})
	o.putLevel(down)
	o.putLevel(event.HealthLog{Service: "stock", Status: event.Up})
	o.putEvent(event.Docker{Action: "oom"})
	o.putLevel(down)
	stories(t, "a repeated level takes its own place only", o.contents(), "pay UP", "die", "stock UP", "oom", "pay DOWN")
	for range 2 * maxLevels {
		o.putLevel(up)
		o.putLevel(down)
	}
	ofPay := 0
	for _, line := range o.contents() {
		if line != "die" && line != "oom" && line != "stock UP" {
			ofPay++
		}
	}
	if ofPay != maxLevels {
		t.Errorf("%d levels of one service wait", ofPay)
	}
	if all := o.contents(); all[len(all)-1] != "pay DOWN" {
		t.Errorf("the newest is %s", all[len(all)-1])
	}
	o.forget(pay)
	stories(t, "forgotten", o.contents(), "die", "stock UP", "oom")
}

func TestOutboxIsBounded(t *testing.T) {
	o := idleOutbox()
	o.putLevel(event.HealthLog{Service: pay, Status: event.Up})
	for i := range maxEvents + 10 {
		o.putEvent(event.Docker{Action: fmt.Sprint(i)})
	}
	all := o.contents()
	if len(all) != maxEvents+1 || all[0] != "pay UP" || all[1] != "10" || all[maxEvents] != fmt.Sprint(maxEvents+9) {
		t.Errorf("%d wait, the first are %q, the last %q", len(all), all[:2], all[len(all)-1])
	}
	if n := o.takeDropped(); n != 10 {
		t.Errorf("%d are counted as dropped", n)
	}
}

func TestDoneLeavesWhatCameInItsPlace(t *testing.T) {
	o := idleOutbox()
	o.putLevel(event.HealthLog{Service: pay, Status: event.Up})
	first, _ := o.first()
	o.putLevel(event.HealthLog{Service: pay, Status: event.Up, Timestamp: 1}) // while the first is being written
	o.done(first)
	second, is := o.first()
	if !is || second.level.Timestamp != 1 {
		t.Errorf("the newer level is gone: %+v", second)
	}
	o.done(second)
	if _, is := o.first(); is || o.events != 0 {
		t.Errorf("something is left: %q", o.contents())
	}
}
