package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dockerFolder writes the docker command's files: the current context, and
// where each context is.
func dockerFolder(t *testing.T, current string, contexts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	put := func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("config.json", current)
	for name, meta := range contexts {
		sum := sha256.Sum256([]byte(name))
		put("contexts/meta/"+hex.EncodeToString(sum[:])+"/meta.json", meta)
	}
	return dir
}

func TestLocate(t *testing.T) {
	// As docker context create and docker context use write it.
	folder := dockerFolder(t, `{"auths":{},"currentContext":"rootless"}`, map[string]string{
		"rootless": `{"Name":"rootless","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/user/1000/docker.sock","SkipTLSVerify":false}}}`,
		"remote":   `{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"ssh://me@far","SkipTLSVerify":false}}}`,
		"empty":    `{"Name":"empty"}`,
		"broken":   `{`,
	})
	withContext := func(name string) surroundings { return surroundings{dockerContext: name, configFolder: folder} }
	tests := []struct {
		name   string
		config string
		env    surroundings
		host   string // found, or
		says   string // of the error
	}{
		{"nothing set", "", surroundings{}, "unix:///var/run/docker.sock", ""},
		{"no files", "", surroundings{configFolder: "/nonexistent"}, "unix:///var/run/docker.sock", ""},
		{"configured", "unix:///a.sock", surroundings{dockerHost: "unix:///b.sock", configFolder: folder}, "unix:///a.sock", ""},
		{"DOCKER_HOST", "", surroundings{dockerHost: "unix:///b.sock", dockerContext: "rootless", configFolder: folder}, "unix:///b.sock", ""},
		{"current context", "", surroundings{configFolder: folder}, "unix:///run/user/1000/docker.sock", ""},
		{"default context", "", withContext("default"), "unix:///var/run/docker.sock", ""},
		{"no such context", "", withContext("nope"), "", `use the docker context "nope": it doesn't exist: see docker context ls, or set docker.host`},
		{"context without engine", "", withContext("empty"), "", "has no address of a Docker engine"},
		{"broken context", "", withContext("broken"), "", "meta.json: unexpected end of JSON input"},
		{"broken config.json", "", surroundings{configFolder: dockerFolder(t, "{", nil)}, "", "find the current docker context"},
		{"ssh", "", withContext("remote"), "", "ssh -NL"},
		{"path alone", "/var/run/docker.sock", surroundings{}, "", `use the Docker engine at "/var/run/docker.sock" (docker.host): not an address such as`},
		{"empty address", "tcp://", surroundings{}, "", "not an address"},
		{"wrong scheme", "ftp://x", surroundings{}, "", `"ftp" is none of the schemes`},
		{"wrong DOCKER_HOST", "", surroundings{dockerHost: "x"}, "", "(DOCKER_HOST)"},
		{"tcp", "tcp://10.0.0.5:2375", surroundings{}, "tcp://10.0.0.5:2375", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := locate(Config{Host: test.config}, test.env)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %+v and %v, want an error that says %q", got, err, test.says)
				}
			} else if err != nil || got.host != test.host {
				t.Errorf("got %q and %v, want %q", got.host, err, test.host)
			}
		})
	}
}

// Certificates are for TCP, and those of a context are its own.
func TestCertificates(t *testing.T) {
	env := surroundings{certPath: "/certs", tlsVerify: true}
	tcp, err := locate(Config{Host: "tcp://10.0.0.5:2376"}, env)
	if err != nil || tcp.certs != "/certs" || !tcp.verify {
		t.Errorf("TCP: %+v and %v, want the certificates of the environment", tcp, err)
	}
	unix, err := locate(Config{Host: "unix:///a.sock"}, env)
	if err != nil || unix.certs != "" {
		t.Errorf("a socket: %+v and %v, want no certificates", unix, err)
	}
	env.configFolder = dockerFolder(t, `{"currentContext":"far"}`, map[string]string{
		"far": `{"Endpoints":{"docker":{"Host":"tcp://10.0.0.5:2376","SkipTLSVerify":true}}}`,
	})
	sum := sha256.Sum256([]byte("far"))
	own := filepath.Join(env.configFolder, "contexts", "tls", hex.EncodeToString(sum[:]), "docker")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	far, err := locate(Config{}, env)
	if err != nil || far.certs != own || far.verify {
		t.Errorf("a context: %+v and %v, want its own certificates in %s, unverified", far, err, own)
	}
	if _, err := far.options(); err == nil || !strings.Contains(err.Error(), "read the certificates in "+own) {
		t.Errorf("certificates that aren't there give %v", err)
	}
}

func TestNewDialsNothing(t *testing.T) {
	if _, err := New(Config{Host: "tcp://203.0.113.1:1"}, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("New gives %v for an engine that is away", err)
	}
	if _, err := New(Config{Host: "nonsense"}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("New takes nonsense for an address")
	}
}
