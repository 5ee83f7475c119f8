//go:build e2e

package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestConfigurationErrorsFailTheStart gives each mistake one clear error and exit code 2.
func TestConfigurationErrorsFailTheStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // the parallel parts outlive this function
	web := "services: [{name: web, url: \"http://localhost:1\"}]\n"
	for _, tt := range []struct{ name, text, says string }{
		{"unknown key", web + "heeler: {}\n", `config.yaml:2:1: `},
		{"duplicate service", "services:\n  - {name: web, url: \"http://localhost:1\"}\n  - {name: web, url: \"http://localhost:2\"}\n", `config.yaml:3:`},
		{"bad duration", "services:\n  - {name: web, url: \"http://localhost:1\", interval: soon}\n", `config.yaml:2:`},
		{"one container for two services", "services:\n  - {name: a, url: \"http://localhost:1\", container: c}\n  - {name: b, url: \"http://localhost:2\", container: c}\n", `config.yaml:3:`},
		{"beyond loopback without a token", web + "dashboard: {listen: \"0.0.0.0:5000\"}\n", `token`},
		{"an address that is not ours", web + "dashboard: {listen: \"203.0.113.1:5000\", token: abcdefghijklmnop}\n", `203.0.113.1:5000`},
		{"a port that is taken", web + "dashboard: {listen: \"" + taken.Addr().String() + "\"}\n", taken.Addr().String()},
		{"a broker's port that is taken", web + "bus: {embedded: {listen: \"" + taken.Addr().String() + "\"}}\n", taken.Addr().String()},
		{"no file", "", `config.yaml`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := &daemon{t: t, dir: t.TempDir(), args: []string{"run"}} // config.yaml of the working directory
			text := tt.text
			if text != "" && !strings.Contains(text, "bus:") {
				text += "bus: {embedded: {listen: \"127.0.0.1:0\"}}\n"
			}
			if text != "" {
				if err := os.WriteFile(filepath.Join(d.dir, "config.yaml"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d.launch()
			if code := d.wait(); code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			if out := d.out.String(); !strings.Contains(out, tt.says) || strings.Contains(out, "panic") || strings.Contains(out, "goroutine") {
				t.Errorf("it says:\n%s\nwant one clear error with %q", out, tt.says)
			}
		})
	}
}

func TestASavedFileTakesEffect(t *testing.T) {
	t.Parallel()
	d := configured(t, docker.Host(), "", "  - {name: first, url: \"http://127.0.0.1:9\"}\n").start()
	d.until(10*time.Second, "the first service is shown", func() bool { return d.service("first").Name == "first" })
	before, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(string(before) + "  - {name: second, url: \"http://127.0.0.1:9\"}\n")
	d.until(3*time.Second, "an added service is shown", func() bool { return d.service("second").Name == "second" })
	d.until(10*time.Second, "and checked", func() bool { return d.service("second").Status == "DOWN" })

	d.write(string(before) + "  - {name: third, url: \"http://127.0.0.1:9\", intervall: 1s}\n")
	d.until(3*time.Second, "a bad edit is shown", func() bool { return len(problems(d, "config")) == 1 })
	if what := problems(d, "config")[0]; !strings.Contains(what, "intervall") || d.service("third").Name != "" || d.service("second").Name == "" {
		t.Errorf("a bad edit: %q, services %s", what, d.raw("/api/v1/services"))
	}
	d.write(string(before))
	d.until(5*time.Second, "a removed service is gone", func() bool { return d.service("second").Name == "" && len(problems(d, "config")) == 0 })
}
