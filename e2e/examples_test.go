//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestComposeReadsTheExamples has the real Compose read its files under examples.
func TestComposeReadsTheExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../examples/*/docker-compose.yml")
	if err != nil || len(files) < 4 {
		t.Fatalf("there are %v: %v", files, err)
	}
	for _, file := range files {
		cmd := exec.CommandContext(t.Context(), "docker", "compose", "--file", file, "--profile", "*", "config", "--quiet")
		cmd.Env = append(os.Environ(), "SECRETS="+t.TempDir())
		for _, name := range []string{"KAFKA_PASSWORD", "LOGSTREAM_SECRET", "HOMEPAGE_TOKEN", "POSTGRES_PASSWORD", "LOGSTREAM_TOKEN"} {
			cmd.Env = append(cmd.Env, name+"=a-secret-of-the-test")
		}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", file, err, out)
		}
	}
}
