//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
)

// arrivals is what the targets saw since they were last reset: of
// every contender the same, since it is seen from outside of all.
type arrivals struct {
	Checks int
	Missed int     // that an even rhythm would have had between a service's first and last
	P50    float64 // milliseconds after the moment that the service's rhythm asks for
	P99    float64
	Max    float64
}

// targets answer every path with a few bytes, and note when they were requested.
type targets struct {
	mu   sync.Mutex
	seen map[string][]time.Time
}

func serveTargets(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t := &targets{seen: map[string][]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/forget", func(http.ResponseWriter, *http.Request) { t.forget() })
	mux.HandleFunc("/report", t.report)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.note(r.URL.Path, time.Now())
		io.WriteString(w, `{"status":"ok"}`)
	})
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: mux}
	var group errgroup.Group
	supervise.Go(ctx, &group, "targets", func(context.Context) error { return server.Serve(listener) })
	<-ctx.Done()
	server.Close()
	group.Wait()
	return nil
}

func (t *targets) note(path string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen[path] = append(t.seen[path], at)
}

func (t *targets) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for path := range t.seen {
		t.seen[path] = t.seen[path][:0]
	}
}

// report measures each service's arrivals against its own rhythm: the grid of
// the interval on which none of them was early.
func (t *targets) report(w http.ResponseWriter, r *http.Request) {
	interval, err := time.ParseDuration(r.URL.Query().Get("interval"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var a arrivals
	var late []float64
	for _, at := range t.seen {
		a.Checks += len(at)
		if len(at) < 2 {
			continue
		}
		a.Missed += max(0, int(at[len(at)-1].Sub(at[0]).Round(interval)/interval)+1-len(at))
		late = append(late, offGrid(at, interval)...)
	}
	if len(late) > 0 {
		slices.Sort(late)
		a.P50, a.P99, a.Max = late[len(late)/2], late[len(late)*99/100], late[len(late)-1]
	}
	json.NewEncoder(w).Encode(a)
}

// offGrid is by how many milliseconds each arrival was later than the grid on
// which the earliest is punctual.
func offGrid(at []time.Time, interval time.Duration) []float64 {
	off := make([]time.Duration, len(at))
	for i, when := range at {
		since := when.Sub(at[0])
		off[i] = since - since.Round(interval)
	}
	first := slices.Min(off)
	late := make([]float64, len(at))
	for i := range off {
		late[i] = float64(off[i]-first) / float64(time.Millisecond)
	}
	return late
}

// targetProcess is the targets as the process that compares has them.
type targetProcess struct {
	*child
	address string
}

func startTargets(ctx context.Context) (*targetProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, contender{program: self, args: []string{"-role", "targets"}})
	if err != nil {
		return nil, err
	}
	address, err := c.line()
	return &targetProcess{c, address}, err
}

func (t *targetProcess) forget(ctx context.Context) error {
	_, err := t.get(ctx, "/forget")
	return err
}

func (t *targetProcess) report(ctx context.Context, interval time.Duration) (a arrivals, err error) {
	body, err := t.get(ctx, "/report?interval="+interval.String())
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(body, &a)
}

func (t *targetProcess) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.address+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}
