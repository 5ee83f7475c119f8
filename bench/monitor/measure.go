//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"logstream/bench/process"
)

// result is what one contender did and used in one round.
type result struct {
	arrivals
	perCheck  float64 // CPU, in milliseconds
	rss, peak float64 // megabytes
	note      string  // what it said of itself
}

// contender is a program that monitors, ready to be started.
type contender struct {
	program string
	args    []string
	env     []string
	warm    time.Duration // until every service of its is checked in its rhythm
	quiet   bool          // what it logs is not shown
	left    string        // a file or directory that it leaves; empty: none
}

// measure runs one contender, lets it begin, and measures what it uses.
func measure(ctx context.Context, l load, name string, t *targetProcess) (r result, err error) {
	of, err := prepare(ctx, l, name, t.address)
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(of.left)
	c, err := start(ctx, of)
	if err != nil {
		return r, err
	}
	defer func() { r.note = c.stop() }()
	if err := process.Sleep(ctx, of.warm); err != nil {
		return r, err
	}
	before, err := process.CPU(c.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	if err := t.forget(ctx); err != nil {
		return r, err
	}
	if err := process.Sleep(ctx, l.measure); err != nil {
		return r, err
	}
	if r.arrivals, err = t.report(ctx, l.interval); err != nil {
		return r, err
	}
	after, err := process.CPU(c.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	r.perCheck = (after - before).Seconds() * 1000 / float64(max(r.Checks, 1))
	if r.rss, err = process.Memory(c.cmd.Process.Pid, "VmRSS"); err != nil {
		return r, err
	}
	r.peak, err = process.Memory(c.cmd.Process.Pid, "VmHWM")
	return r, err
}

// prepare builds and configures a contender.
func prepare(ctx context.Context, l load, name, address string) (c contender, err error) {
	c.warm = l.interval + 3*time.Second
	switch name {
	case "gatus":
		c.warm += gatusBetween * time.Duration(l.services)
		if c.left, err = configureGatus(l, address); err != nil {
			return c, err
		}
		c.env = []string{"GATUS_CONFIG_PATH=" + c.left, "GATUS_LOG_LEVEL=ERROR"}
		c.program, err = buildGatus(ctx)
	case "whole":
		c.quiet = true
		c.warm += 5 * time.Second
		if c.left, err = configureWhole(l, address); err != nil {
			return c, err
		}
		c.args = []string{"run", "--config", filepath.Join(c.left, "config.yaml")}
		c.program, err = buildWhole(ctx)
	default:
		c.program, err = os.Executable()
		c.args = []string{"-role", name, "-address", address, "-services", fmt.Sprint(l.services), "-interval", l.interval.String(),
			"-keep-alive", l.keepAlive.String(), "-profile", l.profile}
	}
	return c, err
}

// median is the result in the middle by CPU, with the worst that any round missed.
func median(all []result) result {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b result) int {
		if a.perCheck < b.perCheck {
			return -1
		}
		return 1
	})
	r := sorted[len(sorted)/2]
	for _, other := range all {
		r.Missed = max(r.Missed, other.Missed)
	}
	return r
}

func cpu(r result) float64 { return r.perCheck }
func rss(r result) float64 { return r.rss }

// ratio is what one contender uses for each that the other does.
func ratio(results map[string][]result, of, to string, use func(result) float64) string {
	if len(results[to]) == 0 || of == to {
		return ""
	}
	return fmt.Sprintf("%.2f", use(median(results[of]))/use(median(results[to])))
}
