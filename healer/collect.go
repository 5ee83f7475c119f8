package healer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/text"
)

const (
	collectLimit = 2 * time.Second // of one collection, all its parts
	logTail      = 1000            // lines that are read, of which logLines are chosen
	logLimit     = time.Second     // for reading them: the inspection itself is worth more
	maxMissing   = 200             // bytes of why something is not available
)

// collector looks up what may be known of a container that runs.
type collector struct {
	deps   Deps
	worker func(name string, do func()) // runs do beside
}

// part is one thing that is collected. It adds what it found, also that it found
// nothing.
type part struct {
	what    string
	collect func(context.Context) func(*runbook.Collected)
}

// collect looks up all parts, beside each other, within collectLimit. A part that is late, fails or panics is
// missing, with its reason.
func (c collector) collect(ctx context.Context, e Collect) Collected {
	ctx, cancel := context.WithTimeout(ctx, collectLimit)
	defer cancel()
	parts := []part{
		{runbook.WhatStats, func(ctx context.Context) func(*runbook.Collected) { return c.stats(ctx, e) }},
		{runbook.WhatProcesses, func(ctx context.Context) func(*runbook.Collected) { return c.processes(ctx, e) }},
		{runbook.WhatDirect, func(ctx context.Context) func(*runbook.Collected) { return c.direct(ctx, e) }},
	}
	type result struct {
		of  int
		add func(*runbook.Collected)
	}
	results := make(chan result, len(parts))
	for i, p := range parts {
		c.worker("collect "+p.what, func() {
			add := lacking(p.what, "internal error; see the server log")
			defer func() {
				if value := recover(); value != nil {
					c.deps.Logger.Error("collecting evidence panicked", "part", p.what, "panic", value, "stack", string(debug.Stack()))
				}
				results <- result{i, add}
			}()
			add = p.collect(ctx)
		})
	}
	adds := make([]func(*runbook.Collected), len(parts))
	for open := len(parts); open > 0; {
		select {
		case r := <-results:
			adds[r.of] = r.add
			open--
		case <-ctx.Done():
			open = 0
		}
	}
	out := Collected{Service: e.Service, Request: e.Request}
	for i, add := range adds { // in a fixed order
		if add == nil {
			add = lacking(parts[i].what, fmt.Sprintf("no answer within %s", collectLimit))
		}
		add(&out.Found)
	}
	return out
}

func lacking(what, why string) func(*runbook.Collected) {
	return func(c *runbook.Collected) { c.Lack(what, why) }
}

// failed is why a part could not be had.
func failed(what string, err error) func(*runbook.Collected) {
	switch {
	case errors.Is(err, container.ErrUnsupported):
		return lacking(what, "this container runtime does not report it")
	case errors.Is(err, context.DeadlineExceeded):
		return lacking(what, fmt.Sprintf("no answer within %s", collectLimit))
	}
	return lacking(what, text.Clip(text.Line(err.Error()), maxMissing))
}

func (c collector) stats(ctx context.Context, e Collect) func(*runbook.Collected) {
	s, err := c.deps.Runtime.Stats(ctx, e.Container.ID)
	if err != nil {
		return failed(runbook.WhatStats, err)
	}
	return func(out *runbook.Collected) {
		out.Stats = &runbook.Stats{Memory: s.Memory, MemoryLimit: cmp.Or(e.Container.Memory, s.MemoryLimit), PIDs: s.PIDs, PIDLimit: s.PIDLimit,
			CPUs: s.CPUs, CPULimit: e.Container.CPUs, Throttled: s.Throttled}
	}
}

func (c collector) processes(ctx context.Context, e Collect) func(*runbook.Collected) {
	list, err := c.deps.Runtime.Processes(ctx, e.Container.ID)
	if err != nil {
		return failed(runbook.WhatProcesses, err)
	}
	found := runbook.Processes{Total: len(list)}
	for _, p := range list {
		switch p.State {
		case "R":
			found.Running++
		case "D":
			found.Blocked++
		case "Z":
			found.Zombies++
		}
	}
	return func(out *runbook.Collected) { out.Processes = &found }
}

// direct makes our own check at the container's own address. Where that cannot be
// reached from here, as with Docker Desktop or a rootless engine, it says nothing
// of the service.
func (c collector) direct(ctx context.Context, e Collect) func(*runbook.Collected) {
	address, why := ownAddress(e.Definition, e.Container)
	switch {
	case c.deps.CheckAt == nil:
		return lacking(runbook.WhatDirect, "no check is made there")
	case address == "":
		return lacking(runbook.WhatDirect, why)
	}
	seen, err := c.deps.CheckAt(ctx, e.Definition, address)
	if err != nil {
		return failed(runbook.WhatDirect, err)
	}
	switch {
	case seen.Status != event.Down:
	case seen.Failure == event.FailureConnectTimeout, seen.Failure == event.FailureUnreachable, seen.Failure == event.FailureConnectRefused,
		seen.Failure == event.FailureDNS, seen.Failure == event.FailureCheck:
		return lacking(runbook.WhatDirect, address+" cannot be reached from here")
	}
	return func(out *runbook.Collected) {
		out.Direct = &runbook.Direct{Status: seen.Status, Failure: seen.Failure, Code: seen.Code}
	}
}

// ownAddress is where the container itself serves what the url names, past the
// published port; or why that is not known.
func ownAddress(def service.Definition, c container.State) (address, why string) {
	u, err := url.Parse(def.URL)
	if err != nil || !def.HasOwnCheck() {
		return "", "the service has no check of its own"
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443", "redis": "6379", "postgres": "5432", "mysql": "3306"}[u.Scheme])
	inner := ""
	for _, pair := range strings.Fields(c.Published) {
		if outer, in, _ := strings.Cut(pair, ":"); outer == port && port != "" {
			inner = in
		}
	}
	if inner == "" {
		return "", "the url's port is not one that the container publishes"
	}
	for _, n := range c.Networks {
		if n.Address != "" {
			return net.JoinHostPort(n.Address, inner), ""
		}
	}
	return "", "the container has no address of its own"
}
