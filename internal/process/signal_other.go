//go:build !unix

package process

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// signal is what a child is sent; this system has only the last.
type signal int

const (
	signalStop   signal = 15
	signalPause  signal = 19
	signalResume signal = 18
	signalKill   signal = 9
)

func (s signal) number() int { return int(s) }

func (s signal) send(to *os.Process) error {
	if s == signalKill {
		return to.Kill()
	}
	return fmt.Errorf("%s has no such signal: %w", runtime.GOOS, errors.ErrUnsupported)
}

func endedBySignal(*os.ProcessState) (number int, killed bool) { return 0, false }

func attributes() *syscall.SysProcAttr { return nil }
