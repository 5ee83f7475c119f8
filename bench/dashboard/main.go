//go:build linux

// Command dashboard measures what it costs to push observations to many open
// pages: this project's dashboard beside the naive hub, which writes each event to
// each client, and beside github.com/centrifugal/centrifuge. Each server is a process
// of its own, so that the kernel says what it uses; events are written to its
// standard input, one a line.
//
//	go run ./bench/dashboard -clients 1000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// load is how many pages are open, and how long each server is measured.
type load struct {
	clients  int
	services int
	most     int // events a second: the search for what a server sustains begins here
	measure  time.Duration
	rounds   int
	stalled  int // clients that never read, in the second measurement; 0: none is made
	watch    int // services that each client watches, of logstream; 0: all
	deflate  bool
	known    map[string]int // events a second that a server is known to sustain: it is not searched
	limit    time.Duration  // of the p99 at which a server still keeps up
}

func main() {
	l := load{known: map[string]int{}}
	role := flag.String("role", "", "of a child process: naive, logstream")
	profile := flag.String("profile", "", "of a child process: where it writes a CPU profile")
	with := flag.String("with", "naive,centrifuge,batching,logstream,whole", "which servers are measured: naive, centrifuge, batching (the same with a write delay), logstream (its dashboard), whole (the program that people run)")
	flag.IntVar(&l.clients, "clients", 1000, "how many pages are open")
	flag.IntVar(&l.services, "services", 1000, "how many services the events are of")
	flag.IntVar(&l.most, "most", 1000, "events a second at which the search for the rate that a server sustains begins")
	flag.DurationVar(&l.measure, "measure", 8*time.Second, "how long each is measured, in each round")
	flag.IntVar(&l.rounds, "rounds", 3, "how often each is measured, in turns; medians are reported")
	flag.IntVar(&l.stalled, "stalled", 10, "clients that never read, in the second measurement")
	flag.IntVar(&l.watch, "watch", 0, "services that each client watches, of logstream and whole; 0: all")
	flag.BoolVar(&l.deflate, "deflate", false, "clients offer compression")
	flag.DurationVar(&l.limit, "limit", time.Second, "the p99 with which a server still sustains a rate; more on a machine that other work keeps busy")
	flag.Func("rate", "NAME=N: measure that server at N events a second, without a search; may be repeated", func(given string) error {
		name, rate, _ := strings.Cut(given, "=")
		n, err := strconv.Atoi(rate)
		l.known[name] = n
		return err
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *role, *profile, l, strings.Split(*with, ","), os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, role, profile string, l load, with []string, to io.Writer) error {
	switch role {
	case "":
		return compare(ctx, l, with, profile, to)
	case "naive":
		return profiled(profile, func() error { return naive(ctx) })
	case "logstream":
		return profiled(profile, func() error { return pages(ctx, l.services) })
	}
	return fmt.Errorf("unknown role %q", role)
}

// compare finds the highest rate that each server sustains, then measures them in
// turns, each at its own, and prints what they used.
func compare(ctx context.Context, l load, with []string, profile string, to io.Writer) error {
	var all []*contender
	for _, name := range with {
		c, err := prepare(ctx, name, l, profile)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
		defer c.clean()
		if c.rate = l.known[name]; c.rate > 0 {
			all = append(all, c)
			continue
		}
		if err := c.search(ctx, l); err != nil {
			return fmt.Errorf("search the rate of %s: %w", name, err)
		}
		all = append(all, c)
	}
	if same := all[len(all)-1].at(all[0].rate); all[0].rate < same.was { // batches are smaller where less happens
		all = append(all, same)
	}
	for range l.rounds {
		for _, c := range all {
			r, err := measure(ctx, l, c, c.rate, l.measure)
			if err != nil {
				return fmt.Errorf("measure %s: %w", c.name, err)
			}
			c.results = append(c.results, r)
		}
	}
	fmt.Fprintf(to, "%d clients, %d services, measured for %s in %d rounds; medians\n", l.clients, l.services, l.measure, l.rounds)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tsustained\tp50\tp99\tCPU\tCPU/event/client\tof naive\tRSS\tbytes/event/client\tframes/s/client\t")
	var floor float64
	for _, c := range all {
		r := median(c.results)
		if c.name == "naive" {
			floor = r.perDelivery
		}
		of := ""
		if floor > 0 && c.name != "naive" {
			of = fmt.Sprintf("%.2f", r.perDelivery/floor)
		}
		fmt.Fprintf(w, "%s\t%d/s%s\t%.0f ms\t%.0f ms\t%.0f%%\t%.3f µs\t%s\t%.0f MB\t%.0f\t%.1f\t\n", c.name, c.rate, r.mark(), r.p50, r.p99, 100*r.cpu, r.perDelivery, of, r.rss, r.bytes, r.frames)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if l.stalled == 0 {
		return nil
	}
	for _, c := range all {
		if c.name != "logstream" && c.name != "whole" {
			continue
		}
		without, with, err := besideStalled(ctx, l, c)
		if err != nil {
			return fmt.Errorf("beside clients that never read: %w", err)
		}
		fmt.Fprintf(to, "%s beside %d clients that never read: p99 %.0f ms, and %.0f ms without them; of the others' observations %.1f%% came\n", c.name, l.stalled, with.p99, without.p99, 100*with.came)
	}
	return nil
}
