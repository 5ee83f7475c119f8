package bus

import (
	"io/fs"
	"path/filepath"
)

// Disk is how many bytes the topics of the embedded broker take on the disk, and
// how many their health logs may take. Both are 0 with brokers elsewhere.
func (b *Bus) Disk() (used, most int64) {
	if b.broker == nil {
		return 0, 0
	}
	// A segment that is removed meanwhile counts for nothing.
	_ = filepath.WalkDir(filepath.Join(b.config.Embedded.Data, logDir), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			used += info.Size()
		}
		return nil
	})
	return used, int64(b.config.Embedded.MaxSize)
}
