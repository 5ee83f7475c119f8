//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"logstream/bench/process"
)

// result is what one server did and used in one round.
type result struct {
	p50, p99    float64 // milliseconds from when an event was made until a page had it
	later       float64 // the p99 of the second half, in which a backlog shows
	came        float64 // share of the events that came to the pages that look
	even        bool    // no page was left behind or disconnected
	held        bool    // the server kept up
	cpu         float64 // cores
	perDelivery float64 // microseconds of CPU an event and client
	rss         float64 // megabytes
	bytes       float64 // an event and client
	frames      float64 // a second and client
}

// sustained says whether the server kept up.
func (r result) sustained(l load) bool {
	limit := float64(l.limit.Milliseconds())
	return r.p99 < limit && r.later < 1.5*r.p99+limit/10 && r.came > 0.999 && r.even
}

func (r result) mark() string {
	if r.held {
		return ""
	}
	return " (not in each round)"
}

// rates are those that are tried, a quarter apart.
func rates(most int) []int {
	var all []int
	for rate := float64(most); rate >= 5; rate *= 0.75 {
		all = append(all, int(rate))
	}
	return all
}

const tryFor = 5 * time.Second

// search finds the highest rate that c sustains: the first try is at the highest of
// all, and then each halves what is left.
func (c *contender) search(ctx context.Context, l load) error {
	all := rates(l.most)
	low, high := 0, len(all)-1 // the answer is between
	for try := 0; low < high; try = (low + high) / 2 {
		r, err := measure(ctx, l, c, all[try], tryFor)
		if err != nil {
			return err
		}
		fmt.Printf("%s at %d/s: p99 %.0f ms, %.0f%% of the CPU, %.1f%% came: %v\n", c.name, all[try], r.p99, 100*r.cpu, 100*r.came, r.sustained(l))
		if r.sustained(l) {
			high = try
		} else {
			low = try + 1
		}
	}
	c.rate = all[high]
	return nil
}

// session is one server with its pages.
type session struct {
	server *child
	of     *contender
	load   load
	crowd  crowd
}

const warm = 2 * time.Second

func begin(ctx context.Context, l load, of *contender) (*session, error) {
	compressed = l.deflate
	server, err := start(ctx, of)
	if err != nil {
		return nil, err
	}
	s := &session{server: server, of: of, load: l}
	if err := s.crowd.join(ctx, l.clients, server.address, of, l.deflate); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (s *session) end() {
	s.crowd.leave()
	s.server.stop()
}

// measure runs one server at one rate, lets it begin, and measures it.
func measure(ctx context.Context, l load, c *contender, rate int, d time.Duration) (result, error) {
	s, err := begin(ctx, l, c)
	if err != nil {
		return result{}, err
	}
	defer s.end()
	if _, err := s.server.feed(ctx, l, rate, warm); err != nil {
		return result{}, err
	}
	return s.phase(ctx, rate, d)
}

// phase feeds events for a time, and is what came of them.
func (s *session) phase(ctx context.Context, rate int, d time.Duration) (r result, err error) {
	s.crowd.reset()
	from := float64(time.Now().UnixMicro()) / 1e6
	before, err := process.CPU(s.server.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	begin := time.Now()
	sent, err := s.server.feed(ctx, s.load, rate, d)
	if err != nil {
		return r, err
	}
	for begun := time.Now(); time.Since(begun) < 2*s.load.limit+time.Second; { // what is on its way still counts
		if err := process.Sleep(ctx, 100*time.Millisecond); err != nil {
			return r, err
		}
		if r = s.crowd.summed(from, sent, s.expected()); r.came >= 1 {
			break
		}
	}
	after, err := process.CPU(s.server.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	r.cpu = (after - before).Seconds() / time.Since(begin).Seconds()
	r.perDelivery = 1e6 * (after - before).Seconds() / float64(sent*s.load.clients)
	r.frames /= d.Seconds()
	r.held = r.sustained(s.load)
	r.rss, err = process.Memory(s.server.cmd.Process.Pid, "VmRSS")
	return r, err
}

// expected is the share of the events that a page should get.
func (s *session) expected() float64 {
	if s.load.watch > 0 && (s.of.name == "whole" || s.of.path == "/ws" && s.of.hello != "") {
		return float64(s.load.watch) / float64(s.load.services)
	}
	return 1
}

// summed is what came to all pages since from, of so many events.
func (c *crowd) summed(from float64, sent int, share float64) (r result) {
	var seen []arrival
	looking := 0
	var sizes []int64
	r.even = true
	for _, p := range c.pages {
		r.even = r.even && !p.gone.Load()
		sizes = append(sizes, p.bytes.Load())
		r.frames += float64(p.frames.Load()) / float64(len(c.pages))
		if p.looks {
			looking++
			p.mu.Lock()
			seen = append(seen, p.seen...)
			p.mu.Unlock()
		}
	}
	seen = slices.DeleteFunc(seen, func(a arrival) bool { return a.at < from })
	slices.SortFunc(seen, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	if !compressed { // a page that was left behind has fewer bytes
		slices.Sort(sizes)
		r.even = r.even && float64(sizes[0]) >= 0.95*float64(sizes[len(sizes)/2])
	}
	r.bytes = float64(sizes[len(sizes)/2]) / float64(sent)
	r.came = float64(len(seen)) / (float64(sent*looking) * share)
	r.later = quantile(seen[len(seen)/2:], 0.99)
	r.p50, r.p99 = quantile(seen, 0.5), quantile(seen, 0.99)
	return r
}

func quantile(of []arrival, q float64) float64 {
	if len(of) == 0 {
		return 1e9
	}
	all := make([]float64, len(of))
	for i, a := range of {
		all[i] = a.late
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// besideStalled measures the same server without and with clients that never read,
// in turns; of each it is the result in the middle by p99.
func besideStalled(ctx context.Context, l load, c *contender) (without, with result, err error) {
	s, err := begin(ctx, l, c)
	if err != nil {
		return without, with, err
	}
	defer s.end()
	if _, err := s.server.feed(ctx, l, c.rate, warm); err != nil {
		return without, with, err
	}
	var free, beside []result
	for range l.rounds {
		r, err := s.phase(ctx, c.rate, l.measure)
		if err != nil {
			return without, with, err
		}
		free = append(free, r)
		leave, err := stall(ctx, l.stalled, s.server.address, c)
		if err == nil {
			r, err = s.phase(ctx, c.rate, 2*l.measure)
		}
		leave()
		if err != nil {
			return without, with, err
		}
		beside = append(beside, r)
	}
	return middle(free), middle(beside), nil
}

// middle is the result in the middle by p99.
func middle(all []result) result {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b result) int { return cmp.Compare(a.p99, b.p99) })
	return sorted[len(sorted)/2]
}

// median is the result in the middle by CPU; it sustained where all did.
func median(all []result) result {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b result) int { return cmp.Compare(a.perDelivery, b.perDelivery) })
	r := sorted[len(sorted)/2]
	r.held = true
	for _, other := range all {
		r.held = r.held && other.held
	}
	return r
}
