package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logstream/internal/container"
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
		{"path alone", "/var/run/docker.sock", surroundings{}, "", `use the Docker engine at "/var/run/docker.sock" (docker.host in config.yaml): not an address such as`},
		{"empty address", "tcp://", surroundings{}, "", "not an address"},
		{"wrong scheme", "ftp://x", surroundings{}, "", `"ftp" is none of the schemes`},
		{"wrong DOCKER_HOST", "", surroundings{dockerHost: "x"}, "", "(DOCKER_HOST)"},
		{"tcp", "tcp://10.0.0.5:2375", surroundings{}, "tcp://10.0.0.5:2375", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.env.isSocket = func(string) bool { return false }
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

func TestStandardSocketsAreTriedInOrder(t *testing.T) {
	const system, rootless, podman, rootlessPodman = "/var/run/docker.sock", "/run/user/7/docker.sock", "/run/podman/podman.sock", "/run/user/7/podman/podman.sock"
	const desktop, home = "/home/ann/.docker/desktop/docker.sock", "/home/ann/.docker/run/docker.sock"
	env := surroundings{home: "/home/ann", runtimeFolder: "/run/user/7"}
	for _, test := range []struct {
		name     string
		exist    []string
		env      surroundings
		path, by string
	}{
		{"the system's first", []string{rootlessPodman, podman, home, desktop, rootless, system}, env, system, "the system's Docker socket"},
		{"then rootless", []string{rootlessPodman, podman, home, desktop, rootless}, env, rootless, "rootless Docker: the first standard socket that exists"},
		{"then Desktop's", []string{rootlessPodman, podman, home, desktop}, env, desktop, "Docker Desktop: the first standard socket that exists"},
		{"then the home folder's", []string{rootlessPodman, podman, home}, env, home, "Docker in the home folder: the first standard socket that exists"},
		{"then Podman's", []string{rootlessPodman, podman}, env, podman, "Podman: the first standard socket that exists"},
		{"then rootless Podman's", []string{rootlessPodman}, env, rootlessPodman, "rootless Podman: the first standard socket that exists"},
		{"none", nil, env, system, "the default: none of the standard sockets exists"},
		{"no folders of a user", []string{rootless, desktop, home, rootlessPodman, podman}, surroundings{}, podman, "Podman: the first standard socket that exists"},
		{"DOCKER_HOST goes before", []string{system}, surroundings{dockerHost: "unix://" + rootless}, rootless, "DOCKER_HOST"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.env.isSocket = func(path string) bool { return slices.Contains(test.exist, path) }
			got, err := locate(Config{}, test.env)
			if err != nil || got.host != "unix://"+test.path || got.source != test.by || got.provisional != (len(test.exist) == 0) {
				t.Errorf("got %+v and %v, want %s by %s", got, err, test.path, test.by)
			}
		})
	}
}

// TestASocketInARootlessPlaceIsFound has a real socket there, which comes up
// after the runtime was made.
func TestASocketInARootlessPlaceIsFound(t *testing.T) {
	if isSocket("/var/run/docker.sock") {
		t.Log("this machine has an engine of its own, which goes before")
	}
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"} {
		t.Setenv(name, "")
	}
	env := environment()
	system := env.isSocket
	env.isSocket = func(path string) bool { return strings.HasPrefix(path, dir) && system(path) } // of the machine's own nothing is seen
	r, err := newRuntime(Config{}, env, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Info(t.Context()); !errors.Is(err, container.ErrUnavailable) && r.where.Load().provisional {
		t.Errorf("with no socket the error is %v", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		_, _ = io.WriteString(w, `{"ID":"engine-1","ServerVersion":"20.10.24","Containers":2}`)
	})}
	listener, err := net.Listen("unix", filepath.Join(dir, "docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // it always ends with an error: that of our closing it
	t.Cleanup(func() { _ = server.Close() })
	info, err := r.Info(t.Context())
	want := container.Info{Kind: "docker", ID: "engine-1", Version: "20.10.24", Containers: 2,
		Address: "unix://" + filepath.Join(dir, "docker.sock"), ChosenBy: "rootless Docker: the first standard socket that exists"}
	if err != nil || info != want {
		t.Errorf("got %+v and %v, want %+v", info, err, want)
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
		t.Errorf("New gives %v for an engine that is unreachable", err)
	}
	if _, err := New(Config{Host: "nonsense"}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("New takes nonsense for an address")
	}
}
