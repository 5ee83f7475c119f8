//go:build linux || darwin

package check

import "golang.org/x/sys/unix"

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
		return usageOf(&fs)
	}
}

// usageOf counts as df does: what is reserved for root is neither free nor a part
// of the whole.
func usageOf(fs *unix.Statfs_t) usage {
	size := blockSize(fs)
	return usage{bytes: (fs.Blocks - fs.Bfree + fs.Bavail) * size, freeBytes: fs.Bavail * size, inodes: fs.Files, freeInodes: fs.Ffree}
}
