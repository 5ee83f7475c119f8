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
	// supporting is how many new error messages lower the limits of errors and exits
	// by steady, and clear how many are bad by themselves: many times more than were
	// known before, for a release that words its errors anew writes as many as before.
	supporting = 3
	clear      = 10
	timesKnown = 5
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
const mostSamples = 1200

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

// Compared is what a service's checks, and its log, are compared by.
type Compared struct {
	Before, After event.UpdateFigures
	Latency       time.Duration     // that it is expected to answer within; zero: nothing is expected
	WasBad        bool              // the update was held to be bad so far
	Logs          *event.UpdateLogs // nil: nothing is known of it
	// Due says that the watch is over: what a start logs is no longer counted, and
	// many new error messages are bad by themselves.
	Due bool
}

// Worse are the reasons for which a service does worse after than before. New
// error messages support what checks and exits show; alone they are a reason only
// at the end, and above a clear limit.
func Worse(c Compared) []event.UpdateReason {
	share, fewest := 1.0, enoughExits
	if c.WasBad {
		share = steady
	}
	speaks := c.Logs != nil && c.Logs.New >= supporting
	if speaks {
		share, fewest = steady, 1
	}
	var reasons []event.UpdateReason
	if rate := c.After.ErrorRate(); c.After.Checks >= enough && rate >= worstErrors*share && rate >= timesErrors*share*c.Before.ErrorRate() {
		reasons = append(reasons, event.UpdateErrors)
	}
	expected := float64(c.Latency) / float64(time.Millisecond)
	if expected > 0 && good(c.Before) >= enoughGood && good(c.After) >= enoughGood && c.After.P95MS >= timesLatency*share*c.Before.P95MS && c.After.P95MS > expected {
		reasons = append(reasons, event.UpdateLatency)
	}
	if c.After.Exits >= fewest && c.After.Exits > c.Before.Exits {
		reasons = append(reasons, event.UpdateExits)
	}
	if speaks && (len(reasons) > 0 || (c.Due || c.WasBad) && c.Logs.New >= clear && c.Logs.New >= timesKnown*c.Logs.Known) {
		reasons = append(reasons, event.UpdateLog)
	}
	return reasons
}

func good(f event.UpdateFigures) int { return f.Checks - f.Bad }
