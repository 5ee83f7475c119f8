//go:build e2e

package rights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnusedCallsAreReported says which calls of the list no end-to-end test made,
// of those that wrote into the folder LOGSTREAM_E2E_CALLS. It fails for none: some
// are made by an older engine alone.
func TestUnusedCallsAreReported(t *testing.T) {
	dir := os.Getenv("LOGSTREAM_E2E_CALLS")
	if dir == "" {
		t.Fatal("LOGSTREAM_E2E_CALLS names no folder: make e2e does, and runs this test last")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.calls"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is nothing in %s: %v", dir, err)
	}
	used := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range strings.Split(strings.TrimSpace(string(content)), "\n") {
			used[call] = true
		}
	}
	for _, c := range Calls {
		if !used[c.String()] {
			t.Logf("no test made %s: %s", c, c.Why)
		}
	}
}
