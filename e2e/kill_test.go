//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"logstream/internal/event"
)

// kill -9 at a boundary of a repair: the process ends itself there, as
// kill_e2e.go has it, and is started again. What it repairs stays meanwhile.

// boundary is where logstream is killed, and what of the repair is there then.
type boundary struct {
	name   string // as kill_e2e.go has it
	begun  bool   // the intent may be on the log
	effect bool   // the call had its effect
	ended  bool   // the result is on the log
}

var boundaries = []boundary{
	{name: "after-opened"},
	{name: "after-diagnosed"},
	{name: "before-action_started"},
	{name: "after-action_started", begun: true},
	{name: "read-action_started", begun: true},
	{name: "before-call", begun: true},
	{name: "after-call", begun: true, effect: true},
	{name: "before-action_finished", begun: true, effect: true},
	{name: "after-action_finished", begun: true, effect: true, ended: true},
	{name: "read-action_finished", begun: true, effect: true, ended: true},
	{name: "after-verified", begun: true, effect: true, ended: true},
}

// killCase is one repair in the course of which logstream is killed, once.
type killCase struct {
	service, action string
	at              boundary
	d               *daemon
	ready           func() bool
	prepare         func() // once it is UP and ready; nil: nothing more is needed
	provoke         func()
	calls           func() int // how often the runtime was called for it, or carried it out

	killed   bool
	incident string
}

func (c *killCase) kills() string { return filepath.Join(c.d.dir, "kills") }

// plain is logstream built without the race detector: dozens of it run at once.
var plain = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "logstream-plain")
	if out, err := exec.Command("go", "build", "-tags", "e2e", "-o", path, "logstream").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build logstream: %w: %s", err, out)
	}
	return path, nil
})

// quickly is what the healer of these scenarios waits for less long.
const quickly = ", verify: {for: 5s}, quiet: 2s"

// survive runs all cases beside each other, each in a logstream of its own, and
// then what is to be done with them all.
func survive(t *testing.T, cases []*killCase, then func()) {
	t.Helper()
	program, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		c.d.program = program
		if err := os.Mkdir(c.kills(), 0o700); err != nil {
			t.Fatal(err)
		}
		c.d.env = append(c.d.env, "LOGSTREAM_E2E_KILLS="+c.kills())
		c.d.launch()
	}
	for _, c := range cases {
		c.d.until(90*time.Second, c.service+" is UP and ready", func() bool { return c.d.isUp(c.service)() && c.ready() })
	}
	for _, c := range cases {
		if c.prepare != nil {
			c.prepare()
		}
		if err := os.WriteFile(filepath.Join(c.kills(), c.service+"."+c.at.name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c.provoke()
	}
	for end, left := time.Now().Add(2*time.Minute), len(cases); left > 0; time.Sleep(10 * time.Millisecond) {
		for _, c := range cases {
			if !c.killed && c.ended() {
				left--
				c.again(t)
			}
			if !c.killed && time.Now().After(end) {
				t.Fatalf("%s does not come to %s:\n%s\n%s", c.service, c.at.name, c.d.newestWhole(), tail(c.d.out.String(), 4000))
			}
		}
	}
	for _, c := range cases {
		c.survived(t)
	}
	then()
	for _, c := range cases { // all at once, and not one after another in the cleanups
		_ = c.d.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// heal has an operator request the repair, once more where the service is busy at that
// moment, until it is accepted or logstream was killed.
func (c *killCase) heal() {
	answer := ""
	c.d.until(90*time.Second, "heal "+c.service+" is accepted", func() bool {
		if answer == "" || strings.Contains(answer, `"ok":false`) {
			_, answer = c.d.post("/api/v1/services/"+c.service+"/heal", `{"action":"`+c.action+`"}`)
		}
		result := c.d.command(answer)
		if strings.Contains(result, `"ok":false`) {
			if answer = result; !strings.Contains(result, `"code":"busy"`) {
				c.d.t.Fatalf("heal %s: %s", c.service, result)
			}
		}
		return c.ended() || strings.Contains(result, `"ok":true`)
	})
}

func (c *killCase) ended() bool {
	select {
	case <-c.d.exited:
		return true
	default:
		return false
	}
}

// again starts logstream again.
func (c *killCase) again(t *testing.T) {
	t.Helper()
	if status, is := c.d.cmd.ProcessState.Sys().(syscall.WaitStatus); !is || status.Signal() != syscall.SIGKILL {
		t.Errorf("%s ended with %v", c.service, c.d.cmd.ProcessState)
	}
	c.killed = true
	c.d.launch()
}

// survived waits for the end of the incident, and checks it: the action was made
// once, and the one incident of it is on the log without a gap.
func (c *killCase) survived(t *testing.T) {
	t.Helper()
	in := c.d.newest(3*time.Minute, c.service, "has ended", func(in apiIncident) bool { return in.State != "open" })
	c.incident = in.ID
	if c.action == "run" && c.at.begun && !c.at.ended { // nothing shows whether it took effect, so a person is called
		escalated := slices.ContainsFunc(in.Events, func(e event.Incident) bool { return e.Type == event.TypeEscalated })
		if n := c.calls(); !escalated || n > 1 || c.at.effect && n == 0 || results(in)[0].Outcome != event.OutcomeUnknown {
			t.Errorf("%s: after %d runs its incident is %s", c.service, n, c.d.newestWhole())
		}
		return
	}
	with := slices.DeleteFunc(c.d.incidents(c.service), func(in apiIncident) bool { return in.Attempts == 0 })
	if in.State != "resolved" || how(in) != "healed" || len(with) != 1 {
		t.Errorf("%s: its incident is %s, how %q, one of %d with attempts: %s", c.service, in.State, how(in), len(with), c.d.newestWhole())
	}
	for n, e := range in.Events {
		if e.Seq != n+1 {
			t.Errorf("%s: event %d has seq %d", c.service, n+1, e.Seq)
		}
	}
	if n := c.calls(); n != 1 {
		t.Errorf("%s: it was made %d times, want once: %s", c.service, n, c.d.newestWhole())
	}
	made := 0
	for _, r := range results(in) {
		if r.Action != c.action {
			t.Errorf("%s: the action is %s", c.service, r.Action)
		}
		if r.OK {
			made++
		} else if c.at.effect || r.Outcome != event.OutcomeNotExecuted {
			t.Errorf("%s: the result is %+v", c.service, r)
		}
	}
	if made != 1 {
		t.Errorf("%s: %d results are good, want one: %s", c.service, made, c.d.newestWhole())
	}
}
