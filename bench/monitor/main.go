//go:build linux

// Command monitor measures what monitoring costs: this project's checks, every
// one of them published to the embedded broker, beside a raw net/http loop and
// beside Gatus, with the same targets in the same run. Each is a process of its
// own, and so are the targets, so that the kernel says what each of them uses.
//
//	go run ./bench/monitor -services 1000 -interval 1s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"logstream/internal/service"
)

// load is how much is monitored, and how long it is measured.
type load struct {
	services int
	interval time.Duration
	measure  time.Duration
	rounds   int

	keepAlive time.Duration
	profile   string // where the monitor writes a CPU profile; empty: nowhere
}

func main() {
	var l load
	role := flag.String("role", "", "of a child process: targets, naive, logstream")
	against := flag.String("with", "naive,logstream", "who is measured: naive, logstream, gatus, whole (the program that people run)")
	address := flag.String("address", "", "of the targets, for a child process")
	flag.IntVar(&l.services, "services", 1000, "how many are monitored")
	flag.DurationVar(&l.interval, "interval", time.Second, "of each service's checks")
	flag.DurationVar(&l.measure, "measure", 10*time.Second, "how long each is measured, in each round")
	flag.DurationVar(&l.keepAlive, "keep-alive", service.Default().KeepAlive, "keep_alive of the services: after it logstream makes a new connection, which the raw loop never does")
	flag.IntVar(&l.rounds, "rounds", 1, "how often each is measured, in turns; medians are reported")
	flag.StringVar(&l.profile, "profile", "", "file for a CPU profile of the monitor, and with .heap of its memory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := map[string]func() error{
		"":          func() error { return compare(ctx, l, strings.Split(*against, ",")) },
		"targets":   func() error { return serveTargets(ctx) },
		"naive":     func() error { return naive(ctx, l, *address) },
		"logstream": func() error { return monitorAll(ctx, l, *address) },
	}[*role]
	if run == nil {
		run = func() error { return fmt.Errorf("unknown role %q", *role) }
	}
	if err := run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// serviceName is what the targets call a service.
func serviceName(i int) string { return fmt.Sprintf("service-%05d", i) }

// compare measures each contender in turn, and prints what it used.
func compare(ctx context.Context, l load, contenders []string) error {
	targets, err := startTargets(ctx)
	if err != nil {
		return err
	}
	defer targets.stop()
	results := map[string][]result{}
	for range l.rounds {
		for _, name := range contenders {
			r, err := measure(ctx, l, name, targets)
			if err != nil {
				return fmt.Errorf("measure %s: %w", name, err)
			}
			results[name] = append(results[name], r)
		}
	}
	fmt.Printf("%d services each %s, measured for %s in %d rounds; medians\n", l.services, l.interval, l.measure, l.rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tchecks\tmissed\tlate p50\tp99\tmax\tCPU/check\tRSS\tpeak\tCPU of naive\tof Gatus\tRSS of Gatus\t")
	for _, name := range contenders {
		r := median(results[name])
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f ms\t%.2f ms\t%.1f ms\t%.3f ms\t%.0f MB\t%.0f MB\t%s\t%s\t%s\t\n", name,
			r.Checks, r.Missed, r.P50, r.P99, r.Max, r.perCheck, r.rss, r.peak,
			ratio(results, name, "naive", cpu), ratio(results, name, "gatus", cpu), ratio(results, name, "gatus", rss))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range results["logstream"] {
		fmt.Print(r.note)
	}
	return nil
}
