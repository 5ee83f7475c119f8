//go:build linux

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
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
