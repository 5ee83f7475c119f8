package event

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Histogram counts latencies in buckets that grow by a factor: bucket i holds
// what is longer than 2^(i/8) ms and at most 2^((i+1)/8) ms, which is
// OpenTelemetry's exponential histogram of scale 3. It is written as the buckets
// that hold something, in order, each with how many it holds:
// [index, count, index, count, …]. Histograms are merged by adding the counts.
type Histogram []int64

// perDoubling is how many buckets a doubling has; a bucket's middle is at most
// 4.5 % from what it holds.
const perDoubling = 8

// The buckets that there are: 1 µs to nine hours. What is beyond is in the first
// or last.
const (
	firstBucket = -10 * perDoubling
	lastBucket  = 25 * perDoubling
)

// Add counts one latency.
func (h *Histogram) Add(ms float64) {
	i := int64(firstBucket)
	if ms > 0 {
		i = int64(min(max(math.Ceil(math.Log2(ms)*perDoubling)-1, firstBucket), lastBucket))
	}
	h.add(i, 1)
}

// Merge counts what another one has counted.
func (h *Histogram) Merge(other Histogram) {
	for at := 0; at+1 < len(other); at += 2 {
		h.add(other[at], other[at+1])
	}
}

func (h *Histogram) add(bucket, n int64) {
	at := 0
	for at < len(*h) && (*h)[at] < bucket {
		at += 2
	}
	if at < len(*h) && (*h)[at] == bucket {
		(*h)[at+1] += n
		return
	}
	*h = slices.Insert(*h, at, bucket, n)
}

// Count is how many latencies were counted.
func (h Histogram) Count() int64 {
	var n int64
	for at := 1; at < len(h); at += 2 {
		n += h[at]
	}
	return n
}

// Quantile is what the share q of the latencies is not above, in milliseconds; 0
// where none were counted.
func (h Histogram) Quantile(q float64) float64 {
	left := int64(math.Ceil(q * float64(h.Count())))
	for at := 0; at+1 < len(h); at += 2 {
		if left -= h[at+1]; left <= 0 {
			return math.Exp2((float64(h[at]) + 0.5) / perDoubling)
		}
	}
	return 0
}

// check says what is wrong with a histogram that was read.
func (h Histogram) check() error {
	if len(h) == 0 || len(h)%2 != 0 {
		return errors.New("hist is not made of pairs")
	}
	for at := 0; at < len(h); at += 2 {
		if i := h[at]; i < firstBucket || i > lastBucket || at > 0 && i <= h[at-2] {
			return fmt.Errorf("hist has bucket %d out of order", i)
		}
		if n := h[at+1]; n < 1 || n > 1<<40 {
			return fmt.Errorf("hist counts %d in a bucket", n)
		}
	}
	return nil
}

// Merge adds what another latency has seen; either may be nil.
func (l *Latency) Merge(other *Latency) *Latency {
	if other == nil {
		return l
	}
	merged := Latency{Min: other.Min, Max: other.Max, Hist: slices.Clone(other.Hist)}
	if l != nil {
		merged.Min, merged.Max = min(l.Min, other.Min), max(l.Max, other.Max)
		merged.Hist.Merge(l.Hist)
	}
	return merged.settled()
}

// Add is l with one more latency; l may be nil, and is changed where it is not.
func (l *Latency) Add(ms float64) *Latency {
	ms = micros(ms)
	if l == nil {
		l = &Latency{Min: ms, Max: ms}
	}
	l.Min, l.Max = min(l.Min, ms), max(l.Max, ms)
	l.Hist.Add(ms)
	return l.settled()
}

// settled has the quantiles of the histogram, none outside of what was seen.
func (l *Latency) settled() *Latency {
	within := func(q float64) float64 { return micros(min(max(l.Hist.Quantile(q), l.Min), l.Max)) }
	l.P50, l.P95 = within(0.5), within(0.95)
	return l
}

func micros(ms float64) float64 { return math.Round(ms*1000) / 1000 }
