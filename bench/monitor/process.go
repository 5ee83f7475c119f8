//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a process that this one started.
type child struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

// start runs a program whose processes end with this one.
func start(ctx context.Context, of contender) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, of.program, of.args...)}
	c.cmd.Env = append(os.Environ(), of.env...)
	if !of.quiet {
		c.cmd.Stderr = os.Stderr
	}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 10 * time.Second
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.cmd.Start()
}

// line is the next line that it prints.
func (c *child) line() (string, error) {
	line, err := c.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

// stop signals it to end, and is the rest of what it prints.
func (c *child) stop() string {
	c.cmd.Process.Signal(syscall.SIGTERM)
	rest, _ := io.ReadAll(c.out)
	c.cmd.Wait()
	return string(rest)
}

// clockTick is the unit of /proc/PID/stat: USER_HZ is 100 wherever Go runs.
const clockTick = 10 * time.Millisecond

// cpu is the user and system time that it used so far.
func (c *child) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before it may hold spaces
	fields := strings.Fields(after)
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick, err
}

// memory is a line of /proc/PID/status, in megabytes: VmRSS or VmHWM.
func (c *child) memory(line string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), line+":")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.ParseFloat(kilobytes, 64)
	return n / 1024, err
}
