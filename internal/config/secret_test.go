package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"logstream/internal/health"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretsFromFiles(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, filepath.Join(dir, "secret"), "0123456789abcdef\r\n")
	empty, long := write(t, filepath.Join(dir, "empty"), "\n"), write(t, filepath.Join(dir, "long"), strings.Repeat("x", maxText+1))
	short := write(t, filepath.Join(dir, "short"), "hunter2")
	hash := write(t, filepath.Join(dir, "hash"), "$2a$10$0000000000000000000000000000000000000000000000000000u\n")
	c, report := Parse("config.yaml", []byte(`
bus: {secret_file: `+secret+`}
dashboard:
  token_file: `+short+`
  users: [{name: ada, password_file: `+hash+`, role: operator}]
  tokens: [{name: ci, token_file: `+secret+`, role: viewer}]
hooks: [{name: kuma, kind: uptime-kuma, token_file: `+long[:len(long)-len("long")]+`hook}]
services: [{name: web, url: "http://localhost"}]
`), func(string) (string, bool) { return "", false })
	if len(report.Errors) != 1 || !strings.Contains(report.Errors[0].String(), "config.yaml:7:53: hooks[0].token_file:") || !strings.Contains(report.Errors[0].Message, "cannot be read: no such file") {
		t.Fatal(report.Errors)
	}
	write(t, filepath.Join(dir, "hook"), "fedcba9876543210")
	c, report = Parse("config.yaml", []byte(`
bus: {secret_file: `+secret+`}
dashboard:
  token_file: `+short+`
  users: [{name: ada, password_file: `+hash+`, role: operator}]
  tokens: [{name: ci, token_file: `+secret+`, role: viewer}]
hooks: [{name: kuma, kind: uptime-kuma, token_file: `+filepath.Join(dir, "hook")+`}]
services: [{name: web, url: "http://localhost"}]
`), func(string) (string, bool) { return "", false })
	if len(report.Errors) > 0 {
		t.Fatal(report.Errors)
	}
	if c.Bus.Secret != "0123456789abcdef" || c.Dashboard.Token != "hunter2" || !strings.HasPrefix(c.Dashboard.Users[0].Password, "$2a$10$") ||
		c.Dashboard.Tokens[0].Token != "0123456789abcdef" || c.Hooks[0].Token != "fedcba9876543210" {
		t.Errorf("%+v %+v %+v", c.Bus, c.Dashboard, c.Hooks)
	}
	for content, want := range map[string]string{
		"dashboard: {token_file: " + empty + "}":                         "config.yaml:1:25: dashboard.token_file: " + `"` + empty + `" is empty`,
		"dashboard: {token_file: " + long + "}":                          "is longer than 4096 bytes",
		"dashboard: {token_file: " + dir + "}":                           "is not a file",
		"dashboard: {token_file: /dev/zero}":                             "is not a file",
		"dashboard: {token: abc, token_file: " + secret + "}":            "is set as well as dashboard.token: set only one of the two",
		"bus: {secret_file: " + short + "}":                              `config.yaml:1:20: bus.secret: "***" has 7 characters`,
		"dashboard: {tokens: [{name: a, token_file: " + short + "}]}":    `dashboard.tokens[0].token: "***" must be 16`,
		"dashboard: {users: [{name: a, password_file: " + secret + "}]}": `dashboard.users[0].password: "***" is not a bcrypt hash`,
		"dashboard: {users: [{name: a, password: hunter2}]}":             `dashboard.users[0].password: "***" is not a bcrypt hash`,
		"dashboard: {listen: \"0.0.0.0:1\", proxy: {from: [10.0.0.1]}}":  "is reachable from other machines",
		"dashboard: {base_path: logstream/}":                             `dashboard.base_path: "logstream/" must begin with a slash and not end with one; did you mean /logstream?`,
	} {
		_, report := Parse("config.yaml", []byte(content+"\nservices: [{name: web, url: \"http://localhost\"}]\n"), func(string) (string, bool) { return "", false })
		var all []string
		for _, f := range report.Errors {
			all = append(all, f.String())
		}
		if said := strings.Join(all, "\n"); !strings.Contains(said, want) || strings.Contains(said, "hunter2") || strings.Contains(said, "0123456789") {
			t.Errorf("%s: %s, want %s", content, said, want)
		}
	}
}

// TestADefinitionReadsNoFile: an operator may send one to be checked, and has no
// right to this machine's files.
// TestAMisplacedSecretIsNotShown: viewers of the dashboard read what is wrong with
// the configuration.
func TestAMisplacedSecretIsNotShown(t *testing.T) {
	for _, content := range []string{
		"dashboard: {tokens: [s3cr3t-0123456789]}", "dashboard: {users: [s3cr3t-0123456789]}", "dashboard: {users: s3cr3t-0123456789}", "hooks: [s3cr3t-0123456789]",
		"notify: {receivers: ['ntfy://ntfy.sh/s3cr3t']}", "notify: 'ntfy://ntfy.sh/s3cr3t'", "notify: {receivers: 'ntfy://ntfy.sh/s3cr3t'}",
		"dashboard: {token_file: s3cr3t-0123456789}", "dashboard: {users: [{name: ada, role: viewer, password_file: $$2a$$10$$s3cr3t.s3cr3t/s3cr3t}]}",
		"notify: {receivers: [{url_file: 'ntfy://ntfy.sh/s3cr3t'}]}", "bus: {sasl: s3cr3t-0123456789}", "services: ['http://ann:s3cr3t@h/']",
	} {
		_, report := Parse("config.yaml", []byte(content+"\nservices: [{name: web, url: 'http://localhost'}]\n"), func(string) (string, bool) { return "", false })
		if len(report.Errors) == 0 {
			t.Errorf("%s: no error", content)
		}
		for _, f := range report.Errors {
			if strings.Contains(f.String(), "s3cr3t") {
				t.Errorf("%s: %s", content, f)
			}
		}
	}
	missing := filepath.Join(t.TempDir(), "token")
	_, report := Parse("config.yaml", []byte("dashboard: {token_file: "+missing+"}\n"), func(string) (string, bool) { return "", false })
	if len(report.Errors) == 0 || !strings.Contains(report.Errors[0].String(), missing) {
		t.Errorf("a path: %v", report.Errors)
	}
}

func TestADefinitionReadsNoFile(t *testing.T) {
	type section struct {
		Token     string `yaml:"token"`
		TokenFile string `yaml:"token_file"`
	}
	d := &decoder{literal: true, wrong: map[string]bool{}, meant: map[string]bool{}, places: map[string]place{}}
	into := section{TokenFile: write(t, filepath.Join(t.TempDir(), "secret"), "secret")}
	d.takeFiles(reflect.ValueOf(&into).Elem(), fieldsOf(reflect.ValueOf(&into).Elem().Type(), ""), "service")
	if into.Token != "" || len(d.report.Errors) != 1 || !strings.Contains(d.report.Errors[0].Message, "cannot be read here") {
		t.Errorf("%+v %v", into, d.report.Errors)
	}
}

// TestAChangedSecretIsReadAgain: Docker and others replace the file, also while the
// configuration that names it is put in use.
func TestAChangedSecretIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, filepath.Join(dir, "token"), "one\n")
	path := write(t, filepath.Join(dir, "config.yaml"), "dashboard: {token_file: "+secret+"}\nservices: [{name: web, url: \"http://localhost\"}]\n")
	c, report := Load(path)
	if len(report.Errors) > 0 {
		t.Fatal(report)
	}
	applied := make(chan Config, 10)
	other := write(t, filepath.Join(dir, "other"), "three")
	w := NewWatcher(path, c, slog.New(slog.DiscardHandler), &health.Registry{}, func(next Config) error {
		if next.Dashboard.Token == "three" {
			write(t, other, "four")
		}
		applied <- next
		return nil
	})
	done := make(chan error, 1)
	go func() { done <- w.Run(t.Context()) }()
	takes := func(token string) {
		t.Helper()
		select {
		case next := <-applied:
			if next.Dashboard.Token != token {
				t.Fatalf("the token is %q, want %q", next.Dashboard.Token, token)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("the token %q was not read", token)
		}
	}
	write(t, secret, "two\n")
	takes("two")
	write(t, path, "dashboard: {token_file: "+other+"}\nservices: [{name: web, url: \"http://localhost\"}]\n")
	takes("three")
	takes("four")
	select {
	case next := <-applied:
		t.Errorf("applied again: %+v", next.Dashboard)
	default:
	}
}
