// Package update compares how a service does after its image was changed with how
// it did before, and says whether the new image is bad. It is pure.
//
//	compare.go  figures, and what makes the later ones worse
//	watch.go    the watch over one update, from the change to its verdict
package update

import (
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	enough       = 10  // checks on a side are compared at least
	enoughGood   = 20  // of those whose latencies are: the slowest alone makes no p95 of them
	worstErrors  = 0.2 // of the checks
	timesErrors  = 5   // as many as before
	timesLatency = 3
	enoughExits  = 2
	// steady is the share of these limits below which what was bad is good again:
	// a service at a limit does not change its verdict with each check.
	steady = 0.5
)

// Sample is one scheduled check of our own.
type Sample struct {
	At  time.Time
	MS  float64
	Bad bool
}

// mostSamples of a service are kept: the newest.
const mostSamples = 600

// Samples are a service's, oldest first.
type Samples []Sample

// add is s with one more, without those that are older than keep.
func (s Samples) add(next Sample, keep time.Duration) Samples {
	s = append(s, next)
	from := max(0, len(s)-mostSamples)
	for from < len(s)-1 && next.At.Sub(s[from].At) > keep {
		from++
	}
	return slices.Delete(s, 0, from)
}

// Figures are those of all samples.
func (s Samples) Figures() event.UpdateFigures {
	if len(s) == 0 {
		return event.UpdateFigures{}
	}
	return s.figures(s[0].At, s[len(s)-1].At.Add(time.Nanosecond))
}

// figures are those of the samples from one time up to another.
func (s Samples) figures(from, to time.Time) event.UpdateFigures {
	var out event.UpdateFigures
	var good []float64
	for _, sample := range s {
		switch {
		case sample.At.Before(from) || !sample.At.Before(to):
			continue
		case sample.Bad:
			out.Bad++
		default:
			good = append(good, sample.MS)
		}
		out.Checks++
	}
	slices.Sort(good)
	if n := len(good); n > 0 {
		out.P50MS, out.P95MS = good[(n-1)/2], good[(n*95+99)/100-1]
	}
	return out
}

// Worse are the reasons for which a service does worse after than before. latency
// is what it is expected to answer within; zero: nothing is expected. wasBad says
// that the update was held to be bad so far.
func Worse(before, after event.UpdateFigures, latency time.Duration, wasBad bool) []event.UpdateReason {
	share := 1.0
	if wasBad {
		share = steady
	}
	var reasons []event.UpdateReason
	if rate := after.ErrorRate(); after.Checks >= enough && rate >= worstErrors*share && rate >= timesErrors*share*before.ErrorRate() {
		reasons = append(reasons, event.UpdateErrors)
	}
	expected := float64(latency) / float64(time.Millisecond)
	if expected > 0 && good(before) >= enoughGood && good(after) >= enoughGood && after.P95MS >= timesLatency*share*before.P95MS && after.P95MS > expected {
		reasons = append(reasons, event.UpdateLatency)
	}
	if after.Exits >= enoughExits && after.Exits > before.Exits {
		reasons = append(reasons, event.UpdateExits)
	}
	return reasons
}

func good(f event.UpdateFigures) int { return f.Checks - f.Bad }
