package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logstream/internal/process/demoservice"
)

// TestMain makes the test's binary be the demo's services as well.
// testProgram is the variable with which the tests' binary is logstream itself.
const testProgram = "LOGSTREAM_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(testProgram) != "" {
		main()
	}
	if len(os.Args) > 1 && os.Args[1] == demoservice.Argument {
		os.Exit(demoservice.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// logstream runs a command line, and returns its exit code and what it printed.
func logstream(args ...string) (code int, out, failed string) {
	var o, e bytes.Buffer
	code = execute(context.Background(), &o, &e, args)
	return code, o.String(), e.String()
}

func written(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		out  string
		err  string
	}{
		{nil, exitStartupFailure, "", "logstream: no command given; the commands are acknowledge, approve, chaos, check, completion, deny, doctor, eval, gameday, heal, hold, import, incidents, init, mcp, note, notify, password, probe, ready, record, release, replay, run, silence, tail, undo, unsilence, verify-deploy, version (logstream --help)\n"},
		{[]string{"help"}, exitDone, "logstream [command]", ""},
		{[]string{"--help"}, exitDone, "logstream run --demo", ""},
		{[]string{"chekc"}, exitStartupFailure, "", "logstream: unknown command \"chekc\"; did you mean \"check\"?\n"},
		{[]string{"--config", "x.yaml", "rnu"}, exitStartupFailure, "", "logstream: unknown command \"rnu\"; did you mean \"run\"?\n"},
		{[]string{"kubernetes"}, exitStartupFailure, "", "logstream: unknown command \"kubernetes\"; the commands are acknowledge, approve, chaos, check, completion, deny, doctor, eval, gameday, heal, hold, import, incidents, init, mcp, note, notify, password, probe, ready, record, release, replay, run, silence, tail, undo, unsilence, verify-deploy, version (logstream --help)\n"},
		{[]string{"run", "--dmeo"}, exitStartupFailure, "", "logstream: run: unknown flag --dmeo; did you mean --demo?\n"},
		{[]string{"run", "--kubernetes"}, exitStartupFailure, "", "logstream: run: unknown flag --kubernetes (logstream run --help)\n"},
		{[]string{"--verson"}, exitStartupFailure, "", "logstream: unknown flag --verson; did you mean --version?\n"},
		{[]string{"run", "payment"}, exitStartupFailure, "", "logstream: run: unexpected argument \"payment\"\n"},
		{[]string{"run", "--demo=perhaps"}, exitStartupFailure, "", "logstream: run: --demo must be true or false, not \"perhaps\"\n"},
		{[]string{"run", "--demo", "--config", "x.yaml"}, exitStartupFailure, "", "logstream: run: --demo has a configuration of its own and reads no file; leave out --demo or --config\n"},
		{[]string{"run", "-x"}, exitStartupFailure, "", "logstream: run: unknown flag -x (logstream run --help)\n"},
		{[]string{"run", "-demo"}, exitStartupFailure, "", "logstream: run: unknown flag -demo; did you mean --demo?\n"},
		{[]string{"check", "-h"}, exitDone, "logstream check", ""},
		{[]string{"check", "--config"}, exitStartupFailure, "", "logstream: check: --config needs a file\n"},
	} {
		code, out, failed := logstream(c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(failed, c.err) || (c.err == "") != (failed == "") {
			t.Errorf("logstream %q: exit %d\n%s\n%s", c.args, code, out, failed)
		}
	}
}

func TestCheck(t *testing.T) {
	good := written(t, "services: [{name: a, url: 'http://a'}]")
	bad := written(t, "services:\n- name: a\n  url: http://a\n  intervall: 2s\n- {name: a, url: 'http://b'}\n")
	if code, out, failed := logstream("check", "--config", good); code != exitDone || out != good+" is valid: 1 service\n" || failed != "" {
		t.Errorf("a good file: exit %d, %q, %q", code, out, failed)
	}
	code, out, failed := logstream("check", "--config", bad)
	want := bad + ":4:3: services[0].intervall: unknown key; did you mean interval?\n" +
		bad + ":5:10: services[1].name: \"a\" is already the name of another service (line 2): names must be unique\n"
	if code != exitStartupFailure || out != "" || failed != want {
		t.Errorf("a bad file: exit %d, %q\n%s\nwant\n%s", code, out, failed, want)
	}
	if code, out, _ = logstream("check", "--json", "--config", good); code != exitDone || strings.TrimSpace(out) != `{"errors":[],"warnings":[]}` {
		t.Errorf("a good file: exit %d, %s", code, out)
	}
	empty := written(t, "services: []\n")
	if code, out, failed = logstream("check", "--config", empty); code != exitDone || out != empty+" is valid: 0 services\n" ||
		failed != empty+":1:11: warning: services: is empty: nothing is monitored\n" {
		t.Errorf("a file with a warning: exit %d, %q, %q", code, out, failed)
	}
	if code, out, _ = logstream("check", "--json", "--config", empty); code != exitDone || strings.TrimSpace(out) !=
		`{"errors":[],"warnings":[{"file":"`+empty+`","line":1,"column":11,"key":"services","value":"","message":"is empty: nothing is monitored","suggestion":"","excerpt":"services: []","caret":11}]}` {
		t.Errorf("a file with a warning: exit %d, %s", code, out)
	}
	var answer struct {
		Errors []struct {
			File, Key, Value, Message, Suggestion string
			Line, Column                          int
		}
	}
	code, out, failed = logstream("check", "--config", bad, "--json")
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitStartupFailure || failed != "" || len(answer.Errors) != 2 {
		t.Fatalf("a bad file: exit %d, %v, %s, %s", code, err, out, failed)
	}
	if e := answer.Errors[0]; e.File != bad || e.Line != 4 || e.Column != 3 || e.Key != "services[0].intervall" || e.Suggestion != "interval" || e.Message != "unknown key" {
		t.Errorf("first error %+v", e)
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := logstream("version")
	if code != exitDone || !strings.HasPrefix(out, "logstream ") {
		t.Errorf("exit %d, %q", code, out)
	}
	if code, flag, _ := logstream("--version"); code != exitDone || flag != out {
		t.Errorf("--version: exit %d, %q, want %q", code, flag, out)
	}
	code, out, _ = logstream("version", "--json")
	var b map[string]string
	if err := json.Unmarshal([]byte(out), &b); err != nil || code != exitDone || b["version"] == "" || !strings.HasPrefix(b["go"], "go1") {
		t.Errorf("exit %d, %q, %v", code, out, err)
	}
}
