package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
)

// TestOperatorsAnswerFromTheCommandLine has the demo in mode approve: a kill is
// requested, listed, denied, and after the next one approved.
func TestOperatorsAnswerFromTheCommandLine(t *testing.T) {
	s := smallSetup(t, t.TempDir())
	s.config.Healer.Mode = service.Approve
	a, _ := started(t, s)
	page := "http://" + a.dashboard.now().Addr()
	run := func(args ...string) (int, string, string) { return logstream(append(args, "--url", page)...) }
	wants := func(code int, out, failed string, args ...string) {
		t.Helper()
		gotCode, gotOut, gotFailed := run(args...)
		if gotCode != code || !strings.Contains(gotOut, out) || !strings.Contains(gotFailed, failed) || failed == "" && gotFailed != "" {
			t.Errorf("logstream %s: exit %d\n%s%s", strings.Join(args, " "), gotCode, gotOut, gotFailed)
		}
	}
	up := func(name string) {
		t.Helper()
		until(t, 40*time.Second, name+" is UP", func() bool { return statuses(a.dashboard.now().Addr())[name] == "UP" })
	}
	kill := func(name string) view.Incident {
		t.Helper()
		resp, err := http.Post(page+"/api/v1/services/"+name+"/chaos", "application/json", strings.NewReader(`{"fault":"kill"}`))
		if err != nil || resp.StatusCode != http.StatusAccepted {
			t.Fatal(resp, err)
		}
		until(t, 20*time.Second, "approval is requested", func() bool { return a.incident(name).Approval != nil })
		return a.incident(name)
	}
	up("payment-service")
	wants(exitStartupFailure, "No repair waits for approval.", "approve: the argument <incident> is missing", "approve")
	wants(exitFailed, "", "release: no hold is active", "release")
	wants(exitStartupFailure, "", `silence: service "payment-servise" is not configured`, "silence", "payment-servise")
	wants(exitStartupFailure, "", `heal: service "nowhere" is not configured`, "heal", "nowhere")
	wants(exitDone, "on hold for 1m", "", "hold", "--for", "1m", "--reason", "a try")
	wants(exitDone, "The hold has ended", "", "release")

	in := kill("payment-service")
	wants(exitStartupFailure, "logstream approve "+in.ID+"  payment-service  start payment-service (expires in 1", "approve: the argument <incident> is missing", "approve")
	wants(exitDone, "Denied: start payment-service (incident "+in.ID, "", "deny", in.ID[:len(in.ID)-2], "--reason", "I will investigate")
	until(t, 20*time.Second, "a person is called", func() bool { return a.incident("payment-service").State == "escalated" })
	if why := a.incident("payment-service").EscalatedReason; !strings.Contains(why, "denied by an operator through the API: I will investigate") {
		t.Errorf("escalated is %q", why)
	}
	wants(exitFailed, "", "approve: nothing waits for approval in this incident: it is escalated", "approve", in.ID)
	wants(exitDone, "Acknowledged: ", "", "acknowledge", in.ID)
	wants(exitFailed, "", "acknowledge: the incident was acknowledged already", "acknowledge", in.ID)
	wants(exitDone, "Note added to incident "+in.ID, "", "note", in.ID[:len(in.ID)-2], "A disk is ordered.")
	if notes := a.incident("payment-service").Notes; len(notes) != 1 || notes[0].Text != "A disk is ordered." || notes[0].By != "operator:api" {
		t.Errorf("the notes are %+v", notes)
	}
	wants(exitFailed, "", `note: unknown incident "nowhere"`, "note", "nowhere", "text")
	wants(exitFailed, "", "undo: nothing was done that can be undone", "undo", in.ID)
	wants(exitFailed, "", `deny: unknown incident "nowhere"`, "deny", "nowhere")

	wants(exitDone, "Incident opened for payment-service", "", "heal", "payment-service", "--action", "start")
	up("payment-service")
	if got := a.incident("payment-service"); got.Attempts != 1 {
		t.Errorf("what an operator asked for by name is %+v", got)
	}

	in = kill("inventory-service")
	code, out, failed := run("approve", in.ID, "--json")
	var done event.Command
	if err := json.Unmarshal([]byte(out), &done); err != nil || code != exitDone || done.Result == nil || !done.Result.OK || done.Args.Request != in.Approval.Request {
		t.Errorf("approve --json: exit %d, %s%s", code, out, failed)
	}
	up("inventory-service")
	until(t, 40*time.Second, "it is healed", func() bool { return a.incident("inventory-service").How == event.HowHealed })
}

func TestWhatTheCommandLineSaysWhereNothingAnswers(t *testing.T) {
	path := written(t, "services: [{name: a, url: 'http://localhost:1'}]\ndashboard: {listen: '127.0.0.1:1'}\n")
	for _, c := range []struct {
		args   []string
		code   int
		failed string
	}{
		{[]string{"heal", "a", "--config", path}, exitFailed, "heal: LogStream does not answer at http://127.0.0.1:1: "},
		{[]string{"heal", "a", "--url", "carrier-pigeon"}, exitStartupFailure, `heal: --url must be an address such as http://127.0.0.1:5000, not "carrier-pigeon"`},
		{[]string{"heal", "a", "--action", "restrat"}, exitStartupFailure, `heal: unknown action "restrat"; did you mean "restart"?`},
		{[]string{"heal", "a", "--config", path + ".none"}, exitStartupFailure, path + ".none: does not exist"},
		{[]string{"heal"}, exitStartupFailure, "heal: the argument <service> is missing"},
		{[]string{"hold", "--for", "soon"}, exitStartupFailure, "hold: --for must be a duration above zero, such as 10m, not \"soon\"\n"},
		{[]string{"undo", "x", "--attempt", "one"}, exitStartupFailure, "undo: --attempt must be a whole number, not \"one\"\n"},
		{[]string{"approve", "x", "y"}, exitStartupFailure, `approve: unexpected argument "y"`},
	} {
		code, out, failed := logstream(c.args...)
		if code != c.code || out != "" || !strings.Contains(failed, c.failed) {
			t.Errorf("%v: exit %d, %s%s", c.args, code, out, failed)
		}
	}
}

func TestAbbreviatedIncidents(t *testing.T) {
	all := []view.Incident{{ID: "3x5yda28", Service: "a"}, {ID: "3x9", Service: "b"}, {ID: "3x", Service: "c"}, {ID: "7q1", Service: "d"}}
	for id, want := range map[string]string{"3x5": "a", "3x": "c", "7": "d", "3": ""} {
		in, err := client{}.named(healCommand(), all, id)
		if in.Service != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q: %v", id, in.Service, err)
		}
		if err != nil && !strings.Contains(fmt.Sprint(err), "3x5yda28 (a), 3x9 (b), 3x (c)") {
			t.Error(err)
		}
	}
}
