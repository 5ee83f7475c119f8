package event

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Level is how long the buckets of a topic of rollups are.
type Level struct {
	Topic  string
	Length time.Duration
	// Kept is how long the topic keeps a record; zero: for ever.
	Kept time.Duration
}

// Levels are the topics of rollups, the shortest buckets first. Each bucket
// lies within one of the next level.
var Levels = [...]Level{
	{TopicRollups1m, time.Minute, 48 * time.Hour},
	{TopicRollups1h, time.Hour, 35 * 24 * time.Hour},
	{TopicRollups1d, 24 * time.Hour, 0},
}

// Rollup is what is known of a service over one bucket of time, in UTC: a record
// of one of Levels. The four durations are seconds to the millisecond, and
// together as long as the bucket: time while nothing was watched is unknown. A
// bucket of which nothing is known has no record.
//
// Of the same service and start the record of the higher epoch counts, under the
// same epoch that of the higher revision.
type Rollup struct {
	Service   string    `json:"service"`
	Start     time.Time `json:"start"`
	UpS       float64   `json:"up_s"`
	DegradedS float64   `json:"degraded_s"`
	DownS     float64   `json:"down_s"`
	UnknownS  float64   `json:"unknown_s"`
	Checks    int64     `json:"checks"`  // of our own that ended in the bucket, whatever they saw
	Latency   *Latency  `json:"latency"` // of those that were not DOWN; nil: there were none
	Revision  int64     `json:"revision,omitempty"`
	Origin
}

// Latency is how long checks took, in milliseconds. P50 and P95 are read from
// Hist, and at most 4.5 % off.
type Latency struct {
	Min  float64   `json:"min"`
	P50  float64   `json:"p50"`
	P95  float64   `json:"p95"`
	Max  float64   `json:"max"`
	Hist Histogram `json:"hist"`
}

// Supersedes says whether r counts in place of an old record of the same
// service, level and start.
func (r Rollup) Supersedes(epoch, revision int64) bool {
	return r.Epoch > epoch || r.Epoch == epoch && r.Revision > revision
}

// DecodeRollup reads a record of one of Levels.
func DecodeRollup(value []byte) (Rollup, error) {
	var r Rollup
	if err := decodeFlat(value, &r); err != nil {
		return Rollup{}, fmt.Errorf("rollup: %w", err)
	}
	r.Start = r.Start.UTC()
	if err := r.check(); err != nil {
		return Rollup{}, fmt.Errorf("rollup: %w", err)
	}
	return r, nil
}

func (r Rollup) check() error {
	if err := CheckServiceName(r.Service); err != nil {
		return err
	}
	if year := r.Start.Year(); year < 1970 || year > 9999 || !r.Start.Equal(r.Start.Truncate(time.Minute)) {
		return fmt.Errorf("start %s is not that of a bucket", r.Start.Format(time.RFC3339Nano))
	}
	all := 0.0
	for _, s := range []float64{r.UpS, r.DegradedS, r.DownS, r.UnknownS} {
		if !(s >= 0) {
			return fmt.Errorf("a duration is %v s", s)
		}
		all += s
	}
	switch {
	case all > 25*3600:
		return fmt.Errorf("the bucket is %v s long", all)
	case r.Checks < 0:
		return fmt.Errorf("checks is %d", r.Checks)
	case r.Latency == nil:
		return nil
	case !(r.Latency.Min >= 0) || !(r.Latency.Max >= r.Latency.Min) || math.IsInf(r.Latency.Max, 0):
		return fmt.Errorf("latency is from %v to %v ms", r.Latency.Min, r.Latency.Max)
	case !(r.Latency.P50 >= 0) || !(r.Latency.P95 >= 0):
		return errors.New("latency has a quantile below 0")
	}
	return r.Latency.Hist.check()
}
