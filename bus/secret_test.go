package bus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadSecret: it is what an instance signs with, and reading makes none.
func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	c := Config{Embedded: Embedded{Data: dir}}
	if _, err := ReadSecret(c); err == nil || !strings.Contains(err.Error(), "there is no secret") {
		t.Errorf("without an instance: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("reading left %v", left)
	}
	made, err := loadSecret(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSecret(c); err != nil || string(got) != string(made) {
		t.Errorf("read %q and the error %v, want %q", got, err, made)
	}
	if err := os.WriteFile(filepath.Join(dir, secretFile), []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSecret(c); err == nil || !strings.Contains(err.Error(), "5 characters") {
		t.Errorf("of a short one: %v", err)
	}
	if got, err := ReadSecret(Config{Secret: "configured secret"}); err != nil || string(got) != "configured secret" {
		t.Errorf("configured: %q, %v", got, err)
	}
}
