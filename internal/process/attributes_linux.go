package process

import "syscall"

// attributes give a child a process group of its own, which the kernel ends
// when it is stopped and has lost its parent. That holds only where the
// process that inherits the child is of another session, so the kernel is
// also asked to kill the child with the thread that started it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
