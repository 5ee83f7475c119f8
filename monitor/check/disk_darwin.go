package check

import "golang.org/x/sys/unix"

// blockSize is what blocks are counted in.
func blockSize(fs *unix.Statfs_t) uint64 { return uint64(fs.Bsize) }
