package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// keptFaults is in the container's own layer, which a restart keeps: each line
// is the path of a fault that is in force from the start on.
const keptFaults = "/faults"

// spell is what is wrong with the answers of / from now on. The zero value:
// nothing.
type spell struct {
	slow   atomic.Int64           // nanoseconds before each answer
	flap   atomic.Int64           // nanoseconds of each good and of each bad time
	writes atomic.Pointer[string] // the folder that each answer writes into
	lookup atomic.Pointer[string] // the name that each answer resolves
	spoilt atomic.Bool            // the certificate is the expired one
	files  []*os.File             // that are held open
	memory [][]byte               // that is held
}

// routes adds the paths that cast the spell.
func (s *spell) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		s.slow.Store(int64(duration(r, "ms", time.Millisecond, 700*time.Millisecond)))
		fmt.Fprintln(w, "slow until the next start")
	})
	mux.HandleFunc("GET /flap", func(w http.ResponseWriter, r *http.Request) {
		s.flap.Store(int64(duration(r, "s", time.Second, 4*time.Second)))
		fmt.Fprintln(w, "good and bad in turns")
	})
	mux.HandleFunc("GET /write", func(w http.ResponseWriter, r *http.Request) {
		dir := r.URL.Query().Get("dir")
		s.writes.Store(&dir)
		fmt.Fprintln(w, "each answer writes")
	})
	mux.HandleFunc("GET /lookup", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("name")
		s.lookup.Store(&name)
		fmt.Fprintln(w, "each answer resolves a name")
	})
	mux.HandleFunc("GET /expire", func(w http.ResponseWriter, _ *http.Request) {
		s.spoilt.Store(true)
		fmt.Fprintln(w, "the certificate has expired")
	})
	mux.HandleFunc("GET /spin", func(http.ResponseWriter, *http.Request) { go spin() })
	mux.HandleFunc("GET /fill", func(w http.ResponseWriter, r *http.Request) { fill(w, r.URL.Query().Get("dir")) })
	mux.HandleFunc("GET /fds", func(w http.ResponseWriter, _ *http.Request) { s.openAll(w) })
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) {
		go func() { panic("runtime state is inconsistent") }()
	})
}

// broken is what the spell does to an answer of /: its status and why, or 0.
func (s *spell) broken(ctx context.Context) (status int, why error) {
	if slow := s.slow.Load(); slow > 0 {
		select {
		case <-time.After(time.Duration(slow)):
		case <-ctx.Done():
		}
	}
	if half := s.flap.Load(); half > 0 && time.Now().UnixNano()/half%2 == 0 {
		return http.StatusInternalServerError, errors.New("the connection pool is empty")
	}
	if name := s.lookup.Load(); name != nil {
		ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		if _, err := net.DefaultResolver.LookupHost(ctx, *name); err != nil {
			return http.StatusServiceUnavailable, err
		}
	}
	if dir := s.writes.Load(); dir != nil {
		switch err := write(*dir); {
		case errors.Is(err, syscall.ENOSPC):
			return http.StatusInsufficientStorage, err
		case err != nil:
			return http.StatusInternalServerError, err
		}
	}
	for need := range strings.SplitSeq(os.Getenv("NEEDS"), ",") {
		if err := get(ctx, need); err != nil {
			return http.StatusServiceUnavailable, err
		}
	}
	return 0, nil
}

// get says what is wrong with a service that this one needs.
func get(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close() // its status says it all
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", address, response.Status)
	}
	return nil
}

// write writes a new file, and removes it: in one that is there already a full
// file system would take as much as before.
func write(dir string) error {
	file, err := os.CreateTemp(dir, "answer")
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, 4096))
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// fill writes into the folder until there is no space left.
func fill(w http.ResponseWriter, dir string) {
	file, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	for piece := make([]byte, 64<<10); err == nil; {
		_, err = file.Write(piece)
	}
	fmt.Printf("ERROR write %s: %v\n", file.Name(), err)
	fmt.Fprintln(w, err)
}

// openAll opens files until no more may be open, keeps them, and takes each that
// is closed elsewhere.
func (s *spell) openAll(w http.ResponseWriter) {
	took := make(chan error, 1)
	go func() {
		for ; ; time.Sleep(time.Millisecond) {
			for {
				file, err := os.Open("/webapp")
				if err != nil {
					select {
					case took <- err:
					default:
					}
					break
				}
				s.files = append(s.files, file)
			}
		}
	}()
	err := <-took
	fmt.Printf("ERROR %v\n", err)
	fmt.Fprintln(w, err)
}

// leak takes that many MiB of memory, at most a hundred in a second, and touches
// it, so that it is really used.
func (s *spell) leak(megabytes int) {
	for range megabytes {
		piece := make([]byte, 1<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		s.memory = append(s.memory, piece)
		time.Sleep(10 * time.Millisecond)
	}
}

// spin takes a processor until the process ends.
func spin() {
	for {
		if time.Now().IsZero() {
			return
		}
	}
}

// keep writes a fault down, so that it is in force after every start as well.
func keep(path string) error {
	file, err := os.OpenFile(keptFaults, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, path)
	return errors.Join(err, file.Close())
}

// inForce casts what was kept.
func inForce(handler http.Handler) {
	kept, err := os.ReadFile(keptFaults)
	if err != nil {
		return
	}
	for path := range strings.Lines(string(kept)) {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, strings.TrimSpace(path), nil))
	}
}

// keeping keeps the faults that are asked for with ?lasting.
func keeping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if query.Has("lasting") {
			query.Del("lasting")
			if err := keep(r.URL.Path + "?" + query.Encode()); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func duration(r *http.Request, key string, unit, otherwise time.Duration) time.Duration {
	if n := number(r.URL.Query().Get(key), 0); n > 0 {
		return time.Duration(n) * unit
	}
	return otherwise
}

// noise logs errors of a dozen kinds, each every few seconds.
func noise() {
	for i := 0; ; i++ {
		for _, what := range strings.Fields("cart price tax stock coupon address invoice receipt parcel refund order label") {
			fmt.Printf("ERROR %s %d: column %s_total does not exist\n", what, i, what)
		}
		time.Sleep(3 * time.Second)
	}
}

// work is that of a job.
func work() {
	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGUSR2)
	select {
	case <-done:
	case <-time.After(time.Duration(number(os.Getenv("START"), 0)) * time.Second):
	}
	fmt.Println("INFO migrated")
}
