//go:build unix

package check

import "syscall"

// nothingToRead says whether a socket has neither bytes nor its end to read.
func nothingToRead(fd uintptr) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
	return err == syscall.EAGAIN // Go's sockets do not block
}
