package check

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestBlocksAreCountedInFragments: on FUSE and virtiofs Bsize is what is best to
// read, and blocks are counted in another size.
func TestBlocksAreCountedInFragments(t *testing.T) {
	for _, c := range []struct {
		fs   unix.Statfs_t
		free uint64
	}{
		{unix.Statfs_t{Bsize: 1 << 20, Frsize: 4 << 10, Blocks: 100, Bfree: 30, Bavail: 20}, 20 * 4 << 10},
		{unix.Statfs_t{Bsize: 4 << 10, Blocks: 100, Bfree: 30, Bavail: 20}, 20 * 4 << 10}, // a kernel that does not say
	} {
		if seen := usageOf(&c.fs); seen.freeBytes != c.free || seen.bytes != c.free*90/20 {
			t.Errorf("%+v: %+v", c.fs, seen)
		}
	}
}
