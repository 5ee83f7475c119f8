//go:build unix

package bus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"logstream/internal/event"
)

// BenchmarkCompression measures the CPU that a health log costs with each codec,
// producer and embedded broker together, at 1,000 records a second in batches
// of 50 ms. The codecs take turns, so that what else the machine does weighs on
// all alike; the ratios are of the medians.
func BenchmarkCompression(b *testing.B) {
	names := []string{"none", "gzip", "zstd"}
	costs := map[string][]time.Duration{}
	for b.Loop() {
		for _, name := range names {
			costs[name] = append(costs[name], costOfARecord(b, name))
		}
	}
	median := func(name string) float64 {
		all := slices.Sorted(slices.Values(costs[name]))
		return all[len(all)/2].Seconds() * 1e6
	}
	for _, name := range names {
		b.ReportMetric(median(name), name+"-µs/record")
	}
	b.ReportMetric(median("gzip")/median("none"), "gzip/none")
	b.ReportMetric(median("gzip")/median("zstd"), "gzip/zstd")
	b.ReportMetric(0, "ns/op") // the pace is set
}

func costOfARecord(b *testing.B, compression string) time.Duration {
	b.Helper()
	c := testConfig(b.TempDir())
	c.Compression = compression
	bus, _, stop := open(b, c)
	defer stop()
	records := 0
	second := func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range 100 {
			<-tick.C
			for range 10 {
				service := fmt.Sprintf("service-%d", records%20)
				bus.Enqueue(event.TopicHealth, service, observed(service))
				records++
			}
		}
	}
	second() // connects, makes the topic, warms up
	before, cpu := records, cpuTime(b)
	for range 3 {
		second()
	}
	return (cpuTime(b) - cpu) / time.Duration(records-before)
}

// observed is a health log as the monitor writes it.
func observed(service string) []byte {
	return event.Encode(event.HealthLog{
		Timestamp: float64(time.Now().UnixMicro()) / 1e6, Service: service, Status: event.Up, Code: 200,
		LatencyMS: float64(rand.N(20_000)) / 1000, Check: "http",
		Origin: event.Origin{Host: "local", Instance: "build-host-7f3a"},
	})
}

// cpuTime is the user and system time of this process.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
