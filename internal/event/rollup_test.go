package event

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDecodeRollupRefuses(t *testing.T) {
	with := func(fields string) string {
		return `{"service":"a","start":"2026-03-01T12:00:00Z","up_s":60,"degraded_s":0,"down_s":0,"unknown_s":0,"checks":1,` + fields + `}`
	}
	for name, test := range map[string]struct{ value, reason string }{
		"no service":                {`{"start":"2026-03-01T12:00:00Z"}`, "service is missing"},
		"a reserved name":           {with(`"service":"*"`), "reserved"},
		"start within a minute":     {with(`"start":"2026-03-01T12:00:01Z"`), "not that of a bucket"},
		"a negative duration":       {with(`"down_s":-1`), "duration"},
		"longer than a day":         {with(`"down_s":86400000`), "long"},
		"negative checks":           {with(`"checks":-1`), "checks"},
		"latency without histogram": {with(`"latency":{"min":1,"p50":1,"p95":1,"max":1}`), "pairs"},
		"max below min":             {with(`"latency":{"min":2,"p50":1,"p95":1,"max":1,"hist":[0,1]}`), "latency is from"},
		"half a pair":               {with(`"latency":{"min":1,"p50":1,"p95":1,"max":1,"hist":[0]}`), "pairs"},
		"buckets out of order":      {with(`"latency":{"min":1,"p50":1,"p95":1,"max":1,"hist":[3,1,2,1]}`), "out of order"},
		"a bucket there is not":     {with(`"latency":{"min":1,"p50":1,"p95":1,"max":1,"hist":[999,1]}`), "out of order"},
		"an empty bucket":           {with(`"latency":{"min":1,"p50":1,"p95":1,"max":1,"hist":[3,0]}`), "counts 0"},
	} {
		if r, err := DecodeRollup([]byte(test.value)); err == nil || !strings.Contains(err.Error(), test.reason) || !reflect.ValueOf(r).IsZero() {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestBucketsOfALevelLieWithinThoseOfTheNext(t *testing.T) {
	for i := 1; i < len(Levels); i++ {
		if Levels[i].Length%Levels[i-1].Length != 0 {
			t.Errorf("%v is not made of whole %v", Levels[i].Length, Levels[i-1].Length)
		}
	}
}

func TestARollupIsSupersededByTheHigherEpochAndThenTheHigherRevision(t *testing.T) {
	r := Rollup{Revision: 5, Origin: Origin{Epoch: 3}}
	for _, tt := range []struct {
		epoch, revision int64
		want            bool
	}{{2, 9, true}, {3, 4, true}, {3, 5, false}, {3, 6, false}, {4, 1, false}, {0, 0, true}} {
		if got := r.Supersedes(tt.epoch, tt.revision); got != tt.want {
			t.Errorf("3/5 in place of %d/%d: %v", tt.epoch, tt.revision, got)
		}
	}
}

func TestQuantilesOfAHistogramAreWithinFivePercent(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 1 + rng.IntN(2000)
		exact := make([]float64, n)
		var whole *Latency
		parts := [3]*Latency{}
		for i := range exact {
			exact[i] = micros(math.Exp(rng.NormFloat64()*2 + 3))
			whole = whole.Add(exact[i])
			part := rng.IntN(3)
			parts[part] = parts[part].Add(exact[i])
		}
		slices.Sort(exact)
		for q, got := range map[float64]float64{0.5: whole.P50, 0.95: whole.P95} {
			want := exact[int(math.Ceil(q*float64(n)))-1]
			if math.Abs(got-want) > 0.045*want+0.001 {
				t.Fatalf("quantile %v of %d is %v, want %v", q, n, got, want)
			}
		}
		if whole.Min != exact[0] || whole.Max != exact[n-1] || whole.Hist.Count() != int64(n) {
			t.Fatalf("%+v of %d, from %v to %v", whole, n, exact[0], exact[n-1])
		}
		if merged := parts[0].Merge(parts[1]).Merge(parts[2]); !reflect.DeepEqual(merged, whole) {
			t.Fatalf("merged %+v, want %+v", merged, whole)
		}
	}
}

func TestLatenciesBeyondTheHistogramAreInItsFirstAndLastBucket(t *testing.T) {
	var h Histogram
	for _, ms := range []float64{0, 1e-9, 1e12} {
		h.Add(ms)
	}
	if want := (Histogram{firstBucket, 2, lastBucket, 1}); !slices.Equal(h, want) {
		t.Errorf("%v, want %v", h, want)
	}
	h = nil
	h.Add(1) // a bucket ends with its bound
	h.Add(1.0001)
	if want := (Histogram{-1, 1, 0, 1}); !slices.Equal(h, want) {
		t.Errorf("%v, want %v", h, want)
	}
}

func TestARollupOfAMinuteIsSmall(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := Rollup{Service: "payment-service", Start: when.Truncate(time.Minute), UpS: 60, Checks: 30, Revision: 123456, Origin: origin}
	for range 30 {
		r.Latency = r.Latency.Add(20 * math.Exp(rng.NormFloat64()/3))
	}
	if n := len(Encode(r)); n > 512 {
		t.Errorf("%d bytes", n)
	}
}
