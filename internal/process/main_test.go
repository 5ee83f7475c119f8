package process_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/process"
	"logstream/internal/process/demoservice"
)

// TestMain makes the test's binary be the children as well, and a parent that
// can be killed: real processes of a real program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case demoservice.Argument:
			os.Exit(demoservice.Main(os.Args[2:]))
		case "plain-service":
			plainService(os.Args[2])
		case "stubborn":
			stubborn()
		case "parent":
			parent(os.Args[2:])
		}
	}
	os.Exit(m.Run())
}

// plainService answers, and writes and exits as requested over HTTP.
func plainService(address string) {
	go leaveWithParent()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		os.Exit(0)
	}()
	http.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /exit", func(_ http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.FormValue("code"))
		os.Exit(code)
	})
	http.HandleFunc("POST /say", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(os.Stdout, r.Body)
		fmt.Println()
	})
	fmt.Println(http.Serve(listener, nil))
	os.Exit(1)
}

// stubborn ignores SIGTERM, and says so.
func stubborn() {
	signal.Ignore(syscall.SIGTERM)
	fmt.Println("ready")
	leaveWithParent()
}

func leaveWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// parent runs two demo services at these addresses, pauses the first, and says
// on a line which processes they are; then it waits to be killed.
func parent(addresses []string) {
	r := process.New(slog.New(slog.DiscardHandler), []process.Child{
		demo("paused", addresses[0]), demo("running", addresses[1]),
	})
	go func() { fmt.Println(r.Run(context.Background())) }()
	ctx := context.Background()
	var pids []string
	for _, name := range []string{"paused", "running"} {
		state, err := r.Find(ctx, name)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for len(pids) == 0 || name == "running" && len(pids) == 1 {
			lines, _ := r.Logs(ctx, state.ID, 10)
			if pid, ok := pidIn(lines); ok {
				pids = append(pids, pid)
			}
			time.Sleep(time.Millisecond)
		}
		if name == "paused" {
			if _, err := process.NewInjector(r).Inject(ctx, state.ID, container.FaultPause); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
	fmt.Println(strings.Join(pids, " "))
	select {}
}

// pidIn finds the process that a demo service said it is.
func pidIn(lines []container.Line) (string, bool) {
	for _, line := range lines {
		if _, pid, found := strings.Cut(line.Text, ", process "); found {
			return pid, true
		}
	}
	return "", false
}

// atOnce has a child that is built with the race detector end without the
// second that the detector waits for late reports.
var atOnce = []string{"GORACE=atexit_sleep_ms=0"}

func demo(name, address string) process.Child {
	return process.Child{Name: name, Args: []string{demoservice.Argument, name, address}, Env: atOnce}
}

// address is one on which nothing listens.
func address(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// run runs the children until the test ends, or stop is called.
func run(t *testing.T, children ...process.Child) (r *process.Runtime, stop func()) {
	t.Helper()
	r = process.New(slog.New(slog.NewTextHandler(t.Output(), nil)), children)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return r, stop
}

// eventually waits until the condition holds, and fails the test otherwise.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never came to be: %s", what)
		}
	}
}

func find(t *testing.T, r *process.Runtime, name string) container.State {
	t.Helper()
	state, err := r.Find(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// code is what GET of the address answers, or 0.
func code(address string) int {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get("http://" + address + "/")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, bufio.NewReader(response.Body))
	return response.StatusCode
}

func logs(t *testing.T, r *process.Runtime, id string) []string {
	t.Helper()
	lines, err := r.Logs(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = line.Text
	}
	return texts
}
