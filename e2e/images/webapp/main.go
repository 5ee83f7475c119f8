// Command webapp is the service that the end-to-end tests break: a small HTTP
// server whose faults are asked for by path or by environment.
//
//	GET /           200 "ok", or what the fault in force says
//	GET /fail       from now on every answer of / is a 500, until the process ends
//	GET /fail?lasting=1 … and after every restart of the container as well
//	GET /hang       from now on / accepts and never answers
//	GET /exit?code= ends the process with that code (default 1)
//	GET /leak       takes memory until the kernel ends it
//	POST /log       writes the body and a line's end to standard output
//
//	ADDR=:8080      where it listens
//	MODE=500        / answers 500 from the first moment on
//	NEEDS=http://db:8080/ / fetches that first, and answers 503 where it fails
//	MODE=exit       it ends with CODE (default 78) right after its start
//	STOP=ignore     SIGTERM and SIGQUIT do nothing
//
// With the argument -check it asks the server beside it for / and ends with 0
// if that answers 200: what a HEALTHCHECK runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// The faults of the root path.
const (
	healthy int32 = iota
	failing
	hanging
)

// lastingFile is in the container's own layer: a restart keeps it.
const lastingFile = "/failing"

func main() {
	addr := os.Getenv("ADDR")
	if addr == "" {
		addr = ":8080"
	}
	if len(os.Args) > 1 && os.Args[1] == "-check" {
		os.Exit(check(addr))
	}
	if os.Getenv("MODE") == "exit" {
		fmt.Println("ERROR configuration: MODE=exit")
		os.Exit(number(os.Getenv("CODE"), 78))
	}
	obeyStop()

	var fault atomic.Int32
	if _, err := os.Stat(lastingFile); err == nil || os.Getenv("MODE") == "500" {
		fault.Store(failing)
	}
	server := &http.Server{Addr: addr, Handler: routes(&fault), ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("INFO listening on %s\n", addr)
	err := server.ListenAndServe()
	if !errors.Is(err, http.ErrServerClosed) {
		fmt.Printf("ERROR listen on %s: %v\n", addr, err)
		os.Exit(1)
	}
}

func routes(fault *atomic.Int32) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		switch fault.Load() {
		case failing:
			fmt.Println("ERROR GET / 500 the database said no")
			http.Error(w, "the database said no", http.StatusInternalServerError)
		case hanging:
			<-r.Context().Done()
		default:
			if err := fetch(r.Context(), os.Getenv("NEEDS")); err != nil {
				fmt.Printf("ERROR GET / 503 %v\n", err)
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			fmt.Fprintln(w, "ok")
		}
	})
	mux.HandleFunc("GET /fail", func(w http.ResponseWriter, r *http.Request) {
		fault.Store(failing)
		if r.URL.Query().Has("lasting") {
			if err := os.WriteFile(lastingFile, nil, 0o600); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		fmt.Fprintln(w, "failing until the next start")
	})
	mux.HandleFunc("GET /hang", func(w http.ResponseWriter, _ *http.Request) {
		fault.Store(hanging)
		fmt.Fprintln(w, "hanging until the next start")
	})
	mux.HandleFunc("GET /exit", func(_ http.ResponseWriter, r *http.Request) {
		code := number(r.URL.Query().Get("code"), 1)
		fmt.Printf("ERROR exiting with code %d\n", code)
		os.Exit(code)
	})
	mux.HandleFunc("POST /log", func(w http.ResponseWriter, r *http.Request) {
		line, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println(string(line))
		fmt.Fprintln(w, "written")
	})
	mux.HandleFunc("GET /leak", func(http.ResponseWriter, *http.Request) { leak() })
	return mux
}

// fetch is what it needs of another service, where there is one.
func fetch(ctx context.Context, url string) error {
	if url == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// leak takes memory and touches it, so that it is really used.
func leak() {
	var kept [][]byte
	for {
		piece := make([]byte, 1<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		kept = append(kept, piece)
		if len(kept) > 1<<16 {
			return // 64 GiB: no limit was set
		}
	}
}

// obeyStop ends the process at a stop signal, or makes it deaf to it. A
// process with ID 1 ignores signals that it doesn't handle, so one way or the
// other it has to be said.
func obeyStop() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGINT)
	deaf := os.Getenv("STOP") == "ignore"
	go func() {
		for s := range signals {
			fmt.Printf("INFO signal %v\n", s)
			if !deaf {
				os.Exit(0)
			}
		}
	}()
}

// check is the exit code of a health check.
func check(addr string) int {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get("http://127.0.0.1" + addr[strings.LastIndex(addr, ":"):])
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = response.Body.Close() // its status says it all
	if response.StatusCode != http.StatusOK {
		fmt.Println(response.Status)
		return 1
	}
	return 0
}

func number(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return otherwise
	}
	return n
}
