package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logstream/internal/service"
)

// loaded is a configuration of one service with these lines under heal.
func loaded(t *testing.T, lines ...string) (Config, Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := "services:\n  - name: web\n    url: http://localhost:1\n    heal:\n      " + strings.Join(lines, "\n      ") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestHealKeysOfActions(t *testing.T) {
	c, report := loaded(t, "actions: [rollback, raise_memory]", "max_memory: 512MiB", "commands:", "  reload: [/bin/sh, -c, 'exit 0']", "  a-flush: [sh]")
	if len(report.Errors) > 0 {
		t.Fatal(report)
	}
	heal := c.Services[0].Heal
	want := service.Commands{{Name: "reload", Args: []string{"/bin/sh", "-c", "exit 0"}}, {Name: "a-flush", Args: []string{"sh"}}}
	if !slices.Equal(heal.Actions, []string{"rollback", "raise_memory"}) || heal.MaxMemory != 512<<20 || len(heal.Commands) != 2 ||
		heal.Commands[0].Name != "reload" || !slices.Equal(heal.Commands[0].Args, want[0].Args) || heal.Commands[1].Name != "a-flush" {
		t.Errorf("%+v", heal)
	}
	masked := c.Services[0].Masked()
	if !slices.Equal(masked.Heal.Commands, []string{"reload", "a-flush"}) || masked.Heal.MaxMemory != "512MiB" {
		t.Errorf("published is %+v", masked.Heal)
	}
}

func TestWrongHealKeysAreReportedAtTheirPlaces(t *testing.T) {
	for _, tt := range []struct {
		lines      []string
		line       int
		key        string
		message    string
		suggestion string
	}{
		{[]string{"actions: [rollbak]"}, 5, "services[0].heal.actions", "is not an action", "rollback"},
		{[]string{"action: [rollback]"}, 5, "services[0].heal.action", "unknown key", "actions"},
		{[]string{"max_memory: 512MB"}, 5, "services[0].heal.max_memory", "is not a size such as 256MiB", ""},
		{[]string{"max_memory: 1MiB"}, 5, "services[0].heal.max_memory", "at least 6MiB", ""},
		{[]string{"max_memry: 512MiB"}, 5, "services[0].heal.max_memry", "unknown key", "max_memory"},
		{[]string{"commands: [sh]"}, 5, "services[0].heal.commands", "a section of names", ""},
		{[]string{"commands: {reload: sh -c s3cret}"}, 5, "services[0].heal.commands", "not a list", ""},
		{[]string{"commands: {Reload: [sh, s3cret]}"}, 5, "services[0].heal.commands", "not the name of a command", ""},
		{[]string{"commands: {reload: []}"}, 5, "services[0].heal.commands", "names no program", ""},
		{[]string{"commands: {reload: [sh, '']}"}, 5, "services[0].heal.commands", "an empty argument", ""},
		{[]string{"commands: {reload: [sh" + strings.Repeat(", s3cret", 32) + "]}"}, 5, "services[0].heal.commands", "33 words", ""},
		{[]string{"commands: {reload: [sh], reload: [sh]}"}, 5, "services[0].heal.commands", "twice", ""},
		{[]string{"commands: {reload: [[sh]]}"}, 5, "services[0].heal.commands", "single words", ""},
		{[]string{"never: [restart]", "commands: {reload: [./here.sh, s3cret]}"}, 6, "services[0].heal.commands", "an absolute path", ""},
		{[]string{"commands: {reload: [no-such-program-at-all]}"}, 5, "services[0].heal.commands", "not in PATH", ""},
	} {
		_, report := loaded(t, tt.lines...)
		if len(report.Errors) == 0 {
			t.Errorf("%v is valid", tt.lines)
			continue
		}
		e := report.Errors[0]
		if e.Line != tt.line || e.Key != tt.key || !strings.Contains(e.Message, tt.message) || e.Suggestion != tt.suggestion || strings.Contains(e.String(), "s3cret") {
			t.Errorf("%v: line %d: %+v", tt.lines, e.Line, e)
		}
	}
}
