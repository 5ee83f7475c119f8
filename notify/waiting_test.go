package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

// TestQuietHours: all but escalations of what is DOWN wait, and come as one.
func TestQuietHours(t *testing.T) {
	r := Receiver{Name: "r", On: Events[:6], Quiet: Quiet{From: "22:00", To: "07:00", TimeZone: "UTC"}, Repeat: time.Hour}
	w := newWorld(t, r)
	w.now = time.Date(2026, 3, 4, 23, 0, 0, 0, time.UTC)
	w.down("db", "")
	w.service(event.Service{Service: "slow", Definition: &event.Definition{}, Status: event.Degraded})
	w.opened("web-1")
	w.pass(time.Minute)
	w.healed("web-1")
	w.lost(health.LLM)
	w.pass(time.Minute).expect(r)
	w.back()
	w.opened("slow-1")
	w.escalated("slow-1") // it is not DOWN
	w.expect(r)
	w.opened("db-1")
	w.escalated("db-1")
	w.expect(r, "escalated db")
	w.pass(time.Hour).expect(r, "escalated db") // its reminder
	w.healed("db-1")
	w.restart()
	w.expect(r)
	w.now = time.Date(2026, 3, 5, 6, 59, 59, 0, time.UTC)
	w.expect(r)
	w.pass(time.Second)
	n := w.next(r)
	if got := said(t, n); n.Event != Summary || n.Waited != 3 || !strings.HasPrefix(got, "📋 3 delayed notifications\n") ||
		!strings.Contains(got, "web: healed in 42 s") || !strings.Contains(got, "slow needs a person") || !strings.Contains(got, "db: healed in 42 s") {
		t.Errorf("the summary is %+v\n%s", n, got)
	}
	w.expect(r, "summary")
	w.pass(time.Hour).expect(r, "escalated slow") // its reminder
}

func TestQuietHoursOfADay(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2026, 3, 4, hour, minute, 0, 0, time.UTC) }
	for _, tt := range []struct {
		q    Quiet
		at   time.Time
		want bool
	}{
		{Quiet{}, at(0, 0), false},
		{Quiet{From: "22:00", To: "7:00", TimeZone: "UTC"}, at(22, 0), true},
		{Quiet{From: "22:00", To: "7:00", TimeZone: "UTC"}, at(6, 59), true},
		{Quiet{From: "22:00", To: "7:00", TimeZone: "UTC"}, at(7, 0), false},
		{Quiet{From: "22:00", To: "7:00", TimeZone: "UTC"}, at(21, 59), false},
		{Quiet{From: "12:00", To: "13:00", TimeZone: "UTC"}, at(12, 30), true},
		{Quiet{From: "12:00", To: "13:00", TimeZone: "UTC"}, at(13, 0), false},
		{Quiet{From: "12:00", To: "13:00", TimeZone: "Europe/Rome"}, at(11, 30), true},
	} {
		if got := tt.q.within(tt.at); got != tt.want {
			t.Errorf("%+v at %s: %t", tt.q, tt.at.Format(clock), got)
		}
	}
}

// TestAfterALongDowntime: what is older than an hour is one summary; what still
// waits for an answer keeps its buttons.
func TestAfterALongDowntime(t *testing.T) {
	w := newWorld(t, all)
	w.opened("a-1")
	w.pass(time.Second)
	w.healed("a-1")
	w.opened("b-1")
	w.escalated("b-1")
	w.opened("c-1")
	w.says("c-1", event.ApprovalRequested{Action: "rollback", Expires: w.now.Add(6 * time.Hour)})
	w.pass(3 * time.Hour)
	w.opened("d-1")
	w.healed("d-1")
	w.restart()
	w.expect(all, "approval c", "resolved d", "summary")
	w.pass(time.Hour)
	w.restart()
	w.expect(all)
}

func TestNewsIsNotSentAfterDays(t *testing.T) {
	w := newWorld(t, all)
	w.opened("a-1")
	w.healed("a-1")
	w.opened("b-1")
	w.escalated("b-1")
	w.now = noon.Add(horizon + time.Minute)
	for _, got := range w.gets(all) {
		if got != DigestOf {
			t.Errorf("%s is sent after three days", got)
		}
	}
}

func TestWhatHappenedBeforeAReceiverIsNotSent(t *testing.T) {
	w := newWorld(t)
	w.opened("a-1")
	w.healed("a-1")
	w.down("b", "")
	w.opened("b-1")
	w.escalated("b-1")
	w.pass(time.Minute)
	r := Receiver{Name: "new"}
	w.expect(r, "escalated b") // which still stands
	w.opened("c-1")
	w.healed("c-1")
	w.expect(r, "resolved c")
	w.restart()
	w.expect(r)
}

func TestAFloodIsOneMessage(t *testing.T) {
	r := Receiver{Name: "r"}
	w := newWorld(t, r)
	for i := range 40 {
		id := fmt.Sprintf("s%02d-1", i)
		w.opened(id)
		w.healed(id)
	}
	n := w.next(r)
	if got := said(t, n); n.Waited != 40 || strings.Count(got, "healed") != mostLines || !strings.HasSuffix(got, "… and 20 more") {
		t.Errorf("it reads %s", got)
	}
	w.expect(r, "summary")
	w.restart()
	w.expect(r)
}

func TestTheDigestOfANight(t *testing.T) {
	r := Receiver{Name: "r", On: []string{DigestOf}}
	w := newWorld(t, r)
	w.now = time.Date(2026, 3, 4, 19, 0, 0, 0, time.UTC)
	w.opened("early-1")
	w.healed("early-1")
	w.now = time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC)
	for _, id := range []string{"a-1", "b-1"} {
		w.opened(id)
		w.healed(id)
	}
	w.expect(r)
	w.now = time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)
	if got := said(t, w.next(r)); !strings.HasPrefix(got, "🌙 Last night: 2 repairs, no person was called\n") || strings.Count(got, "healed in 42 s") != 2 {
		t.Errorf("it reads %q", got)
	}
	w.expect(r, DigestOf)
	w.restart()
	w.pass(time.Hour).expect(r)
	w.now = time.Date(2026, 3, 5, 23, 0, 0, 0, time.UTC)
	w.opened("c-1")
	w.escalated("c-1")
	w.opened("d-1")
	w.says("d-1", event.Resolved{How: event.HowRecovered, DownMS: 1000})
	w.now = time.Date(2026, 3, 6, 9, 30, 0, 0, time.UTC) // it did not run at eight
	if got := said(t, w.next(r)); !strings.HasPrefix(got, "🌙 Last night: 0 repairs, 1 recovered without one, a person was called once\nStill waiting for a person: c\n") {
		t.Errorf("it reads %q", got)
	}
	w.expect(r, DigestOf)
	w.now = time.Date(2026, 3, 7, 21, 0, 0, 0, time.UTC)
	w.expect(r) // thirteen hours late
	w.now = time.Date(2026, 3, 8, 8, 1, 0, 0, time.UTC)
	if got := said(t, w.next(r)); !strings.HasPrefix(got, "🌙 Last night: no incidents\nStill waiting for a person: c") {
		t.Errorf("it reads %q", got)
	}
}

// TestEveryRecordMayBeTheLast loses the process after each step: nothing is sent
// twice that is recorded, and everything is sent.
func TestEveryRecordMayBeTheLast(t *testing.T) {
	w := newWorld(t, all)
	got := map[string]int{}
	step := func(change func()) {
		change()
		for range 4 {
			w.restart()
			d, is := w.fold.Next(all, w.now)
			if !is {
				return
			}
			for _, id := range d.News {
				got[id]++
			}
			w.restart() // after it was sent, before it is recorded: it comes again
			if again, _ := w.fold.Next(all, w.now); again.News[0] != d.News[0] {
				t.Fatalf("%v is lost: next is %v", d.News, again.News)
			}
			w.put(event.Notification{Time: w.now, Receiver: all.name(), Event: d.Note.Event, Outcome: d.Outcome, News: d.News, Origin: owner})
		}
	}
	step(func() { w.opened("web-1"); w.pass(settle) })
	step(func() { w.pass(time.Second); w.escalated("web-1") })
	step(func() { w.opened("db-1"); w.pass(settle) })
	step(func() { w.healed("db-1") })
	step(func() { w.pass(time.Second); w.healed("web-1") })
	for _, id := range []string{"incident/web-1/1", "incident/web-1/2", "incident/web-1/3", "incident/db-1/1", "incident/db-1/2"} {
		if got[id] != 1 {
			t.Errorf("%s was sent %d times", id, got[id])
		}
	}
}

func TestForeignTextIsCleanAndSecretsAreMasked(t *testing.T) {
	w := newWorld(t, all)
	w.says("web-1", event.Opened{Error: "GET http://ann:hunter2@web\x1b[31m\npassword=hunter2", Kind: "service"})
	w.says("web-1", event.Escalated{Reason: "Authorization: Bearer hunter2hunter2\r\nX: y"})
	w.healed("web-1")
	if got := said(t, w.next(all)); strings.Contains(got, "hunter2") || strings.ContainsAny(got, "\x1b\r") || strings.Count(got, "\n") > 2 {
		t.Errorf("it reads %q", got)
	}
}

func TestEveryShippedTextIsComplete(t *testing.T) {
	made, err := textsOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	for on := range shipped {
		for _, n := range []Note{example(on), {Event: on}, {Event: on, Service: "web", Fleet: true}} {
			title, text := made.say(n)
			if title == "" || strings.Contains(title+text, "<no value>") || strings.Contains(text, "failed") || strings.Contains(text, ": \n") {
				t.Errorf("%s: %q %q", on, title, text)
			}
		}
	}
	if title, text := made.say(example(Approval)); title != "🙋 payment-service: approve restart? (reminder 1, waiting for 30 min)" || !strings.Contains(text, "It would run: docker restart payment-service") {
		t.Errorf("an approval reads %q %q", title, text)
	}
	own, err := textsOf(Templates{Resolved: "{{.Service}} is well\n{{.Took}}"})
	if err != nil {
		t.Fatal(err)
	}
	if title, text := own.say(example(Resolved)); title != "payment-service is well" || text != "42 s" {
		t.Errorf("a template of one's own gives %q %q", title, text)
	}
}
