// Package command executes an operator's own command: a fixed list of words that
// no shell sees, in a process group of its own, for a bounded time.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// leftOpen is how long the output of a command that ended is waited for, where
// a process that it started holds it open.
const leftOpen = time.Second

// Command is what is executed.
type Command struct {
	Args []string // the program first: an absolute path, or a name in PATH
	Dir  string   // in which it works
	// Service and Incident are in its environment, as LOGSTREAM_SERVICE and
	// LOGSTREAM_INCIDENT, beside PATH and HOME of this process, and nothing else.
	Service, Incident string
}

// Run executes c until it ends or ctx does: then its whole process group is
// killed. It returns the last event.MaxOutput bytes that it printed, which are
// hostile, and an error where it did not end with 0.
func Run(ctx context.Context, c Command) (string, error) {
	if len(c.Args) == 0 {
		return "", errors.New("the command is empty")
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir = c.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LOGSTREAM_SERVICE=" + c.Service, "LOGSTREAM_INCIDENT=" + c.Incident}
	ownGroup(cmd)
	cmd.WaitDelay = leftOpen
	out := &tail{most: event.MaxOutput}
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success():
		return out.String(), nil
	case ctx.Err() != nil:
		return out.String(), fmt.Errorf("it did not end within %s and was killed", time.Since(began).Round(time.Second))
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return out.String(), fmt.Errorf("it ended with exit code %d%s", exit.ExitCode(), lastLine(out.String()))
	case errors.As(err, &exit):
		return out.String(), fmt.Errorf("it was ended by a signal: %v", exit)
	}
	return out.String(), fmt.Errorf("it cannot be executed: %w", errors.Unwrap(err))
}

// lastLine is what a command said last, as the end of a sentence.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}

// tail keeps the last bytes of what is written to it.
type tail struct {
	most int
	kept []byte
	cut  int // bytes that were left out
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if more := len(t.kept) - t.most; more > t.most { // not at each write
		t.kept = append([]byte(nil), t.kept[more:]...)
		t.cut += more
	}
	return len(p), nil
}

// String is what was kept, and how much was left out.
func (t *tail) String() string {
	cut := t.cut
	kept := t.kept
	if more := len(kept) - t.most; more > 0 {
		kept, cut = kept[more:], cut+more
	}
	if cut == 0 {
		return string(kept)
	}
	return fmt.Sprintf("… %d bytes before this\n%s", cut, kept)
}

// Problems are what is wrong with the commands of a definition on this machine.
func Problems(d service.Definition) []service.Problem {
	var all []service.Problem
	for _, c := range d.Heal.Commands {
		if len(c.Args) == 0 || c.Args[0] == "" {
			continue // service.Definition.Problems says so
		}
		program := c.Args[0]
		why := ""
		if strings.Contains(program, "/") && !filepath.IsAbs(program) {
			why = "must name its program by an absolute path, or by a name in PATH"
		} else if _, err := exec.LookPath(program); err != nil {
			why = "names a program that cannot be executed here: " + reason(err)
		}
		if why != "" {
			all = append(all, service.Problem{Key: "heal.commands", Message: fmt.Sprintf("has %q, which %s", c.Name, why)})
		}
	}
	return all
}

// reason is why a program was not found, without its name.
func reason(err error) string {
	var failed *exec.Error
	switch {
	case errors.As(err, &failed) && errors.Is(failed.Err, exec.ErrNotFound):
		return "it is not in PATH"
	case errors.As(err, &failed):
		err = failed.Err
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}
