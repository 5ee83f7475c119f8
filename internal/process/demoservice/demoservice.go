// Package demoservice is the small real HTTP service that the demo watches,
// breaks and repairs: a shop's payments, or its inventory.
//
// It runs as a child of package process: it leaves when its standard input
// closes, ends in order on SIGTERM, and carries out the faults whose names it
// reads on its standard input: exit (it panics and exits with code 1) and fail
// (it answers 500 until it is restarted).
package demoservice

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/container"
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
	maxOrder    = 64                    // bytes of a line on standard input
)

// Main runs the service with the arguments after Argument, which are its name
// and its listen address, such as payment-service 127.0.0.1:8080, and returns
// the exit code. Reading standard input can't be interrupted, so the process
// is to end when Main has returned.
func Main(args []string) int {
	if len(args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: logstream %s NAME ADDRESS (the demo starts these by itself)\n", Argument)
		return exitUsage
	}
	return run(args[0], args[1], os.Stdin, os.Stdout)
}

func run(name, address string, faults io.Reader, output io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	s := newService(name, output)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		s.say("ERROR", "cannot listen on %s: %v", address, err)
		return exitFailed
	}
	s.say("INFO", "%s listens on %s, process %d", name, listener.Addr(), os.Getpid())

	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: headTimeout}
	var group errgroup.Group
	failed := make(chan error, 1)
	supervise.Go(ctx, &group, "serve", func(context.Context) error {
		failed <- server.Serve(listener)
		return nil
	})
	left := make(chan int, 1)
	supervise.Go(ctx, &group, "faults", func(context.Context) error {
		left <- s.runFaults(faults)
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

// runFaults injects the faults that it reads until one is exit, or the parent is gone, and
// returns the exit code.
func (s *service) runFaults(faults io.Reader) int {
	lines := bufio.NewScanner(faults)
	lines.Buffer(nil, maxOrder)
	for lines.Scan() {
		switch lines.Text() {
		case container.FaultFail:
			s.fail()
		case container.FaultExit:
			s.lastWords()
			return exitFailed
		}
	}
	return exitDone
}
