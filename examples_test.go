package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
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
				passesWhatIsRequired(t, path)
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

// passesWhatIsRequired: a container has only the variables that its Compose file
// passes. Where LogStream runs in one, each ${NAME:?…} of its configuration is there.
func passesWhatIsRequired(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(path), "docker-compose.yml"))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var compose struct {
		Services map[string]struct{ Environment map[string]string }
	}
	if err := errors.Join(err, yaml.Unmarshal(content, &compose)); err != nil {
		t.Fatal(err)
	}
	service, is := compose.Services["logstream"]
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, required := range regexp.MustCompile(`\$\{(\w+):\?`).FindAllSubmatch(config, -1) {
		if name := string(required[1]); is && !strings.HasPrefix(service.Environment[name], "${"+name) {
			t.Errorf("%s requires %s, and the Compose file does not pass it", path, name)
		}
	}
}

// TestCaddyRemovesWhatAClientClaims: each header that Caddy copies is removed from
// the request first. Only a route keeps the order of its lines.
func TestCaddyRemovesWhatAClientClaims(t *testing.T) {
	content, err := os.ReadFile("examples/behind-caddy/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	_, route, _ := strings.Cut(string(content), "\troute ")
	first, then, _ := strings.Cut(route, "forward_auth ")
	copied := regexp.MustCompile(`copy_headers (.+)`).FindStringSubmatch(then)
	if copied == nil {
		t.Fatalf("no header is copied after forward_auth:\n%s", content)
	}
	for _, header := range strings.Fields(copied[1]) {
		if !strings.Contains(first, "request_header -"+header+"\n") {
			t.Errorf("%s is copied, and what a client sent in it is not removed before", header)
		}
	}
}
