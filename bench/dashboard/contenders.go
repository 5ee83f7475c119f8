//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contender is a server that is measured.
type contender struct {
	name    string
	program string
	args    []string
	path    string // of its WebSocket
	hello   string // what a client sends first; empty: nothing
	post    bool   // events are posted to the API, and not written to its input
	dir     string // that it leaves; empty: none
	address string // where it listens; empty: it prints that

	rate    int // that it sustains
	was     int // of a contender at another's rate: its own
	results []result
}

func (c *contender) clean() {
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}

// at is the same contender at another rate.
func (c *contender) at(rate int) *contender {
	other := *c
	other.name, other.rate, other.was, other.results = c.name+" at that rate", rate, c.rate, nil
	return &other
}

// prepare builds and configures a contender.
func prepare(ctx context.Context, name string, l load, profile string) (c *contender, err error) {
	c = &contender{name: name, path: "/ws"}
	watch := ""
	if l.watch > 0 {
		var names []string
		for i := range l.watch {
			names = append(names, `"`+serviceName(i)+`"`)
		}
		watch = `{"type":"watch","services":[` + strings.Join(names, ",") + `]}`
	}
	switch name {
	case "naive", "logstream":
		c.program, err = os.Executable()
		c.args = []string{"-role", name, "-services", fmt.Sprint(l.services)}
		if profile != "" {
			c.args = append(c.args, "-profile", profile+"."+name)
		}
		if name == "logstream" {
			c.hello = watch
		}
	case "centrifuge", "batching":
		c.path, c.hello = "/connection/websocket", `{"id":1,"connect":{}}`
		if name == "batching" {
			c.args = []string{"-delay", "100ms"}
		}
		c.program, err = build(ctx, "bench/dashboard/centrifuge", "centrifuge")
	case "whole":
		c.hello, c.post = watch, true
		if c.program, err = build(ctx, ".", "logstream"); err != nil {
			return c, err
		}
		if c.dir, c.address, err = configure(l); err != nil {
			return c, err
		}
		c.args = []string{"run", "--config", filepath.Join(c.dir, "config.yaml")}
	default:
		err = fmt.Errorf("unknown server %q", name)
	}
	return c, err
}

// build builds the program in dir, which may be a module of its own.
func build(ctx context.Context, dir, name string) (string, error) {
	program := filepath.Join(os.TempDir(), "logstream-bench-"+name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, ".")
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return program, cmd.Run()
}

// configure writes a configuration of services that report by themselves, in a
// directory that is for the data as well.
func configure(l load) (dir, address string, err error) {
	if dir, err = os.MkdirTemp("", "logstream-bench-"); err != nil {
		return "", "", err
	}
	if address, err = freeAddress(); err != nil {
		return dir, "", err
	}
	file, err := os.Create(filepath.Join(dir, "config.yaml"))
	if err != nil {
		return dir, "", err
	}
	defer file.Close()
	fmt.Fprintf(file, "bus: {embedded: {listen: \"127.0.0.1:0\", data: %q}}\ndocker: {host: \"unix://%s/none.sock\"}\ndashboard: {listen: %q}\nhealer: {mode: observe, decide: runbook}\nservices:\n", filepath.Join(dir, "data"), dir, address)
	for i := range l.services {
		fmt.Fprintf(file, "- {name: %s, url: \"push://\", interval: 1h}\n", serviceName(i))
	}
	return dir, address, nil
}

// serviceName is the name of a service.
func serviceName(i int) string { return fmt.Sprintf("service-%04d", i) }
