package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
)

const (
	sayTimeout = time.Second // for one line into a pipe that takes thousands
	// strayTimeout is how long the end of a child waits for descendants that
	// hold its output open.
	strayTimeout = 200 * time.Millisecond
	// reapTimeout is how long the kernel may take to end a killed process.
	reapTimeout = 5 * time.Second
)

// proc is a running child process.
type proc struct {
	cmd      *exec.Cmd
	lifeline *os.File // the child's standard input
	ended    chan int // takes the exit code without a reader
}

// spawn starts the program. One of workers waits for its end.
func spawn(spec Child, output io.Writer, workers *errgroup.Group) (*proc, error) {
	program, err := program(spec.Path)
	if err != nil {
		return nil, err
	}
	input, lifeline, err := os.Pipe() // both ends stay out of other children
	if err != nil {
		return nil, fmt.Errorf("make the lifeline of %s: %w", spec.Name, err)
	}
	defer input.Close()
	cmd := &exec.Cmd{
		Path: program, Args: append([]string{spec.Name}, spec.Args...), Env: append([]string{}, spec.Env...),
		Stdin: input, Stdout: output, Stderr: output,
		SysProcAttr: attributes(), WaitDelay: strayTimeout,
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the program of %s: %w", spec.Name, err), lifeline.Close())
	}
	p := &proc{cmd: cmd, lifeline: lifeline, ended: make(chan int, 1)}
	supervise.Go(context.Background(), workers, "wait for "+spec.Name, func(context.Context) error {
		_ = cmd.Wait() // beside the exit code its error can only be about the output
		p.ended <- exitCode(cmd.ProcessState)
		return nil
	})
	return p, nil
}

// exited gives the exit code once, in Docker's way: 128 and the signal for a
// process that a signal ended. That of no process never gives any.
func (p *proc) exited() <-chan int {
	if p == nil {
		return nil
	}
	return p.ended
}

// signal returns os.ErrProcessDone where the process has ended.
func (p *proc) signal(s signal) error {
	if err := s.send(p.cmd.Process); err != nil {
		return fmt.Errorf("send signal %d to process %d: %w", s.number(), p.cmd.Process.Pid, err)
	}
	return nil
}

// say writes one line to the child's standard input.
func (p *proc) say(line string) error {
	if err := p.lifeline.SetWriteDeadline(time.Now().Add(sayTimeout)); err != nil {
		return fmt.Errorf("have process %d %s: %w", p.cmd.Process.Pid, line, err)
	}
	if _, err := io.WriteString(p.lifeline, line+"\n"); err != nil {
		return fmt.Errorf("have process %d %s: %w", p.cmd.Process.Pid, line, err)
	}
	return nil
}

// close closes the lifeline; closing it twice is nothing.
func (p *proc) close() { _ = p.lifeline.Close() }

// finish ends the process, first politely, and reports its exit code.
func (p *proc) finish(grace time.Duration) (code int, ended bool) {
	_ = p.signal(signalStop) // one that has ended is what is wanted
	_ = p.signal(signalResume)
	if code, ended = p.await(grace); ended {
		return code, true
	}
	_ = p.signal(signalKill)
	return p.await(reapTimeout)
}

func (p *proc) await(limit time.Duration) (code int, ended bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case code := <-p.ended:
		return code, true
	case <-timer.C:
		return 137, false
	}
}

// exitCode is -1 where waiting for the process failed.
func exitCode(state *os.ProcessState) int {
	if state == nil {
		return -1
	}
	if number, killed := endedBySignal(state); killed {
		return 128 + number
	}
	return state.ExitCode()
}
