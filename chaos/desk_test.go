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

func live() *desk {
	d := newDesk("local")
	d.caughtUp(shop)
	return d
}

// described is a verdict as a test reads it: the id, and why not.
func described(all []verdict) string {
	var parts []string
	for _, v := range all {
		if v.refused != "" {
			parts = append(parts, v.command.ID+": "+v.refused)
			continue
		}
		parts = append(parts, v.command.ID+" → "+v.container)
	}
	return strings.Join(parts, "; ")
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*event.Command)
		read   time.Duration // after its time
		want   string        // a part of it; empty: no verdict
	}{
		{"plain", func(*event.Command) {}, 0, "a → payment-1"},
		{"just in time", func(*event.Command) {}, 10 * time.Second, "a → payment-1"},
		{"too late", func(*event.Command) {}, 10*time.Second + time.Millisecond, "a: the command was 10s old"},
		{"a clock a little ahead", func(*event.Command) {}, -10 * time.Second, "a → payment-1"},
		{"a clock far ahead", func(*event.Command) {}, -time.Minute, "a: the command is dated 1m0s ahead"},
		{"not allowed", func(c *event.Command) { c.Service = "safe" }, 0, `a: config.yaml does not say chaos: true of "safe"`},
		{"no container", func(c *event.Command) { c.Service = "bare" }, 0, `a: "bare" has no container`},
		{"unknown", func(c *event.Command) { c.Service = "else" }, 0, `a: there is no service "else"`},
		{"unknown, from nobody's host", func(c *event.Command) { c.Service, c.Host = "else", "" }, 0, `a: there is no service "else"`},
		{"another host's", func(c *event.Command) { c.Service, c.Host = "else", "far" }, 0, ""},
		{"ours, from another host", func(c *event.Command) { c.Host = "far" }, 0, "a → payment-1"},
		{"the whole host", func(c *event.Command) { c.Service = event.AllServices }, 0, `a: there is no service "*"`},
		{"another command", func(c *event.Command) { c.Command = event.CommandHeal }, 0, ""},
		{"a result", func(c *event.Command) { c.Result = &event.CommandResult{OK: true} }, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := inject("a", "payment")
			test.change(&command)
			got := described(live().take(command, noon.Add(test.read), shop))
			if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) {
				t.Errorf("the verdict is %q, want %q", got, test.want)
			}
		})
	}
}

func TestOnceOnly(t *testing.T) {
	d := live()
	if got := described(d.take(inject("a", "payment"), noon, shop)); got != "a → payment-1" {
		t.Fatalf("the first: %s", got)
	}
	if got := described(d.take(inject("a", "payment"), noon, shop)); got != "" {
		t.Errorf("the same id again: %s", got)
	}
	if got := described(d.take(inject("a", "inventory"), noon.Add(time.Second), shop)); got != "" {
		t.Errorf("the same id for another service: %s", got)
	}
	refused := inject("b", "safe")
	d.take(refused, noon, shop)
	if got := described(d.take(refused, noon, shop)); got != "" {
		t.Errorf("what was refused is answered again: %s", got)
	}
}

// TestReplay: nothing is decided before every result that stands on the log
// was read.
func TestReplay(t *testing.T) {
	d := newDesk("local")
	done := inject("done", "payment")
	old := inject("old", "payment")
	old.Time = noon.Add(-time.Minute)
	for _, c := range []event.Command{done, old, inject("fresh", "inventory")} {
		if got := described(d.take(c, noon, shop)); got != "" {
			t.Fatalf("decided in the replay: %s", got)
		}
	}
	done.Result = &event.CommandResult{OK: true}
	d.take(done, noon, shop)
	got := described(d.caughtUp(shop))
	if want := "old: the command was 1m0s old when it was read; after 10s nothing is done; fresh → inventory-1"; got != want {
		t.Errorf("after the replay: %s\nwant: %s", got, want)
	}
}

func TestOneAtATimeForAService(t *testing.T) {
	d := live()
	step := func(got []verdict, want string) {
		t.Helper()
		if described(got) != want {
			t.Errorf("got %q, want %q", described(got), want)
		}
	}
	step(d.take(inject("a", "payment"), noon, shop), "a → payment-1")
	step(d.take(inject("b", "payment"), noon, shop), "")
	step(d.take(inject("c", "payment"), noon, shop), "")
	step(d.take(inject("d", "inventory"), noon, shop), "d → inventory-1")
	step(d.finished("inventory", shop), "")
	step(d.finished("payment", shop), "b → payment-1")

	// While b is under way: another instance answers c, and the operator
	// forbids chaos before d is its turn.
	answered := inject("c", "payment")
	answered.Result = &event.CommandResult{OK: true}
	step(d.take(answered, noon, shop), "")
	step(d.take(inject("e", "payment"), noon, shop), "")
	forbidden := lookupOf(service.Definition{Name: "payment", Container: "payment-1"})
	step(d.finished("payment", forbidden), `e: config.yaml does not say chaos: true of "payment"`)
	if len(d.lanes) != 0 {
		t.Errorf("lanes are left: %v", d.lanes)
	}
	step(d.take(inject("f", "payment"), noon, shop), "f → payment-1")
}

func TestQueueIsBounded(t *testing.T) {
	d := live()
	for i := range 1 + maxQueue {
		d.take(inject(fmt.Sprint(i), "payment"), noon, shop)
	}
	if got, want := described(d.take(inject("more", "payment"), noon, shop)), `more: 8 faults wait for "payment" already`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for i := range maxQueue {
		if got, want := described(d.finished("payment", shop)), fmt.Sprintf("%d → payment-1", i+1); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestForgets: memory of ids is bounded by time, and longer than the log is
// read back.
func TestForgets(t *testing.T) {
	d := live()
	d.take(inject("a", "payment"), noon, shop)
	d.finished("payment", shop)
	d.take(inject("b", "safe"), noon.Add(lookBack), shop)
	if _, known := d.known["a"]; !known {
		t.Error("an id is forgotten while a reader that starts now would meet it")
	}
	d.take(inject("c", "safe"), noon.Add(remembered+time.Second), shop)
	if _, known := d.known["a"]; known || len(d.known) != 2 {
		t.Errorf("%d ids are known, want b and c", len(d.known))
	}
}
