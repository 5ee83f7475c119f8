package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
	"logstream/internal/redact"
	"logstream/internal/retry"
	"logstream/internal/text"
)

const (
	// statsApart is the time between the two reads that the use of the CPU is
	// made of: one read has the total since the start only.
	statsApart = 500 * time.Millisecond

	maxProcesses = 50
	maxCommand   = 256 // bytes of one process's command line
)

// Stats reads what the running container uses, twice within a second. The
// engine's stream of them is not used: it costs the engine much.
func (r *Runtime) Stats(ctx context.Context, id string) (container.Stats, error) {
	c, err := r.inspectWhole(ctx, id)
	if err != nil {
		return container.Stats{}, err
	}
	if !c.State.Running {
		return container.Stats{}, fmt.Errorf("read the statistics of container %s: it is not running", short(id))
	}
	first, err := r.statsOnce(ctx, id)
	if err != nil {
		return container.Stats{}, err
	}
	begun := time.Now()
	if !retry.Sleep(ctx, statsApart) {
		return toStats(first, first, 0, c.HostConfig.Memory), nil // without the CPU
	}
	second, err := r.statsOnce(ctx, id)
	if err != nil {
		return container.Stats{}, err
	}
	return toStats(first, second, time.Since(begun), c.HostConfig.Memory), nil
}

func (r *Runtime) statsOnce(ctx context.Context, id string) (apicontainer.StatsResponse, error) {
	return query(ctx, r, "read the statistics of", "container "+short(id), func(ctx context.Context, e engine) (s apicontainer.StatsResponse, err error) {
		answer, err := e.ContainerStatsOneShot(ctx, id)
		if err != nil {
			return s, err
		}
		defer answer.Body.Close()
		return s, json.NewDecoder(answer.Body).Decode(&s)
	})
}

// toStats is what two reads say; passed is the time between them by our clock,
// for an engine that does not date them. Of a container without a limit the
// engine gives the machine's memory.
func toStats(first, second apicontainer.StatsResponse, passed time.Duration, limit int64) container.Stats {
	s := container.Stats{
		Memory: usedMemory(second.MemoryStats), MemoryLimit: limitOf(limit),
		PIDs: clamp(second.PidsStats.Current), PIDLimit: clamp(second.PidsStats.Limit),
	}
	if s.PIDLimit == math.MaxInt64 {
		s.PIDLimit = 0
	}
	if by := second.Read.Sub(first.Read); by > 0 {
		passed = by
	}
	if before, now := first.CPUStats.CPUUsage.TotalUsage, second.CPUStats.CPUUsage.TotalUsage; passed > 0 && now > before {
		s.CPUs = float64(now-before) / float64(passed.Nanoseconds())
	}
	s.Throttled = throttled(first.CPUStats.ThrottlingData, second.CPUStats.ThrottlingData)
	return s
}

// fewPeriods are too few to show whether a container is held back.
const fewPeriods = 4

// throttled is the share of the periods between two reads, in which a limit that was
// lowered later shows, or that of all since the start, whichever is greater: between
// the reads a container that is held back may have had little to do.
func throttled(first, second apicontainer.ThrottlingData) float64 {
	share := func(held, periods uint64) float64 {
		if periods == 0 {
			return 0
		}
		return min(1, float64(held)/float64(periods))
	}
	all := share(second.ThrottledPeriods, second.Periods)
	if second.Periods < first.Periods+fewPeriods || second.ThrottledPeriods < first.ThrottledPeriods {
		return all // it was started between them, or had so little to do that they show nothing
	}
	return max(all, share(second.ThrottledPeriods-first.ThrottledPeriods, second.Periods-first.Periods))
}

// usedMemory is without the page cache that nothing used lately, by the names of
// both versions of control groups.
func usedMemory(m apicontainer.MemoryStats) int64 {
	cache := m.Stats["inactive_file"]
	if total, is := m.Stats["total_inactive_file"]; is {
		cache = total
	}
	if cache > m.Usage {
		cache = 0
	}
	return clamp(m.Usage - cache)
}

func clamp(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// Processes are the first of the container's processes, as ps on the engine's
// machine shows them: the PIDs are that machine's.
func (r *Runtime) Processes(ctx context.Context, id string) ([]container.Process, error) {
	top, err := query(ctx, r, "list the processes of", "container "+short(id), func(ctx context.Context, e engine) (apicontainer.TopResponse, error) {
		return e.ContainerTop(ctx, id, []string{"-eo", "pid,stat,args"})
	})
	if err != nil {
		return nil, err
	}
	return toProcesses(top), nil
}

func toProcesses(top apicontainer.TopResponse) []container.Process {
	column := func(row []string, title string) string {
		if i := slices.Index(top.Titles, title); i >= 0 && i < len(row) {
			return row[i]
		}
		return ""
	}
	var all []container.Process
	for _, row := range top.Processes[:min(len(top.Processes), maxProcesses)] {
		state := column(row, "STAT")
		all = append(all, container.Process{
			PID:     text.Clip(column(row, "PID"), 16),
			State:   strings.ToUpper(state[:min(len(state), 1)]),
			Command: text.Clip(redact.Text(text.Line(column(row, "COMMAND"))), maxCommand),
		})
	}
	return all
}
