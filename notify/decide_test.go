package notify

import (
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

func TestAnIncidentFromItsOpeningToItsEnd(t *testing.T) {
	w := newWorld(t, all)
	w.expect(all)
	w.opened("web-1")
	w.expect(all) // what follows may say that it is of another
	w.pass(settle).expect(all, "opened web")
	w.expect(all)
	w.pass(time.Minute)
	w.says("web-1", event.ActionStarted{Attempt: 1, Action: "restart", Command: "docker restart web"})
	w.says("web-1", event.ActionFinished{Attempt: 1, Action: "restart", Outcome: event.OutcomeNotExecuted})
	w.says("web-1", event.ActionStarted{Attempt: 2, Action: "start", Command: "docker start web"})
	w.says("web-1", event.ActionFinished{Attempt: 2, Action: "start", OK: true, Outcome: event.OutcomeOK})
	w.escalated("web-1")
	if got := said(t, w.next(all)); !strings.HasPrefix(got, "🆘 web needs a person\nthe budget is spent\n1 repair did not help; the last was: docker start web") {
		t.Errorf("the escalation reads %q", got)
	}
	w.expect(all, "escalated web")
	w.pass(time.Minute)
	w.healed("web-1")
	if got := said(t, w.next(all)); !strings.HasPrefix(got, "✅ web: healed in 42 s\n") || !strings.Contains(got, "A person was called before: the budget is spent") {
		t.Errorf("the end reads %q", got)
	}
	w.expect(all, "resolved web")
	w.pass(time.Hour).expect(all)
	w.restart()
	w.expect(all)
}

// TestWhatLogStreamMayOnlyObserveNeedsAPerson: in mode observe nothing is repaired, and
// such an incident is never escalated.
func TestWhatLogStreamMayOnlyObserveNeedsAPerson(t *testing.T) {
	r := Receiver{Name: "r"}
	w := newWorld(t, r)
	w.down("web", "")
	w.opened("web-1")
	w.says("web-1", event.Suppressed{Gate: "settling", Reason: "its checks do not agree"})
	w.says("web-1", event.Diagnosed{Cause: "Its container was killed.", Action: "start", Command: "docker start web"})
	held := event.Suppressed{Gate: "observe", Reason: "the mode is observe: LogStream would run start"}
	w.says("web-1", held)
	w.pass(observed - time.Second).expect(r)
	w.pass(time.Second)
	if got := said(t, w.next(r)); got != "🔴 web is not repaired (mode observe) and needs a person\nthe mode is observe: LogStream would run start\nCause: Its container was killed.\nCommand: docker start web" {
		t.Errorf("it reads %q", got)
	}
	w.expect(r, "escalated web")
	held.Reason = "the mode is observe: LogStream would run restart"
	w.says("web-1", held)
	w.restart()
	w.down("web", "")
	w.pass(time.Hour).expect(r)
	w.healed("web-1")
	w.expect(r, "resolved web")
	w.opened("web-2")
	w.says("web-2", held)
	w.pass(observed / 2)
	w.says("web-2", event.Resolved{How: event.HowRecovered, DownMS: 30_000})
	w.expect(r, "resolved web")
}

func TestOnlyWhatAReceiverTakes(t *testing.T) {
	byDefault := Receiver{Name: "default"}
	shop := Receiver{Name: "shop", Groups: []string{"shop"}, Services: []string{"db"}}
	severe := Receiver{Name: "severe", Severity: high}
	only := Receiver{Name: "only", On: []string{Escalated}}
	w := newWorld(t, byDefault, shop, severe, only)
	w.down("web", "shop")
	w.down("db", "")
	w.down("api", "other")
	for _, id := range []string{"web-1", "db-1", "api-1"} {
		w.opened(id)
	}
	w.pass(settle)
	for _, r := range w.config.Receivers {
		w.expect(r)
	}
	w.escalated("api-1")
	w.pass(time.Second)
	w.escalated("db-1")
	w.pass(time.Second)
	w.healed("web-1")
	w.expect(byDefault, "escalated api", "escalated db", "resolved web")
	w.expect(shop, "escalated db", "resolved web")
	w.expect(severe, "escalated api", "escalated db")
	w.expect(only, "escalated api", "escalated db")
}

func TestARepairThatWaitsForApproval(t *testing.T) {
	r := Receiver{Name: "r", Repeat: 10 * time.Minute}
	w := newWorld(t, r)
	w.opened("web-1")
	w.says("web-1", event.ApprovalRequested{Action: "rollback", Target: "web", Command: "docker run web:1", Cost: "web is DOWN for seconds", Undo: "roll forward", Reason: "mode is approve", Expires: w.now.Add(15 * time.Minute)})
	n := w.next(r)
	if n.approval != 2 || n.Action != "rollback" || n.Cost == "" || n.Undo == "" {
		t.Errorf("got %+v", n)
	}
	w.expect(r, "approval web")
	w.pass(9 * time.Minute).expect(r)
	w.pass(time.Minute)
	if n := w.next(r); n.Repeat != 1 || !strings.Contains(said(t, n), "reminder 1, waiting for 10 min") {
		t.Errorf("the reminder is %+v", n)
	}
	w.expect(r, "approval web")
	w.pass(6 * time.Minute).expect(r) // it has expired
	w.says("web-1", event.ApprovalRequested{Action: "rollback", Expires: w.now.Add(time.Hour)})
	w.expect(r, "approval web") // another request is other news
	w.says("web-1", event.Approved{})
	w.pass(20 * time.Minute).expect(r)
}

func TestRepeatsEndWithAnAcknowledgementASilenceOrTheEnd(t *testing.T) {
	r := Receiver{Name: "r", Repeat: 30 * time.Minute}
	for name, end := range map[string]func(*world){
		"acknowledged": func(w *world) { w.says("web-1", event.Acknowledged{Reason: "I am on it"}) },
		"silenced": func(w *world) {
			until := w.now.Add(24 * time.Hour)
			w.service(event.Service{Service: "web", Definition: &event.Definition{}, Status: event.Down, SilencedUntil: &until})
		},
		"reopened": func(w *world) { w.says("web-1", event.Evidence{}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, r)
			w.opened("web-1")
			w.escalated("web-1")
			w.expect(r, "escalated web")
			w.pass(30*time.Minute).expect(r, "escalated web")
			w.restart() // which forgets neither
			w.pass(29 * time.Minute).expect(r)
			w.pass(time.Minute).expect(r, "escalated web")
			end(w)
			w.pass(2 * time.Hour).expect(r)
			w.restart()
			w.expect(r)
		})
	}
}

func TestAnEscalationAfterAnAcknowledgementIsNewsAgain(t *testing.T) {
	r := Receiver{Name: "r", Repeat: 30 * time.Minute}
	w := newWorld(t, r)
	w.opened("web-1")
	w.escalated("web-1")
	w.expect(r, "escalated web")
	w.says("web-1", event.Acknowledged{})
	w.pass(time.Minute)
	w.says("web-1", event.Evidence{}) // it is open again
	w.escalated("web-1")
	w.expect(r, "escalated web")
	w.pass(30*time.Minute).expect(r, "escalated web")
}

func TestASilencedServiceSaysNothing(t *testing.T) {
	w := newWorld(t, all)
	until := w.now.Add(10 * time.Minute)
	w.service(event.Service{Service: "web", Definition: &event.Definition{}, Status: event.Down, SilencedUntil: &until})
	w.service(event.Service{Service: "db", Definition: &event.Definition{}, Status: event.Down, SilencedUntil: &until})
	w.opened("web-1")
	w.opened("db-1")
	w.pass(time.Minute)
	w.healed("db-1")
	w.escalated("web-1")
	w.expect(all)
	w.restart()
	w.expect(all)
	w.pass(10*time.Minute).expect(all, "escalated web") // it still stands; what ended meanwhile is no news
}

func TestOneMessageForOneRootCause(t *testing.T) {
	w := newWorld(t, all)
	w.opened("api-1") // the dependents were seen first
	w.pass(time.Second)
	w.opened("web-1")
	w.opened("db-1")
	w.waits("api-1", "db-1")
	w.waits("web-1", "db-1")
	w.pass(settle).expect(all, "opened db")
	w.pass(time.Minute)
	w.escalated("api-1") // as its gate gave up
	w.escalated("db-1")
	if got := said(t, w.next(all)); !strings.Contains(got, "db needs a person") || !strings.Contains(got, "Also down because of it: api, web") {
		t.Errorf("the root's message reads %q", got)
	}
	w.expect(all, "escalated db")
	w.restart()
	w.expect(all)
	w.pass(time.Minute)
	w.healed("db-1")
	if got := said(t, w.next(all)); !strings.Contains(got, "Also recovered: api, web") {
		t.Errorf("the root's end reads %q", got)
	}
	w.expect(all, "resolved db")
	w.pass(10 * time.Second)
	w.says("web-1", event.Resolved{How: event.HowRecovered, DownMS: 60_000})
	w.expect(all)
	w.pass(freed).expect(all, "escalated api") // it did not come back with its root
	w.says("api-1", event.Resolved{How: event.HowRecovered, DownMS: 60_000})
	w.expect(all, "resolved api")
}

func TestAFleetIsOneMessage(t *testing.T) {
	w := newWorld(t, all)
	w.says(event.ReservedService+"-1", event.Opened{Kind: "fleet", Error: "6 of 8 services are DOWN at once", FirstBad: w.now})
	for _, id := range []string{"a-1", "b-1", "c-1"} {
		w.opened(id)
		w.says(id, event.Suppressed{Gate: "blind", Reason: "many at once"})
	}
	w.pass(settle)
	if got := said(t, w.next(all)); !strings.HasPrefix(got, "🔴 6 of 8 services are DOWN at once") {
		t.Errorf("it reads %q", got)
	}
	w.expect(all, "opened "+event.ReservedService)
}

func TestPartsThatAreLostAndBack(t *testing.T) {
	w := newWorld(t, all)
	w.lost(health.Docker)
	w.pass(lostAfter - time.Second).expect(all)
	w.pass(time.Second)
	if got := said(t, w.next(all)); !strings.HasPrefix(got, "🔌 Docker is unavailable\ndocker does not answer") || !strings.Contains(got, "How to fix: start it: docker start kafka") {
		t.Errorf("it reads %q", got)
	}
	w.expect(all, "lost Docker")
	w.restart() // while it is lost: the registry begins anew
	w.pass(time.Second).lost(health.Docker)
	w.pass(time.Hour).expect(all)
	w.back()
	w.expect(all)
	w.pass(backAfter)
	if got := said(t, w.next(all)); got != "✅ Docker is available again\nIt was unavailable for 60 min." {
		t.Errorf("it reads %q", got)
	}
	w.expect(all, "back Docker")
	w.lost(health.Docker) // for a moment
	w.pass(lostAfter / 2).back()
	w.pass(time.Hour).expect(all)
	w.lost(health.Docker) // again
	w.pass(lostAfter).expect(all, "lost Docker")
	w.restart() // and back before the process was
	w.pass(lostAfter+backAfter).expect(all, "back Docker")
	w.pass(time.Hour).expect(all)
}

func TestALossThatAReceiverDidNotGetInTime(t *testing.T) {
	lossOnly := Receiver{Name: "loss", On: []string{Lost}}
	w := newWorld(t, all, lossOnly)
	w.lost(health.Bus)
	w.pass(10 * time.Minute).back() // both receivers failed meanwhile
	w.pass(backAfter)
	w.expect(all, "back Kafka")
	w.expect(lossOnly, "lost Kafka")
	w.pass(time.Minute).lost(health.Bus)
	w.pass(lostAfter)
	w.expect(lossOnly, "lost Kafka")
}

// TestThatServicesCannotBeReachedForLongCallsAPerson: their own incidents are held, and
// have no message.
func TestThatServicesCannotBeReachedForLongCallsAPerson(t *testing.T) {
	r := Receiver{Name: "r"}
	w := newWorld(t, r)
	id := event.ReservedService + "-1"
	w.says(id, event.Opened{Kind: "fleet", Error: "The observer is blind: 3 of 3 services failed", FirstBad: w.now})
	w.says(id, event.Diagnosed{CauseID: "observer_blind", Cause: "The observer is blind: 3 of 3 services failed."})
	w.says(id, event.Suppressed{Gate: "blind", Reason: "repairs wait until LogStream reaches its services again"})
	w.pass(cutOff - time.Second).expect(r)
	w.pass(time.Second)
	if got := said(t, w.next(r)); got != "🆘 LogStream needs a person\nrepairs wait until LogStream reaches its services again\nCause: The observer is blind: 3 of 3 services failed." {
		t.Errorf("it reads %q", got)
	}
	w.expect(r, "escalated logstream")
	w.restart()
	w.pass(time.Hour).expect(r)
}
