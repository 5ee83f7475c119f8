//go:build linux || darwin

package check

import "golang.org/x/sys/unix"

// statfs counts as df does: what is reserved for root is neither free nor a part
// of the whole.
func statfs(path string) usage {
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(path, &fs)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return usage{err: err}
		}
		size := uint64(fs.Bsize)
		return usage{bytes: (fs.Blocks - fs.Bfree + fs.Bavail) * size, freeBytes: fs.Bavail * size, inodes: fs.Files, freeInodes: fs.Ffree}
	}
}
