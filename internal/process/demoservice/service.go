package demoservice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/retry"
)

const (
	// An answer takes from leastWait to leastWait+jitter, besides a little
	// work: about what a small service with a database near by takes.
	leastWait = 3 * time.Millisecond
	jitter    = 10 * time.Millisecond
	slowWait  = 550 * time.Millisecond // more, where it is slow: over the demo's latency limit, within its time-out
	rounds    = 200                    // of hashing, for each order: well under a millisecond
)

// service answers, and logs as services do.
type service struct {
	option
	started time.Time
	served  atomic.Int64
	failing atomic.Bool
	stuck   atomic.Bool // accepts, and never answers
	slow    atomic.Bool
	disk    disk
	files   files
	group   errgroup.Group // what a fault has running

	mu     sync.Mutex // of output, so that lines stay whole
	output io.Writer
}

func newService(o option, output io.Writer) *service {
	return &service{option: o, started: time.Now(), output: output, disk: disk{dir: o.data}}
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.order)
	mux.HandleFunc("GET /healthz", s.health)
	return mux
}

// order does a little work, and takes the time of a little more.
func (s *service) order(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	if s.hangs(r.Context()) {
		return
	}
	number := s.served.Add(1)
	receipt := work(s.name, number)
	wait := leastWait + rand.N(jitter)
	if s.slow.Load() {
		wait += slowWait
	}
	if !retry.Sleep(r.Context(), wait) {
		return
	}
	if code, why, err := s.book(r.Context(), number, receipt); err != nil {
		s.say("ERROR", "GET / %d order %d: %s: %v", code, number, why, err)
		answer(w, code, map[string]any{"service": s.name, "error": why})
		return
	}
	s.say("INFO", "GET / 200 %.1fms order=%d", float64(time.Since(begun).Microseconds())/1000, number)
	answer(w, http.StatusOK, map[string]any{
		"service": s.name, "order": number, "receipt": receipt, "uptime_s": int(time.Since(s.started).Seconds()),
	})
}

var errNoConnection = errors.New("no free connection after 3 attempts")

// book writes an order down. What fails has the code that it is answered with.
func (s *service) book(ctx context.Context, number int64, receipt string) (code int, why string, err error) {
	if s.failing.Load() {
		return http.StatusInternalServerError, "connection pool exhausted", errNoConnection
	}
	if s.needs != nil {
		if err := s.needs.query(ctx); err != nil {
			return http.StatusServiceUnavailable, s.needs.name + " cannot be reached", err
		}
	}
	if err := s.files.open(); err != nil {
		return http.StatusInternalServerError, "ledger cannot be opened", err
	}
	if err := s.disk.write(fmt.Sprintf("%d %s\n", number, receipt)); err != nil {
		return http.StatusInsufficientStorage, "order cannot be stored", err
	}
	return 0, "", nil
}

// hangs waits until the client has left, where the service answers nothing.
func (s *service) hangs(ctx context.Context) bool {
	if !s.stuck.Load() {
		return false
	}
	<-ctx.Done()
	return true
}

func (s *service) health(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.hangs(r.Context()):
	case s.failing.Load():
		answer(w, http.StatusInternalServerError, map[string]any{"service": s.name, "status": "failing"})
	default:
		answer(w, http.StatusOK, map[string]any{"service": s.name, "status": "ok"})
	}
}

// work is a receipt that takes some computing.
func work(name string, number int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, number))
	for range rounds {
		sum = sha256.Sum256(sum[:])
	}
	return hex.EncodeToString(sum[:8])
}

func answer(w http.ResponseWriter, code int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // a client that left has no use for the error
}

// say writes one line to the log. A log without a reader stops nothing.
func (s *service) say(level, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	fmt.Fprintf(s.output, "%s %-5s %s\n", stamp, level, fmt.Sprintf(format, args...))
}
