//go:build unix

package demoservice

import "syscall"

// limitFiles lowers how many files this process may have open.
func limitFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur > fewFiles {
		limit.Cur = fewFiles
	}
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
