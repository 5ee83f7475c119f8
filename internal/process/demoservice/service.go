package demoservice

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// An answer takes from leastWait to leastWait+jitter, besides a little
	// work: about what a small service with a database near by takes.
	leastWait = 3 * time.Millisecond
	jitter    = 10 * time.Millisecond
	rounds    = 200 // of hashing, for each order: well under a millisecond
)

// service answers, and logs as services do.
type service struct {
	name    string
	started time.Time
	served  atomic.Int64
	failing atomic.Bool

	mu     sync.Mutex // of output, so that lines stay whole
	output io.Writer
}

func newService(name string, output io.Writer) *service {
	return &service{name: name, started: time.Now(), output: output}
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
	number := s.served.Add(1)
	receipt := work(s.name, number)
	pause := time.NewTimer(leastWait + rand.N(jitter))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-r.Context().Done():
		return
	}
	if s.failing.Load() {
		s.say("ERROR", "GET / 500 order %d: connection pool exhausted: no free connection after 3 attempts", number)
		answer(w, http.StatusInternalServerError, map[string]any{"service": s.name, "error": "connection pool exhausted"})
		return
	}
	s.say("INFO", "GET / 200 %.1fms order=%d", float64(time.Since(begun).Microseconds())/1000, number)
	answer(w, http.StatusOK, map[string]any{
		"service": s.name, "order": number, "receipt": receipt, "uptime_s": int(time.Since(s.started).Seconds()),
	})
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	if s.failing.Load() {
		answer(w, http.StatusInternalServerError, map[string]any{"service": s.name, "status": "failing"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"service": s.name, "status": "ok"})
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

// fail has every answer be 500 from here on.
func (s *service) fail() {
	s.failing.Store(true)
	s.say("ERROR", "connection pool exhausted: every connection is in use and none is given back")
}

// lastWords is what a panic looks like in a log.
func (s *service) lastWords() {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(s.output, "panic: runtime error: invalid memory address or nil pointer dereference\n"+
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f2a4c]\n"+
		"goroutine 37 [running]:\n"+
		"main.(*checkout).total(0x0)\n"+
		"\t/app/checkout.go:58 +0x4c\n")
}

// say writes one line to the log. A log without a reader stops nothing.
func (s *service) say(level, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	fmt.Fprintf(s.output, "%s %-5s %s\n", stamp, level, fmt.Sprintf(format, args...))
}
