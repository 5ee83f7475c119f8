//go:build unix

package process

import (
	"os"
	"syscall"
)

// signal is what a child is sent.
type signal syscall.Signal

const (
	signalStop   = signal(syscall.SIGTERM)
	signalKill   = signal(syscall.SIGKILL)
	signalPause  = signal(syscall.SIGSTOP)
	signalResume = signal(syscall.SIGCONT)
)

func (s signal) number() int { return int(s) }

func (s signal) send(to *os.Process) error { return to.Signal(syscall.Signal(s)) }

func endedBySignal(state *os.ProcessState) (number int, killed bool) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0, false
	}
	return int(status.Signal()), true
}
