package runbook

import (
	"fmt"
	"slices"
	"strings"

	"logstream/internal/event"
)

// Collected is what was looked up about a container that runs, beside what the
// inspection shows. What is nil was not available; Missing says why.
type Collected struct {
	Stats     *Stats     `json:"stats,omitempty"`
	Processes *Processes `json:"processes,omitempty"`
	Direct    *Direct    `json:"direct,omitempty"`
	Missing   []Missing  `json:"missing,omitempty"`
}

// Stats are what the container uses, and may use.
type Stats struct {
	Memory      int64   `json:"memory"`                 // bytes
	MemoryLimit int64   `json:"memory_limit,omitempty"` // bytes; 0: none
	PIDs        int64   `json:"pids,omitempty"`
	PIDLimit    int64   `json:"pid_limit,omitempty"` // 0: none
	CPUs        float64 `json:"cpus"`                // used lately
	CPULimit    float64 `json:"cpu_limit,omitempty"` // 0: none
	Throttled   float64 `json:"throttled,omitempty"` // share of the periods lately or since it started, whichever is greater, 0 to 1
}

// Processes are how many there are.
type Processes struct {
	Total   int `json:"total"`
	Running int `json:"running,omitempty"` // on a processor, or ready for one
	Blocked int `json:"blocked,omitempty"` // in the kernel, which no signal ends
	Zombies int `json:"zombies,omitempty"` // ended, and not collected by their parent
}

// Direct is our own check made at the container's own address. An address that
// cannot be reached from here says nothing: it is Missing then.
type Direct struct {
	Status  event.Status  `json:"status"`
	Failure event.Failure `json:"failure,omitempty"`
	Code    int           `json:"code,omitempty"`
}

// What can be Missing.
const (
	WhatStats     = "stats"
	WhatProcesses = "processes"
	WhatDirect    = "own address"
	WhatAll       = "evidence"
	WhatLog       = "log"
)

// Missing is what could not be had, and why.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

const (
	fullCPU    = 0.8 // share of its limit, or cores of one without: it is busy; over the second that is measured, a limit may allow a tenth less
	sharedCPU  = 0.5 // the same where a process waits for the CPU: the host's other work takes the rest
	mostlyHeld = 0.5 // share of the periods in which it was throttled
	tinyLimit  = 0.1 // cores: with so little no service can do much, and with more one that is held back all the time rather spins
)

// busy says whether it uses all the processor time that it may, or a whole core; or
// as much as a host with other work leaves to it.
func (c *Collected) busy() bool {
	if c == nil || c.Stats == nil {
		return false
	}
	limit := c.Stats.CPULimit
	if limit == 0 || limit > 1 {
		limit = 1 // one thread that spins takes one core
	}
	ready := c.Processes != nil && c.Processes.Running > 0
	return c.Stats.CPUs >= fullCPU*limit || ready && c.Stats.CPUs >= sharedCPU*limit
}

// starved says whether its limit is tiny, and holds it back most of the time.
func (c *Collected) starved() bool {
	return c != nil && c.Stats != nil && c.Stats.CPULimit > 0 && c.Stats.CPULimit <= tinyLimit && c.Stats.Throttled >= mostlyHeld
}

// answersDirectly says whether it answers well at its own address.
func (c *Collected) answersDirectly() bool {
	return c != nil && c.Direct != nil && (c.Direct.Status == event.Up || c.Direct.Status == event.Degraded)
}

// describe is what was collected as a person reads it. Nothing of it decides but
// what a cause uses, and that reads the same while it is so.
func (c *Collected) describe() []event.Fact {
	if c == nil {
		return nil
	}
	var facts []event.Fact
	if s := c.Stats; s != nil {
		facts = append(facts, event.Fact{Key: "memory", Value: ofLimit(mebibytes(s.Memory), mebibytes(s.MemoryLimit), s.MemoryLimit > 0, float64(s.Memory)/float64(max(s.MemoryLimit, 1)))},
			event.Fact{Key: "cpu", Value: ofLimit(cores(s.CPUs), cores(s.CPULimit), s.CPULimit > 0, s.CPUs/max(s.CPULimit, 0.001))})
		if s.Throttled > 0 {
			facts = append(facts, event.Fact{Key: "throttled", Value: fmt.Sprintf("%.0f %% of the time, lately or since it started", 100*s.Throttled)})
		}
		if s.PIDLimit > 0 {
			facts = append(facts, event.Fact{Key: "process limit", Value: fmt.Sprintf("%d of %d used", s.PIDs, s.PIDLimit)})
		}
	}
	if p := c.Processes; p != nil {
		parts := []string{fmt.Sprintf("%d", p.Total)}
		for _, part := range []struct {
			n    int
			what string
		}{{p.Running, "running"}, {p.Blocked, "blocked in the kernel"}, {p.Zombies, "zombie"}} {
			if part.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
			}
		}
		facts = append(facts, event.Fact{Key: "processes", Value: strings.Join(parts, ", ")})
	}
	if c.Direct != nil {
		direct := check(Facts{Check: c.Direct.Status, Failure: c.Direct.Failure, Code: c.Direct.Code}, false)
		direct.Key, direct.Why = "own address", "The same check at the container's own address, past the published port."
		facts = append(facts, direct)
	}
	for _, m := range c.Missing {
		facts = append(facts, event.Fact{Key: m.What, Value: "not available: " + m.Why})
	}
	return facts
}

func ofLimit(used, limit string, limited bool, share float64) string {
	if !limited {
		return used + ", no limit"
	}
	return fmt.Sprintf("%s of %s (%.0f %%)", used, limit, 100*share)
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
func cores(n float64) string   { return fmt.Sprintf("%.2f cores", n) }

// Lack is c without what could not be had, and why.
func (c *Collected) Lack(what, why string) {
	if !slices.ContainsFunc(c.Missing, func(m Missing) bool { return m.What == what }) {
		c.Missing = append(c.Missing, Missing{what, why})
	}
}
