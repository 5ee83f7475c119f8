package healer

import (
	"fmt"
	"testing"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/event"
	"logstream/internal/service"
)

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

func TestManyNamesMakeRoom(t *testing.T) {
	m, b := quiet(t)
	tell := func(name string) {
		m.now = m.now.Add(time.Second)
		e := event.Docker{Time: m.now, Container: name, ID: name, Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	for i := range 2*maxHistories + 100 {
		tell(fmt.Sprintf("run-%d", i))
	}
	if _, kept := m.world.histories["run-"+fmt.Sprint(2*maxHistories+99)]; !kept || len(m.world.histories) > maxHistories {
		t.Errorf("the newest name is kept: %v; %d names", kept, len(m.world.histories))
	}
	delete(m.world.histories, b.def.Name)
	for i := range maxHistories {
		e := event.Docker{Time: m.now, Container: fmt.Sprintf("burst-%d", i), ID: "x", Action: "create"}
		e.Origin, e.Revision = m.revise()
		m.step(ReadDocker{e})
	}
	if tell(b.def.Name); len(m.world.histories[b.def.Name]) != 1 {
		t.Error("what a service's container did was not kept")
	}
}
