package sockproxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// behind is a proxy before a small engine, which counts the starts that took
// effect and streams one event.
func behind(t *testing.T) (*Proxy, *http.Client, *atomic.Int32) {
	t.Helper()
	dir, err := os.MkdirTemp("", "proxy") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var starts atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1.41/containers/{id}/start", func(w http.ResponseWriter, _ *http.Request) {
		starts.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /v1.41/events", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "event")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	listener, err := net.Listen("unix", filepath.Join(dir, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	engine := &http.Server{Handler: mux}
	served := make(chan error)
	go func() { served <- engine.Serve(listener) }()
	t.Cleanup(func() {
		_ = engine.Close()
		<-served
	})
	proxy, err := New(filepath.Join(dir, "proxy"), filepath.Join(dir, "engine"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "proxy"))
	}}}
	return proxy, client, &starts
}

func start(t *testing.T, client *http.Client, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/v1.41/containers/x/start", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusNoContent {
		t.Errorf("it answers %s, want the engine's 204", response.Status)
	}
	return response.Body.Close()
}

func TestRules(t *testing.T) {
	const limit = 5 * time.Second
	for _, test := range []struct {
		name     string
		rule     Rule
		answered bool
		effects  int32
	}{
		{"pass", Rule{}, true, 1},
		{"drop", Rule{Outcome: Drop}, false, 1},
		{"refuse", Rule{Outcome: Refuse}, false, 0},
		{"another method", Rule{Method: "GET", Outcome: Refuse}, true, 1},
		{"another path", Rule{Path: "/containers/*/stop", Outcome: Refuse}, true, 1},
		{"this path", Rule{Method: "POST", Path: "/containers/*/start", Outcome: Refuse}, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy, client, starts := behind(t)
			proxy.Set(test.rule)
			if err := start(t, client, limit); (err == nil) != test.answered {
				t.Errorf("the caller got %v, want an answer: %v", err, test.answered)
			}
			if got := starts.Load(); got != test.effects {
				t.Errorf("%d starts took effect, want %d", got, test.effects)
			}
			if calls := proxy.Calls("POST", "/containers/*/start"); len(calls) != 1 {
				t.Errorf("the calls are %v, want one", calls)
			}
		})
	}
}

func TestHang(t *testing.T) {
	proxy, client, starts := behind(t)
	proxy.Set(Rule{Outcome: Hang})
	if err := start(t, client, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller got %v, want its deadline", err)
	}
	if starts.Load() != 0 {
		t.Error("the start took effect")
	}
}

func TestDelayAndHooks(t *testing.T) {
	proxy, client, starts := behind(t)
	var before, after int32 = -1, -1
	proxy.Set(Rule{Delay: 30 * time.Millisecond, Before: func() { before = starts.Load() }, After: func() { after = starts.Load() }})
	began := time.Now()
	if err := start(t, client, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("it took %v, less than the delay", took)
	}
	if before != 0 || after != 1 {
		t.Errorf("%d starts before the call and %d after, want 0 and 1", before, after)
	}
}

func TestTimes(t *testing.T) {
	proxy, client, _ := behind(t)
	proxy.Set(Rule{Outcome: Drop, Times: 2})
	for i, answered := range []bool{false, false, true, true} {
		if err := start(t, client, 5*time.Second); (err == nil) != answered {
			t.Errorf("call %d got %v, want an answer: %v", i+1, err, answered)
		}
	}
}

func TestStreamIsCut(t *testing.T) {
	proxy, client, _ := behind(t)
	response, err := client.Get("http://engine/v1.41/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	if !lines.Scan() || lines.Text() != "event" {
		t.Fatalf("the stream begins with %q and %v, want the event at once", lines.Text(), lines.Err())
	}
	if n := proxy.CutStreams(); n != 1 {
		t.Errorf("%d streams were cut, want 1", n)
	}
	if lines.Scan() || lines.Err() == nil {
		t.Errorf("the stream goes on with %q, or ended in good order", lines.Text())
	}
}

func TestVanishedProxyAnswersNothing(t *testing.T) {
	proxy, client, starts := behind(t)
	if err := proxy.Vanish(); err != nil {
		t.Fatal(err)
	}
	if err := start(t, client, 5*time.Second); err == nil {
		t.Error("a proxy that vanished answers")
	}
	if err := proxy.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := start(t, client, 5*time.Second); err != nil || starts.Load() != 1 {
		t.Errorf("a proxy that is back gives %v and %d starts, want none and 1", err, starts.Load())
	}
}
