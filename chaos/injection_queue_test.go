package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

var (
	noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	shop = lookupOf(
		service.Definition{Name: "payment", Container: "payment-1", Chaos: true},
		service.Definition{Name: "inventory", Container: "inventory-1", Chaos: true},
		service.Definition{Name: "safe", Container: "safe-1"},
		service.Definition{Name: "bare", Chaos: true},
	)
)

func lookupOf(defs ...service.Definition) lookup {
	return func(name string) (service.Definition, bool) {
		i := slices.IndexFunc(defs, func(d service.Definition) bool { return d.Name == name })
		if i < 0 {
			return service.Definition{}, false
		}
		return defs[i], true
	}
}

func inject(id, name string) event.Command {
	return event.Command{ID: id, Time: noon, Service: name, Command: event.CommandInject,
		Args: event.CommandArgs{Fault: "stop"}, Origin: event.Origin{Host: "local"}}
}

func live() *injectionQueue {
	q := newInjectionQueue("local")
	q.caughtUp(shop)
	return q
}

// described is a decision as a test reads it: the id, and why not.
func described(all []decision) string {
	var parts []string
	for _, d := range all {
		if d.refused != "" {
			parts = append(parts, d.command.ID+": "+d.refused)
			continue
		}
		parts = append(parts, d.command.ID+" → "+d.container)
	}
	return strings.Join(parts, "; ")
}

func TestWhichCommandsAreExecuted(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*event.Command)
		read   time.Duration // after its time
		want   string        // a part of it; empty: no decision
	}{
		{"plain", func(*event.Command) {}, 0, "a → payment-1"},
		{"just in time", func(*event.Command) {}, 10 * time.Second, "a → payment-1"},
		{"too late", func(*event.Command) {}, 10*time.Second + time.Millisecond, "a: the command was 10s old"},
		{"a clock a little ahead", func(*event.Command) {}, -10 * time.Second, "a → payment-1"},
		{"a clock far ahead", func(*event.Command) {}, -time.Minute, "a: the command is dated 1m0s ahead"},
		{"not allowed", func(c *event.Command) { c.Service = "safe" }, 0, `a: service "safe" does not allow fault injection`},
		{"no container", func(c *event.Command) { c.Service = "bare" }, 0, `a: "bare" has no container`},
		{"unknown", func(c *event.Command) { c.Service = "else" }, 0, `a: unknown service "else"`},
		{"unknown, without a host", func(c *event.Command) { c.Service, c.Host = "else", "" }, 0, `a: unknown service "else"`},
		{"another host's", func(c *event.Command) { c.Service, c.Host = "else", "far" }, 0, ""},
		{"ours, from another host", func(c *event.Command) { c.Host = "far" }, 0, "a → payment-1"},
		{"the whole host", func(c *event.Command) { c.Service = event.AllServices }, 0, `a: unknown service "*"`},
		{"another command", func(c *event.Command) { c.Command = event.CommandHeal }, 0, ""},
		{"a result", func(c *event.Command) { c.Result = &event.CommandResult{OK: true} }, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := inject("a", "payment")
			test.change(&command)
			got := described(live().take(command, noon.Add(test.read), shop))
			if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) {
				t.Errorf("the decision is %q, want %q", got, test.want)
			}
		})
	}
}

func TestACommandIsExecutedOnce(t *testing.T) {
	q := live()
	if got := described(q.take(inject("a", "payment"), noon, shop)); got != "a → payment-1" {
		t.Fatalf("the first: %s", got)
	}
	if got := described(q.take(inject("a", "payment"), noon, shop)); got != "" {
		t.Errorf("the same id again: %s", got)
	}
	if got := described(q.take(inject("a", "inventory"), noon.Add(time.Second), shop)); got != "" {
		t.Errorf("the same id for another service: %s", got)
	}
	refused := inject("b", "safe")
	q.take(refused, noon, shop)
	if got := described(q.take(refused, noon, shop)); got != "" {
		t.Errorf("what was refused is answered again: %s", got)
	}
}

// TestReplayedCommandsAreDecidedAtItsEnd: nothing is decided before every result that stands on the topic
// was read.
func TestReplayedCommandsAreDecidedAtItsEnd(t *testing.T) {
	q := newInjectionQueue("local")
	done := inject("done", "payment")
	old := inject("old", "payment")
	old.Time = noon.Add(-time.Minute)
	for _, c := range []event.Command{done, old, inject("fresh", "inventory")} {
		if got := described(q.take(c, noon, shop)); got != "" {
			t.Fatalf("decided in the replay: %s", got)
		}
	}
	done.Result = &event.CommandResult{OK: true}
	q.take(done, noon, shop)
	got := described(q.caughtUp(shop))
	if want := "old: the command was 1m0s old when it was read; commands older than 10s are not executed; fresh → inventory-1"; got != want {
		t.Errorf("after the replay: %s\nwant: %s", got, want)
	}
}

func TestCommandsOfAServiceAreExecutedOneAtATime(t *testing.T) {
	q := live()
	step := func(got []decision, want string) {
		t.Helper()
		if described(got) != want {
			t.Errorf("got %q, want %q", described(got), want)
		}
	}
	step(q.take(inject("a", "payment"), noon, shop), "a → payment-1")
	step(q.take(inject("b", "payment"), noon, shop), "")
	step(q.take(inject("c", "payment"), noon, shop), "")
	step(q.take(inject("d", "inventory"), noon, shop), "d → inventory-1")
	step(q.finished("inventory", shop), "")
	step(q.finished("payment", shop), "b → payment-1")

	// While b is under way: another instance answers c, and the operator
	// forbids chaos before d is its turn.
	answered := inject("c", "payment")
	answered.Result = &event.CommandResult{OK: true}
	step(q.take(answered, noon, shop), "")
	step(q.take(inject("e", "payment"), noon, shop), "")
	forbidden := lookupOf(service.Definition{Name: "payment", Container: "payment-1"})
	step(q.finished("payment", forbidden), `e: service "payment" does not allow fault injection; set chaos: true in config.yaml`)
	if len(q.byService) != 0 {
		t.Errorf("lanes are left: %v", q.byService)
	}
	step(q.take(inject("f", "payment"), noon, shop), "f → payment-1")
}

func TestQueueIsBounded(t *testing.T) {
	q := live()
	for i := range 1 + maxQueue {
		q.take(inject(fmt.Sprint(i), "payment"), noon, shop)
	}
	if got, want := described(q.take(inject("more", "payment"), noon, shop)), `more: 8 faults are already queued for "payment"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for i := range maxQueue {
		if got, want := described(q.finished("payment", shop)), fmt.Sprintf("%d → payment-1", i+1); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestIDsAreForgottenAfterTheLookBack: memory of ids is bounded by time, and longer than the topic is
// read back.
func TestIDsAreForgottenAfterTheLookBack(t *testing.T) {
	q := live()
	q.take(inject("a", "payment"), noon, shop)
	q.finished("payment", shop)
	q.take(inject("b", "safe"), noon.Add(lookBack), shop)
	if _, known := q.known["a"]; !known {
		t.Error("an id is forgotten while a reader that starts now would meet it")
	}
	q.take(inject("c", "safe"), noon.Add(remembered+time.Second), shop)
	if _, known := q.known["a"]; known || len(q.known) != 2 {
		t.Errorf("%d ids are known, want b and c", len(q.known))
	}
}
