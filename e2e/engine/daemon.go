//go:build e2e

package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTimeout is how long a daemon may take to end when it is asked to:
// dockerd gives its containers 15 s.
const stopTimeout = 30 * time.Second

// daemon is a process that we start and end by its ID.
type daemon struct {
	args []string

	mu    sync.Mutex
	name  string
	log   string
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended; nil: never started
}

// start starts the program in that folder (empty: on the PATH) unless it runs.
// It ends with this process.
func (d *daemon) start(folder, name, log string) error {
	if d.running() {
		return nil
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(folder, name), d.args...)
	cmd.Env = environ(folder)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The kernel sends Pdeathsig when the starting thread ends, so that
		// thread has to last as long as the daemon.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		defer close(ended)
		_ = cmd.Wait() // how it ended is in its log
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.name, d.log, d.cmd, d.ended = name, log, cmd, ended
	return nil
}

func (d *daemon) current() (*exec.Cmd, chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cmd, d.ended
}

func (d *daemon) running() bool {
	_, ended := d.current()
	if ended == nil {
		return false
	}
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

func (d *daemon) pid() int {
	cmd, _ := d.current()
	return cmd.Process.Pid
}

// await waits until the daemon answers.
func (d *daemon) await(answers func() bool) error {
	if within(startTimeout, func() bool { return answers() || !d.running() }) && d.running() {
		return nil
	}
	return fmt.Errorf("start %s: it doesn't answer; the end of its log:\n%s", d.name, lastLines(d.log, 15))
}

// stop signals the daemon to end, and kills it if it doesn't.
func (d *daemon) stop() error {
	return d.end(syscall.SIGTERM)
}

func (d *daemon) kill() error { return d.end(syscall.SIGKILL) }

func (d *daemon) end(signal syscall.Signal) error {
	if !d.running() {
		return nil
	}
	cmd, ended := d.current()
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", d.name, err)
	}
	select {
	case <-ended:
		return nil
	case <-time.After(stopTimeout):
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", d.name, err)
	}
	<-ended
	return fmt.Errorf("end %s: it didn't within %v, and was killed", d.name, stopTimeout)
}

// within waits until condition holds, and reports whether it came to that.
func within(limit time.Duration, condition func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			return condition()
		}
	}
	return true
}

func lastLines(file string, n int) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
