package check

import "golang.org/x/sys/unix"

// blockSize is what blocks are counted in: Bsize, which on FUSE is another size,
// is what is best to read.
func blockSize(fs *unix.Statfs_t) uint64 {
	if fs.Frsize > 0 {
		return uint64(fs.Frsize)
	}
	return uint64(fs.Bsize)
}
