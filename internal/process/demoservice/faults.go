package demoservice

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"logstream/internal/container"
	"logstream/internal/supervise"
)

const (
	maxOrder    = 64 // bytes of a line on standard input
	leakEvery   = 100 * time.Millisecond
	leakStep    = 8 << 20 / 10 // bytes: 8 MiB a second
	pageSize    = 4096         // one byte of each is written, so that the memory is used
	reportEvery = 32           // MiB between two lines about a leak
	mib         = 1 << 20
)

// faults are what the service does to itself when it reads their names. An
// error says why it cannot.
var faults = map[string]func(*service, context.Context) error{
	container.FaultFail: func(s *service, _ context.Context) error {
		s.failing.Store(true)
		s.say("ERROR", "connection pool exhausted: every connection is in use and none is given back")
		return nil
	},
	container.FaultHang: func(s *service, _ context.Context) error { s.stuck.Store(true); return nil },
	container.FaultBusy: func(s *service, ctx context.Context) error {
		s.stuck.Store(true)
		supervise.Go(ctx, &s.group, "compute", func(ctx context.Context) error {
			for n := int64(0); ctx.Err() == nil; n++ {
				work(s.name, n)
			}
			return nil
		})
		return nil
	},
	container.FaultSlow: func(s *service, _ context.Context) error {
		s.slow.Store(true)
		s.say("WARN", "cache is cold: every answer is computed anew")
		return nil
	},
	container.FaultLeak: func(s *service, ctx context.Context) error {
		supervise.Go(ctx, &s.group, "leak", s.leak)
		return nil
	},
	container.FaultDisk:           func(s *service, _ context.Context) error { return s.disk.fill() },
	"undo " + container.FaultDisk: func(s *service, _ context.Context) error { return s.disk.free() },
	container.FaultFDs:            func(s *service, _ context.Context) error { return s.files.exhaust() },
}

// runFaults injects the faults that it reads until one is exit, or the parent is
// gone, and returns the exit code.
func (s *service) runFaults(ctx context.Context, orders io.Reader) int {
	lines := bufio.NewScanner(orders)
	lines.Buffer(nil, maxOrder)
	for lines.Scan() {
		name := lines.Text()
		if name == container.FaultExit {
			s.lastWords()
			return exitFailed
		}
		if fault, known := faults[name]; known {
			if err := fault(s, ctx); err != nil {
				s.say("ERROR", "fault %s failed: %v", name, err)
			}
		}
	}
	return exitDone
}

// leak takes memory until it has all that it may have, and is then killed, as
// the kernel kills a process that goes beyond its limit.
func (s *service) leak(ctx context.Context) error {
	tick := time.NewTicker(leakEvery)
	defer tick.Stop()
	var kept [][]byte
	for reported := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		piece := make([]byte, leakStep)
		for i := 0; i < len(piece); i += pageSize {
			piece[i] = 1
		}
		kept = append(kept, piece)
		used := len(kept) * leakStep / mib
		if used >= reported+reportEvery {
			reported = used
			s.say("WARN", "cache has grown to %d MiB of %d MiB", used, s.memory)
		}
		if used >= s.memory {
			break
		}
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return fmt.Errorf("find the own process: %w", err)
	}
	return self.Kill()
}

// lastWords is what a panic writes to a log.
func (s *service) lastWords() {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(s.output, "panic: runtime error: invalid memory address or nil pointer dereference\n"+
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f2a4c]\n"+
		"goroutine 37 [running]:\n"+
		"main.(*checkout).total(0x0)\n"+
		"\t/app/checkout.go:58 +0x4c\n")
}
