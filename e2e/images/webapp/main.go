// Command webapp is the service that the end-to-end tests break: a small HTTP
// server whose faults are asked for by path or by environment. With ?lasting a
// fault is in force after every restart of the container as well; without, until
// the process ends.
//
//	GET /           200 "ok", or what the fault in force says
//	GET /fail?s=    every answer of / is a 500 (for s seconds)
//	GET /hang?s=    / accepts and never answers (for s seconds)
//	GET /busy       the same, and a processor is busy
//	GET /spin       a processor is busy
//	GET /slow?ms=   / answers after so many milliseconds
//	GET /flap?s=    / answers 200 for s seconds, then 500 for as long, and so on
//	GET /write?dir= each answer of / writes a file there: 507 where it is full, else 500
//	GET /fill?dir=  fills that folder
//	GET /fds        opens files until no more may be open
//	GET /lookup?name= each answer of / resolves that name, else it is a 503
//	GET /expire     the certificate is the expired one
//	GET /exit?code= ends the process with that code (default 1)
//	GET /panic      ends it with a panic
//	GET /leak?mb=   takes so much memory (default: until the kernel ends it)
//	POST /log       writes the body and a line's end to standard output
//
//	ADDR=:8080      where it listens
//	NEEDS=urls      / requests them first, and is a 503 where one is not a 200
//	CERTIFICATE, EXPIRED, KEY=  PEM: it speaks TLS
//	START=s         it listens only after s seconds
//	MODE=500        / answers 500 from the first moment on
//	MODE=done       it ends with 0 after START, or at SIGUSR2, as a job does
//	MODE=noisy      it answers, and logs errors, of a dozen kinds
//	MODE=exit       it ends with CODE (default 78) right after its start
//	STOP=ignore     SIGTERM and SIGQUIT do nothing
//
// With the argument -check it requests / of the server beside it and ends with 0
// if that answers 200: what a HEALTHCHECK runs. With -leak it takes memory until the
// kernel ends it.
package main

import (
	"context"
	"crypto/tls"
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

func main() {
	addr := os.Getenv("ADDR")
	if addr == "" {
		addr = ":8080"
	}
	if len(os.Args) > 1 && os.Args[1] == "-check" {
		os.Exit(check(addr))
	}
	if len(os.Args) > 1 && os.Args[1] == "-leak" {
		// Of all processes of the container the kernel ends this one first.
		if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		(&spell{}).leak(1 << 16)
	}
	if os.Getenv("MODE") == "done" {
		work()
		return
	}
	if os.Getenv("MODE") == "noisy" {
		go noise()
	}
	if os.Getenv("MODE") == "exit" {
		fmt.Println("ERROR configuration: MODE=exit")
		os.Exit(number(os.Getenv("CODE"), 78))
	}
	obeyStop()

	var fault atomic.Int32
	if os.Getenv("MODE") == "500" {
		fault.Store(failing)
	}
	spell := &spell{}
	handler := routes(&fault, spell)
	inForce(handler)
	time.Sleep(time.Duration(number(os.Getenv("START"), 0)) * time.Second)
	server := &http.Server{Addr: addr, Handler: keeping(handler), ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("INFO listening on %s\n", addr)
	err := serve(server, spell)
	if !errors.Is(err, http.ErrServerClosed) {
		fmt.Printf("ERROR listen on %s: %v\n", addr, err)
		os.Exit(1)
	}
	select {} // it listens no more, and runs on
}

// serve serves, over TLS where there is a certificate.
func serve(server *http.Server, spell *spell) error {
	if os.Getenv("CERTIFICATE") == "" {
		return server.ListenAndServe()
	}
	certificates := map[bool]*tls.Certificate{}
	for spoilt, name := range map[bool]string{false: "CERTIFICATE", true: "EXPIRED"} {
		certificate, err := tls.X509KeyPair([]byte(os.Getenv(name)), []byte(os.Getenv("KEY")))
		if err != nil {
			return err
		}
		certificates[spoilt] = &certificate
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return certificates[spell.spoilt.Load()], nil
	}}
	return server.ListenAndServeTLS("", "")
}

func routes(fault *atomic.Int32, spell *spell) http.Handler {
	mux := http.NewServeMux()
	spell.routes(mux)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		switch fault.Load() {
		case failing:
			fmt.Println("ERROR GET / 500 the database said no")
			http.Error(w, "the database said no", http.StatusInternalServerError)
			return
		case hanging:
			<-r.Context().Done()
			return
		}
		if status, why := spell.broken(r.Context()); status != 0 {
			fmt.Printf("ERROR GET / %d %v\n", status, why)
			http.Error(w, why.Error(), status)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	set := func(to int32) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			fault.Store(to)
			if limit := duration(r, "s", time.Second, 0); limit > 0 {
				time.AfterFunc(limit, func() { fault.Store(healthy) })
			}
			fmt.Fprintln(w, "broken")
		}
	}
	mux.HandleFunc("GET /fail", set(failing))
	mux.HandleFunc("GET /hang", set(hanging))
	mux.HandleFunc("GET /unlisten", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "listens no more")
		if server, is := r.Context().Value(http.ServerContextKey).(*http.Server); is {
			go func() { _ = server.Shutdown(context.Background()) }() // it ends with this answer
		}
	})
	mux.HandleFunc("GET /busy", func(w http.ResponseWriter, r *http.Request) {
		go spin()
		set(hanging)(w, r)
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
	mux.HandleFunc("GET /leak", func(_ http.ResponseWriter, r *http.Request) { go spell.leak(number(r.URL.Query().Get("mb"), 1<<16)) })
	return mux
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
	client, scheme := http.Client{Timeout: time.Second}, "http"
	if os.Getenv("CERTIFICATE") != "" { // whose it is matters to others
		scheme, client.Transport = "https", &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	}
	response, err := client.Get(scheme + "://127.0.0.1" + addr[strings.LastIndex(addr, ":"):])
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
