package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

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
	expectRecords(t, "a repeated level takes its own place only", o.contents(), "pay UP", "die", "stock UP", "oom", "pay DOWN")
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
	expectRecords(t, "forgotten", o.contents(), "die", "stock UP", "oom")
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

func TestDoneKeepsTheRecordThatReplacedItsOwn(t *testing.T) {
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

// claimingLog has the host claimed anew while an append is under way.
type claimingLog struct {
	*recordingLog
	claim func()
}

func (l *claimingLog) Append(ctx context.Context, topic, key string, value []byte) error {
	err := l.recordingLog.Append(ctx, topic, key, value)
	if l.claim != nil {
		l.claim()
		l.claim = nil
	}
	return err
}

// TestAnEventIsWrittenAgainUnderAClaimThatCameInBetween: the new owner may have
// read up to the end before it stood there, and ignores it as one of an old
// claim afterwards.
func TestAnEventIsWrittenAgainUnderAClaimThatCameInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		owner := &claims{}
		owner.set(1, "old")
		log := &claimingLog{&recordingLog{}, func() { owner.set(2, "new") }}
		o := newOutbox(Deps{Log: log, Logger: slog.New(slog.DiscardHandler), Owner: owner.get}, new(Monitor).revise)
		o.putEvent(event.Docker{Action: "die"})
		o.putEvent(event.Docker{Action: "start"})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.run(ctx) }()
		time.Sleep(time.Second)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		var got []string
		for _, r := range log.all() {
			d, err := event.DecodeDocker(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d.Action+" "+d.Nonce)
		}
		expectRecords(t, "written", got, "die old", "die new", "start new")
	})
}
