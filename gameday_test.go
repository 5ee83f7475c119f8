package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/internal/gameday"
)

// console runs a command line against the instance a, whose secret is in dir.
func (a *app) commandLine(t *testing.T, ctx context.Context, dir string, args ...string) (code int, out, failed string) {
	t.Helper()
	file := filepath.Join(dir, "client.yaml")
	content := "bus: {embedded: {data: " + a.config.Bus.Embedded.Data + "}}\ndashboard: {listen: \"" + a.dashboard.now().Addr() + "\"}\nservices: [{name: x, url: \"http://localhost\"}]\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e strings.Builder
	code = execute(ctx, &o, &e, append(args, "--config", file))
	return code, o.String(), e.String()
}

// quickly has repairs verified within a second, and the monitor inspect often.
func quickly(s setup) setup {
	s.config.Healer.Verify.For, s.config.Healer.Verify.Successes = time.Second, 2
	for i := range s.config.Services {
		s.config.Services[i].Interval, s.config.Services[i].Timeout = 500*time.Millisecond, 400*time.Millisecond
	}
	return s
}

func (a *app) areUp(names ...string) func() bool {
	return func() bool {
		by := statuses(a.dashboard.now().Addr())
		for _, name := range names {
			if by[name] != "UP" {
				return false
			}
		}
		return true
	}
}

// TestAGameDayReportsWhatWasHealed over the demo's real processes: one fault is
// healed, one is not, and is undone.
func TestAGameDayReportsWhatWasHealed(t *testing.T) {
	s := quickly(smallSetup(t, t.TempDir()))
	s.config.Services[2].Chaos = false // the database
	a, _ := started(t, s)
	dir := t.TempDir()
	until(t, 20*time.Second, "all are UP", a.areUp("payment-service", "inventory-service", "database"))

	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"gameday", "--services", "payment-service,database"}, `logstream: gameday: database: fault injection is off: add the line "chaos: true"`},
		{[]string{"gameday", "--services", "payment-servise"}, `unknown service "payment-servise"; did you mean "payment-service"?`},
		{[]string{"gameday", "--faults", "kil"}, `unknown fault "kil"; did you mean "kill"?`},
		{[]string{"gameday", "--window", "-1s"}, `--window must be a duration above zero, such as 10m, not "-1s"`},
		{[]string{"gameday", "now"}, `unexpected argument "now"`},
		{[]string{"chaos"}, "the argument <service> is missing"},
		{[]string{"chaos", "database", "kill"}, `fault injection is off for "database"`},
		{[]string{"chaos", "payment-service", "kil"}, `unknown fault "kil"; did you mean "kill"?`},
		{[]string{"chaos", "payment-service", "--undo"}, "--undo needs the fault"},
	} {
		if code, _, failed := a.commandLine(t, t.Context(), dir, tt.args...); code != exitStartupFailure || !strings.Contains(failed, tt.says) {
			t.Errorf("%v: exit %d, %s", tt.args, code, failed)
		}
	}
	code, out, failed := a.commandLine(t, t.Context(), dir, "gameday", "--services", "payment-service", "--faults", "kill,disk", "--limit", "10s", "--out", dir, "--json")
	var r gameday.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s%s", err, out, failed)
	}
	if code != exitFailed || r.Passed || len(r.Results) != 2 || !strings.HasPrefix(r.Headline, "2 faults, 1 healed, 1 not healed, worst ") {
		t.Fatalf("exit %d: %+v\n%s", code, r, failed)
	}
	if kill := r.Results[0]; kill.Outcome != gameday.Healed || kill.Action != "start" || kill.DownMS == nil || *kill.DownMS <= 0 || kill.Undone || kill.How != "healed" {
		t.Errorf("kill: %+v", kill)
	}
	if disk := r.Results[1]; disk.Outcome != gameday.NotHealed || !disk.Undone || disk.Why == "" {
		t.Errorf("disk: %+v", disk)
	}
	until(t, 30*time.Second, "the undo helps", a.areUp("payment-service"))

	files, _ := filepath.Glob(filepath.Join(dir, "gameday-*"))
	if len(files) != 4 {
		t.Fatalf("the files are %v", files)
	}
	for _, file := range files {
		if strings.HasSuffix(file, signatureSuffix) {
			continue
		}
		if code, out, failed := a.commandLine(t, t.Context(), dir, "gameday", "--verify", file); code != exitDone {
			t.Errorf("--verify %s: exit %d, %s%s", file, code, out, failed)
		}
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), r.Headline) {
			t.Errorf("%s: %v, %s", file, err, content)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(content), "1 not healed", "0 not healed")), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, failed := a.commandLine(t, t.Context(), dir, "gameday", "--verify", file); code != exitFailed || !strings.Contains(failed, "was changed") {
			t.Errorf("--verify of what was changed: exit %d, %s", code, failed)
		}
	}
}

// TestAGameDayThatIsEndedUndoesWhatIsLeft: at Ctrl-C, in the middle of a fault.
func TestAGameDayThatIsEndedUndoesWhatIsLeft(t *testing.T) {
	s := quickly(smallSetup(t, t.TempDir()))
	s.config.Healer.Mode = "observe"
	a, _ := started(t, s)
	dir := t.TempDir()
	until(t, 20*time.Second, "all are UP", a.areUp("payment-service", "inventory-service", "database"))
	ctx, end := context.WithCancel(t.Context())
	go func() {
		defer end()
		for !t.Failed() && statuses(a.dashboard.now().Addr())["payment-service"] != "DOWN" {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	code, out, failed := a.commandLine(t, ctx, dir, "gameday", "--services", "payment-service", "--faults", "hang,kill", "--limit", "1m", "--out", dir)
	if code != exitFailed || !strings.HasPrefix(out, "1 fault, 0 healed, 1 interrupted, 1 skipped") {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
	until(t, 20*time.Second, "it is UP again", a.areUp("payment-service"))
}

// TestAFaultIsInjectedAndUndoneFromTheCommandLine through the API.
func TestAFaultIsInjectedAndUndoneFromTheCommandLine(t *testing.T) {
	s := quickly(smallSetup(t, t.TempDir()))
	s.config.Healer.Mode = "observe"
	a, _ := started(t, s)
	dir := t.TempDir()
	until(t, 20*time.Second, "all are UP", a.areUp("payment-service", "inventory-service", "database"))
	code, out, failed := a.commandLine(t, t.Context(), dir, "chaos", "payment-service")
	if code != exitDone || strings.Count(out, "\n") != 13 || !strings.Contains(out, "disk ") || !strings.Contains(out, "free") {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
	if code, out, failed = a.commandLine(t, t.Context(), dir, "chaos", "database", "--json"); code != exitDone || !strings.Contains(out, `"undo":true,"undone_by":"restart"`) {
		t.Errorf("exit %d, %q, %q", code, out, failed)
	}
	if code, out, failed = a.commandLine(t, t.Context(), dir, "chaos", "database", "hang"); code != exitDone || out != "hang injected into database\n" {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
	until(t, 20*time.Second, "the inventory that needs it is DOWN too", func() bool {
		by := statuses(a.dashboard.now().Addr())
		return by["database"] == "DOWN" && by["inventory-service"] == "DOWN"
	})
	if code, out, failed = a.commandLine(t, t.Context(), dir, "chaos", "database", "hang", "--undo", "--json"); code != exitDone || !strings.Contains(out, `"ok":true`) {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
	until(t, 20*time.Second, "both are UP again", a.areUp("payment-service", "inventory-service", "database"))
}
