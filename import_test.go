package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logstream/internal/config"
	"logstream/internal/importer"
)

// runImport runs the command, and gives its exit code and what it printed.
func runImport(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = execute(context.Background(), &o, &e, append([]string{"import"}, args...))
	return code, o.String(), e.String()
}

func TestImportWritesAValidFileAndNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	t.Setenv("SHOP_TOKEN", "x")
	t.Setenv("BACKEND", "backend.example")
	code, out, errOut := runImport("gatus", "internal/importer/testdata/gatus.yaml", "--config", path)
	if code != exitDone || !strings.Contains(out, "front-end: no equivalent: the condition len([BODY].items) > 3") {
		t.Fatalf("exit %d, %s%s", code, out, errOut)
	}
	c, report := config.Load(path)
	if len(report.Errors) > 0 {
		t.Fatal(report)
	}
	if c.Services[0].Name != "front-end" || c.Services[0].Request.Headers["Authorization"] != "Bearer x" || c.Services[0].Expect.JSON["checks.0.name"] != "database" {
		t.Errorf("the first service is %+v", c.Services[0])
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: it may hold passwords", info, err)
	}
	before, _ := os.ReadFile(path)
	code, _, errOut = runImport("gatus", "internal/importer/testdata/gatus.yaml", "--config", path)
	after, _ := os.ReadFile(path)
	if code != exitStartupFailure || !strings.Contains(errOut, "is not overwritten") || !bytes.Equal(before, after) {
		t.Errorf("exit %d, %s", code, errOut)
	}
}

func TestImportAsJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	code, out, errOut := runImport("gatus", "internal/importer/testdata/gatus.yaml", "--config", path, "--json")
	var got importedView
	if err := json.Unmarshal([]byte(out), &got); code != exitDone || err != nil || got.Config != path || got.Services == 0 || len(got.Notes) < 5 {
		t.Errorf("exit %d, %v, %s%s", code, err, out, errOut)
	}
}

func TestImportRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"gatus"}, "the argument FILE is missing"},
		{[]string{"nagios", "x"}, `unknown monitor "nagios"`},
		{[]string{"gatus", "none.yaml"}, "logstream: read none.yaml as the configuration of Gatus: no such file or directory; give its config.yaml\n"},
		{[]string{"uptime-kuma", "none.db"}, "stat none.db: no such file or directory; give the kuma.db in Uptime Kuma's data directory\n"},
		{[]string{"uptime-kuma", "config.yaml"}, "not a database"},
		{[]string{"gatus", "config.yaml"}, "no endpoints"},
	} {
		code, _, errOut := runImport(append(c.args, "--config", path)...)
		if _, err := os.Stat(path); code != exitStartupFailure || !strings.Contains(errOut, c.want) || err == nil {
			t.Errorf("%v: exit %d, %s", c.args, code, errOut)
		}
	}
}

// FuzzImportGatus: whatever another monitor's file holds, what is made of it is
// a valid configuration that repairs nothing, and no value of it is anything
// but a value.
func FuzzImportGatus(f *testing.F) {
	content, err := os.ReadFile("internal/importer/testdata/gatus.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(content))
	f.Add("endpoints: [{name: \"a\\nhealer: {mode: auto}\", group: '*', url: 'http://$', conditions: ['[STATUS] == any()', '[BODY].a == ${b']}]")
	f.Add("endpoints: [{name: logstream, url: 'http://${A:-b}', interval: -1s, headers: {'a: b': \"c\\0\"}}]")
	f.Fuzz(func(t *testing.T, content string) {
		result, err := importer.Gatus("x.yaml", []byte(content))
		if err != nil {
			return
		}
		made, err := validated(result)
		if err != nil {
			t.Fatalf("%v", err)
		}
		c, report := config.Parse("config.yaml", made, func(string) (string, bool) { return "value", true })
		if len(report.Errors) > 0 || c.Healer.Mode != "observe" || len(c.Services) != result.Services() {
			t.Fatalf("%v, mode %q, %d of %d services:\n%s", report, c.Healer.Mode, len(c.Services), result.Services(), made)
		}
	})
}

// Every check that Uptime Kuma and we have in common becomes one that is in use.
func TestTheGoldenImportsAreValid(t *testing.T) {
	for _, file := range []string{"gatus.golden.yaml", "kuma.golden.yaml"} {
		content, err := os.ReadFile("internal/importer/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		_, report := config.Parse(file, content, func(string) (string, bool) { return "value", true })
		for _, finding := range report.Errors {
			t.Error(finding)
		}
	}
}
