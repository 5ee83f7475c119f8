package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

func TestATerminalsLineHasItsTimeAndColour(t *testing.T) {
	clock := noon.Local().Format("15:04:05")
	e := entry{at: noon, icon: "🟢", text: "a is UP", tint: green}
	if got, want := e.render(true), clock+" 🟢 \x1b[32ma is UP\x1b[0m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e = entry{at: noon, icon: "⚡", text: "docker start a"}
	if got, want := e.render(true), clock+" ⚡ docker start a\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// recorded is a bus that holds records, and ends when they were read.
type recorded map[string][]event.Record

func (r recorded) Subscribe(ctx context.Context, s event.Subscription) error {
	for _, record := range r[s.Topic] {
		if err := s.Handle(record); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// printedBy are what a terminal and the log get of an incident of
// payment-service, without the times.
func printedBy(t *testing.T, on func(terminal io.Writer) console, all ...event.Data) (terminal, logged string) {
	t.Helper()
	records := []event.Incident{{ID: "n1", Seq: 1, Time: noon, Service: event.ReservedService, Type: event.TypeClaim,
		Data: event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n1"}, Origin: owner}}
	records = append(records, life(all...)...)
	log := recorded{}
	for _, e := range records {
		e.Time = time.Now().Add(time.Minute)
		log[event.TopicIncidents] = append(log[event.TopicIncidents], event.Record{Value: event.Encode(e), Signed: true}, event.Record{Value: []byte("unsigned")})
	}
	var screen, lines bytes.Buffer
	p := &consolePrinter{console: on(&screen), events: log, host: "local",
		log: slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(screen.String()) {
		_, line, _ = strings.Cut(line, " ")
		terminal += line
	}
	return terminal, lines.String()
}

var repaired = []event.Data{opened,
	event.Diagnosed{CauseID: "killed", Cause: "Its container was killed.", Action: "start", Command: "docker start payment-service"},
	event.ActionStarted{Action: "start", Command: "docker start payment-service"},
	event.ActionFinished{Action: "start", Command: "docker start payment-service", OK: true, Outcome: event.OutcomeOK},
	event.Verified{OK: true, Outcome: event.OutcomeVerified, Observations: 5},
	event.Escalated{Reason: "password=hunter2 is wrong"},
	event.Resolved{How: event.HowHealed, DownMS: 1432, TTRMS: 11_240},
}

const repairedLog = `level=WARN msg="payment-service is DOWN: connection refused" service=payment-service incident=i1 type=opened by=runbook check=http
level=INFO msg="payment-service: Its container was killed." service=payment-service incident=i1 type=diagnosed by=runbook cause_id=killed cause="Its container was killed." action=start command="docker start payment-service"
level=INFO msg="docker start payment-service" service=payment-service incident=i1 type=action_started by=runbook cause="Its container was killed." action=start command="docker start payment-service"
level=INFO msg="docker start payment-service succeeded" service=payment-service incident=i1 type=action_finished by=runbook action=start command="docker start payment-service" outcome=ok
level=INFO msg="payment-service: repair verified by 5 good checks" service=payment-service incident=i1 type=verified by=runbook outcome=verified
level=ERROR msg="payment-service needs a person: password=*** is wrong" service=payment-service incident=i1 type=escalated by=runbook cause="Its container was killed."
level=INFO msg="payment-service healed in 1.4 s (verified after 11.2 s)" service=payment-service incident=i1 type=resolved by=runbook cause="Its container was killed." how=healed
`

const repairedScreen = `🔴 payment-service is DOWN: connection refused
🤖 payment-service: Its container was killed.
⚡ docker start payment-service
🆘 payment-service needs a person: password=*** is wrong
✅ payment-service healed in 1.4 s (verified after 11.2 s)
`

// What a terminal shows is logged where there is none, with its level and its
// values; and as well where the log goes to another place than the terminal.
func TestEventsArePrintedOnTheTerminalOrLogged(t *testing.T) {
	for name, c := range map[string]struct {
		on             func(terminal io.Writer) console
		screen, logged string
	}{
		"no terminal":        {func(io.Writer) console { return console{logged: true} }, "", repairedLog},
		"a terminal":         {func(w io.Writer) console { return console{terminal: w} }, repairedScreen, ""},
		"a terminal and log": {func(w io.Writer) console { return console{terminal: w, logged: true} }, repairedScreen, repairedLog},
	} {
		t.Run(name, func(t *testing.T) {
			screen, logged := printedBy(t, c.on, repaired...)
			if screen != c.screen {
				t.Errorf("the terminal shows\n%s\nwant\n%s", screen, c.screen)
			}
			if logged != c.logged {
				t.Errorf("the log says\n%s\nwant\n%s", logged, c.logged)
			}
		})
	}
}

func TestWithoutATerminalTheLogHasEverything(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []io.Writer{file, &bytes.Buffer{}} {
		if c := consoleOf(w, w); c.terminal != nil || !c.logged || c.level() != slog.LevelInfo {
			t.Errorf("on %T: %+v, level %s", w, c, c.level())
		}
	}
	if c := (console{terminal: file}); c.level() != slog.LevelWarn {
		t.Errorf("on the terminal that shows what happens the log's level is %s", c.level())
	}
}

func TestLongAndHostileValuesAreBounded(t *testing.T) {
	_, logged := printedBy(t, func(io.Writer) console { return console{logged: true} },
		opened, event.Diagnosed{Cause: "a\x1b[2Jb " + strings.Repeat("x", 5000), Action: "start"})
	if strings.Contains(logged, "\x1b") || strings.Contains(logged, `\x1b`) || len(logged) > 3*maxLine+500 {
		t.Errorf("%d bytes: %s", len(logged), logged)
	}
	if want := fmt.Sprintf("cause=%q", "ab "+strings.Repeat("x", maxLine-3)+"…"); !strings.Contains(logged, want) {
		t.Errorf("the log says %s, want %s", logged, want)
	}
}

// A colour between a key and its value hides both from the mask.
func TestAConsolesLineIsCleanBeforeItIsMasked(t *testing.T) {
	const line = "pay: \x1b[36mpassword\x1b[0m=hunter2\r\n12:00:00 \u202e✅\x1b]0;owned\x07 \u009b2Jhealed"
	if got, want := printable(line), "pay: password=*** 12:00:00 ✅ healed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
