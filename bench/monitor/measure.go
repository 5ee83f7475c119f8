//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// result is what one contender did and used in one round.
type result struct {
	arrivals
	perCheck  float64 // CPU, in milliseconds
	rss, peak float64 // megabytes
	note      string  // what it said of itself
}

// measure runs one contender, lets it begin, and measures what it uses.
func measure(ctx context.Context, l load, contender string, t *targetProcess) (r result, err error) {
	program, warm, args, err := prepare(ctx, l, contender, t.address)
	if err != nil {
		return r, err
	}
	c, err := start(ctx, program, args...)
	if err != nil {
		return r, err
	}
	defer func() { r.note = c.stop() }()
	if err := sleep(ctx, warm); err != nil {
		return r, err
	}
	before, err := c.cpu()
	if err != nil {
		return r, err
	}
	if err := t.forget(ctx); err != nil {
		return r, err
	}
	if err := sleep(ctx, l.measure); err != nil {
		return r, err
	}
	if r.arrivals, err = t.report(ctx, l.interval); err != nil {
		return r, err
	}
	after, err := c.cpu()
	if err != nil {
		return r, err
	}
	r.perCheck = (after - before).Seconds() * 1000 / float64(max(r.Checks, 1))
	if r.rss, err = c.memory("VmRSS"); err != nil {
		return r, err
	}
	r.peak, err = c.memory("VmHWM")
	return r, err
}

// prepare is the program of a contender, its arguments, and how long it takes
// until every service of its is checked in its rhythm.
func prepare(ctx context.Context, l load, contender, address string) (program string, warm time.Duration, args []string, err error) {
	warm = max(3*time.Second, 2*l.interval)
	if contender == "gatus" {
		if program, err = buildGatus(ctx); err != nil {
			return "", 0, nil, fmt.Errorf("build Gatus: %w", err)
		}
		config, err := configureGatus(l, address)
		if err != nil {
			return "", 0, nil, err
		}
		os.Setenv("GATUS_CONFIG_PATH", config)
		os.Setenv("GATUS_LOG_LEVEL", "ERROR")
		return program, warm + gatusBetween*time.Duration(l.services), nil, nil
	}
	program, err = os.Executable()
	args = []string{"-role", contender, "-address", address, "-services", fmt.Sprint(l.services), "-interval", l.interval.String(), "-profile", l.profile}
	return program, warm, args, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
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
