package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExamplesAreValid runs check on each configuration under examples. Compose's
// files are read by Compose, in the end-to-end tests.
func TestExamplesAreValid(t *testing.T) {
	secrets := t.TempDir()
	for _, name := range []string{"ada", "guest"} {
		const hash = "$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(hash+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SECRETS", secrets)
	for _, name := range []string{"KAFKA_PASSWORD", "LOGSTREAM_SECRET", "HOMEPAGE_TOKEN", "POSTGRES_PASSWORD", "LOGSTREAM_TOKEN"} {
		t.Setenv(name, "a-secret-of-the-test-"+name)
	}
	var folders []string
	err := filepath.WalkDir("examples", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" {
			return err
		}
		folders = append(folders, filepath.Dir(path))
		switch filepath.Base(path) {
		case "traefik.yml", "docker-compose.yml": // Traefik's own, and Compose's
		default:
			t.Run(path, func(t *testing.T) {
				if code, out, failed := logstream("check", "--config", path); code != exitDone || failed != "" || strings.Contains(out, "warning") {
					t.Errorf("exit %d\n%s%s", code, out, failed)
				}
			})
		}
		return nil
	})
	if folders = slices.Compact(folders); err != nil || len(folders) < 6 {
		t.Fatalf("there are examples in %v: %v", folders, err)
	}
	index, err := os.ReadFile("examples/README.md")
	for _, folder := range folders {
		if _, missing := os.Stat(filepath.Join(folder, "README.md")); err != nil || missing != nil || !strings.Contains(string(index), "]("+filepath.Base(folder)+"/README.md)") {
			t.Errorf("%s has no README.md, or is not in that of examples: %v", folder, errors.Join(err, missing))
		}
	}
}
