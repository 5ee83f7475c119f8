// Package demoservice is the small real HTTP service that the demo watches,
// breaks and repairs: a shop's payments, its inventory, or the database that the
// inventory needs.
//
// It runs as a child of package process: it leaves when its standard input
// closes, ends in order on SIGTERM, and executes the faults whose names it
// reads on its standard input: see faults.go. All but disk are over when it is
// restarted; "undo disk" frees the disk.
package demoservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"logstream/internal/supervise"
)

// Argument is the first argument with which the program is this service.
const Argument = "demo-service"

// How it ends.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

const (
	stopTimeout = 80 * time.Millisecond // for requests under way
	headTimeout = 5 * time.Second       // for a request's header
)

// Main runs the service with the arguments after Argument, and returns the exit
// code. They are its name and its listen address, such as payment-service
// 127.0.0.1:8080, and then what options names. Reading standard input can't be
// interrupted, so the process is to end when Main has returned.
func Main(args []string) int {
	o, err := options(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\nusage: logstream %s NAME ADDRESS [needs=NAME@ADDRESS] [data=DIR] [memory=MIB] (the demo starts these by itself)\n", err, Argument)
		return exitUsage
	}
	return run(o, os.Stdin, os.Stdout)
}

// option is what a service is started with.
type option struct {
	name, address string
	needs         *dependency // answers 503 while it does not answer; nil: none
	data          string      // directory of what it writes; empty: one of its own below the temporary directory
	memory        int         // MiB that a leak may take
}

const defaultMemory = 256 // MiB

func options(args []string) (option, error) {
	if len(args) < 2 {
		return option{}, errors.New("a name and an address are needed")
	}
	o := option{name: args[0], address: args[1], memory: defaultMemory}
	for _, arg := range args[2:] {
		key, value, _ := strings.Cut(arg, "=")
		var err error
		switch key {
		case "needs":
			o.needs, err = needs(value)
		case "data":
			o.data = value
		case "memory":
			o.memory, err = strconv.Atoi(value)
		default:
			err = errors.New("unknown")
		}
		if err != nil {
			return option{}, fmt.Errorf("%q: %w", arg, err)
		}
	}
	if o.data == "" {
		// The same over restarts, and another for each parent.
		o.data = filepath.Join(os.TempDir(), fmt.Sprintf("logstream-%s-%d", o.name, os.Getppid()))
	}
	return o, nil
}

func run(o option, faults io.Reader, output io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	s := newService(o, output)
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		s.say("ERROR", "cannot listen on %s: %v", o.address, err)
		return exitFailed
	}
	s.say("INFO", "%s listens on %s, process %d", o.name, listener.Addr(), os.Getpid())

	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: headTimeout}
	failed := make(chan error, 1)
	supervise.Go(ctx, &s.group, "serve", func(context.Context) error {
		failed <- server.Serve(listener)
		return nil
	})
	left := make(chan int, 1)
	supervise.Go(ctx, &s.group, "faults", func(ctx context.Context) error {
		left <- s.runFaults(ctx, faults)
		return nil
	})
	select {
	case code := <-left:
		return code
	case err := <-failed:
		s.say("ERROR", "stopped serving: %v", err)
		return exitFailed
	case <-ctx.Done():
		s.say("INFO", "stopping")
		s.shutdown(server)
		return exitDone
	}
}

// shutdown lets the requests under way finish, and doesn't wait long for them.
func (s *service) shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.say("WARN", "requests were cut off: %v", errors.Join(err, server.Close()))
	}
}
