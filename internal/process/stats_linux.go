package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"logstream/internal/container"
	"logstream/internal/redact"
	"logstream/internal/retry"
	"logstream/internal/text"
)

const (
	statsApart = 200 * time.Millisecond // between the two reads that the use of the CPU is made of
	tick       = 10 * time.Millisecond  // of the kernel's clock in /proc, on every architecture that Go knows
	maxCommand = 256                    // bytes
)

// Stats are what /proc says of the child.
func (r *Runtime) Stats(ctx context.Context, id string) (container.Stats, error) {
	pid, err := r.pid(ctx, "read the statistics of", id)
	if err != nil {
		return container.Stats{}, err
	}
	_, first, err := procStat(pid)
	if err != nil {
		return container.Stats{}, err
	}
	begun := time.Now()
	retry.Sleep(ctx, statsApart)
	_, second, err := procStat(pid)
	if err != nil {
		return container.Stats{}, err
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return container.Stats{}, fmt.Errorf("read the statistics of process %d: %w", pid, err)
	}
	s := container.Stats{PIDs: 1, CPUs: float64(second-first) / float64(time.Since(begun))}
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64) // the kernel writes nothing else there
		s.Memory = pages * int64(os.Getpagesize())
	}
	return s, nil
}

// Processes is the child alone.
func (r *Runtime) Processes(ctx context.Context, id string) ([]container.Process, error) {
	pid, err := r.pid(ctx, "list the processes of", id)
	if err != nil {
		return nil, err
	}
	state, _, err := procStat(pid)
	if err != nil {
		return nil, err
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil, fmt.Errorf("read the command of process %d: %w", pid, err)
	}
	line := text.Line(string(bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
	return []container.Process{{PID: strconv.Itoa(pid), State: state, Command: text.Clip(redact.Text(line), maxCommand)}}, nil
}

// pid is the child's process, asked of the child's own loop.
func (r *Runtime) pid(ctx context.Context, verb, id string) (int, error) {
	found := make(chan int, 1) // a caller that has left takes nothing
	err := r.act(ctx, verb, id, func(c *child, _ context.Context) error {
		if c.proc == nil {
			return errors.New("it is not running")
		}
		found <- c.proc.cmd.Process.Pid
		return nil
	})
	if err != nil {
		return 0, err
	}
	return <-found, nil
}

// procStat is the state of a process and the CPU time that it has used: see
// proc_pid_stat(5). Its second field, the name, may hold anything.
func procStat(pid int) (state string, used time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, fmt.Errorf("read the state of process %d: %w", pid, err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return "", 0, fmt.Errorf("read the state of process %d: it has %d fields", pid, len(fields))
	}
	for _, ticks := range fields[11:13] { // in user mode and in the kernel
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return "", 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
		}
		used += time.Duration(n) * tick
	}
	return fields[0], used, nil
}
