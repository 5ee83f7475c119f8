//go:build unix && !linux

package process

import "syscall"

// attributes give a child a process group of its own, which the kernel ends
// when it is stopped and has lost its parent.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
