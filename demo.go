package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"logstream/internal/config"
	"logstream/internal/process"
	"logstream/internal/process/demoservice"
)

// runDemo runs everything over three child processes, on free ports and in a
// fresh directory, which is removed at the end.
func runDemo(cmd *cobra.Command) error {
	dir, err := os.MkdirTemp("", "logstream-demo-")
	if err != nil {
		return startupFailure{fmt.Errorf("make a directory for the demo: %w: set TMPDIR to a directory that can be written", err)}
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "logstream: the demo's directory cannot be removed: %v\n", err)
		}
	}()
	s, err := demoSetup(dir)
	if err != nil {
		return startupFailure{err}
	}
	return serve(cmd, s)
}

// demoSetup is the demo's configuration and its children.
func demoSetup(dir string) (setup, error) {
	ports, err := freePorts(5000, 9092, 8080, 8081, 8082)
	if err != nil {
		return setup{}, err
	}
	at := config.DemoPlaces{Dashboard: ports[0], Broker: ports[1], Payment: ports[2], Inventory: ports[3], Database: ports[4], Data: dir}
	c, report := config.Demo(at)
	if len(report.Errors) > 0 {
		return setup{}, fmt.Errorf("the demo's own configuration: %s", report.Errors[0]) // a bug, which a test would find
	}
	child := func(name, address string, options ...string) process.Child {
		args := append([]string{demoservice.Argument, name, address, "data=" + filepath.Join(dir, name)}, options...)
		return process.Child{Name: name, Args: args, Env: os.Environ()}
	}
	// The database comes first, so that the inventory finds it.
	return setup{config: c, demo: true, listening: []string{at.Database, at.Payment, at.Inventory}, children: []process.Child{
		child("database", at.Database), child("payment-service", at.Payment), child("inventory-service", at.Inventory, "needs=database@"+at.Database),
	}}, nil
}

// How long the monitor waits for the demo's services, and between two tries.
const (
	listenWithin = 3 * time.Second
	listenEvery  = 20 * time.Millisecond
)

// afterListening lets run begin once the addresses accept connections, or
// listenWithin has gone. So what it sees first is a service, and not that its
// process has only just been started. When run is run again, it begins at once.
func afterListening(addresses []string, run func(context.Context) error) func(context.Context) error {
	var first sync.Once
	return func(ctx context.Context) error {
		first.Do(func() { awaitListening(ctx, addresses) })
		return run(ctx)
	}
}

func awaitListening(ctx context.Context, addresses []string) {
	ctx, cancel := context.WithTimeout(ctx, listenWithin)
	defer cancel()
	try := time.NewTicker(listenEvery)
	defer try.Stop()
	for _, address := range addresses {
		for !accepts(ctx, address) {
			select {
			case <-ctx.Done():
				return
			case <-try.C:
			}
		}
	}
}

func accepts(ctx context.Context, address string) bool {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

const portsTried = 200 // from the wanted one up

// freePorts are free addresses on loopback: each the wanted port or
// the next free one, all different.
func freePorts(wanted ...int) ([]string, error) {
	var free []string
	for _, from := range wanted {
		address, holder, err := freePort(from)
		if err != nil {
			return nil, err
		}
		defer holder.Close() // until all are chosen: so they differ
		free = append(free, address)
	}
	return free, nil
}

func freePort(from int) (string, net.Listener, error) {
	var err error
	for port := from; port < from+portsTried; port++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l, nil
		}
	}
	return "", nil, fmt.Errorf("no port from %d to %d is free: %w", from, from+portsTried-1, err)
}
