package docker

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// replay answers as an engine did (20.10.24): from the files in testdata,
// each of which is the status, the content type, an empty line and the body.
type replay struct {
	socket string

	mu        sync.Mutex
	answers   map[string]http.HandlerFunc // by method and path without version and query
	otherwise http.HandlerFunc            // answers what is in none of them; nil: 404
	asked     []string                    // method and path with query, without version
}

// newReplay listens on a unix socket and answers pings.
func newReplay(t *testing.T) *replay {
	t.Helper()
	dir, err := os.MkdirTemp("", "replay") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &replay{socket: filepath.Join(dir, "s"), answers: map[string]http.HandlerFunc{}}
	listener, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: r}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // ends when it is closed below
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	r.on("HEAD", "/_ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Ostype", "linux")
	})
	return r
}

// on answers a call by hand.
func (r *replay) on(method, path string, handle http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[method+" "+path] = handle
}

// file answers a call with a recording.
func (r *replay) file(t *testing.T, method, path, name string) {
	t.Helper()
	status, contentType, body := recording(t, name)
	r.on(method, path, func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "-" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client may leave
	})
}

var apiVersion = regexp.MustCompile(`^/v1\.\d+`)

func (r *replay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	uri := apiVersion.ReplaceAllString(request.URL.RequestURI(), "")
	path, _, _ := strings.Cut(uri, "?")
	r.mu.Lock()
	r.asked = append(r.asked, request.Method+" "+uri)
	handle := r.answers[request.Method+" "+path]
	r.mu.Unlock()
	if handle == nil {
		handle = r.otherwise
	}
	if handle == nil {
		http.Error(w, `{"message":"page not found"}`, http.StatusNotFound)
		return
	}
	handle(w, request)
}

// calls are the requests so far that begin so.
func (r *replay) calls(prefix string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, call := range r.asked {
		if strings.HasPrefix(call, prefix) {
			found = append(found, call)
		}
	}
	return found
}

// runtime is a Runtime that talks to the replay.
func (r *replay) runtime(t *testing.T) *Runtime {
	t.Helper()
	return runtimeAt(t, "unix://"+r.socket)
}

func runtimeAt(t *testing.T, host string) *Runtime {
	t.Helper()
	made, err := New(Config{Host: host}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

// recording reads one file of testdata.
func recording(t testing.TB, name string) (status int, contentType string, body []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := bytes.Cut(data, []byte("\n\n"))
	first, contentType, _ := strings.Cut(string(head), "\n")
	code, _, _ := strings.Cut(first, " ")
	status, err = strconv.Atoi(code)
	if !ok || err != nil {
		t.Fatalf("testdata/%s.txt doesn't begin with a status, a type and an empty line", name)
	}
	return status, contentType, body
}
