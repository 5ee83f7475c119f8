package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// What is checked on this machine: the configuration file, the data directory
// and its disk, the clock, and what listens.

func checkConfig(_ context.Context, s *Subject) []Result {
	switch {
	case !s.Exists:
		return []Result{configMissing(s.Path)}
	case len(s.Errors) > 0:
		return []Result{configWrong(s.Path, s.Errors)}
	case len(s.Warnings) > 0:
		return []Result{configWarned(s.Path, s.Warnings)}
	}
	return []Result{configValid(s.Path, s.Settings)}
}

// secretFiles are those of the data directory that others must not read.
var secretFiles = []string{"secret"}

func checkData(ctx context.Context, s *Subject) []Result {
	dir := s.Settings.Data
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if parent := existing(dir); !writable(parent) {
			return []Result{dataCannotBeMade(dir, parent)}
		}
		return []Result{dataNotMade(dir)}
	case err != nil:
		return []Result{dataUnreadable(dir, err)}
	case !info.IsDir():
		return []Result{dataNoDirectory(dir)}
	case !writable(dir):
		return []Result{dataNotWritable(dir)}
	}
	for _, name := range secretFiles {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
			return []Result{secretReadable(path, info.Mode().Perm())}
		}
	}
	return []Result{dataUsable(dir, s.seenKafka(ctx).Running)}
}

// existing is the directory, or the nearest above it that exists.
func existing(dir string) string {
	dir, err := filepath.Abs(dir)
	for err == nil {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// Space on the disk, in bytes: below least nothing is written any more, and
// spare is what else is needed beside the event log.
const (
	leastFree = 32 << 20
	spare     = 64 << 20
)

func checkDisk(_ context.Context, s *Subject) []Result {
	dir := existing(s.Settings.Data)
	free, known := freeBytes(dir)
	switch {
	case !known:
		return nil
	case free < leastFree:
		return []Result{diskFull(dir, free)}
	case free < s.Settings.LogBytes+spare:
		return []Result{diskTight(dir, free, s.Settings.LogBytes+spare)}
	}
	return []Result{diskFree(dir, free)}
}

// Clocks that differ by more than this are reported: events of two sources are
// put in order by their times.
const (
	clocksDiffer = 2 * time.Second
	clocksApart  = time.Minute // a command counts for so long
)

func checkClock(ctx context.Context, s *Subject) []Result {
	if s.engine(ctx) != nil && !s.about.Clock.IsZero() {
		switch by := s.about.Clock.Sub(s.about.Asked); {
		case by.Abs() > clocksApart:
			return []Result{clockWrong(by)}
		case by.Abs() > clocksDiffer:
			return []Result{clockOff(by)}
		}
	}
	if synchronised, known := clockSynchronised(); known && !synchronised {
		return []Result{clockFree()}
	} else if !known {
		return []Result{clockSame()}
	}
	return []Result{clockRight()}
}

func checkPorts(ctx context.Context, s *Subject) []Result {
	var all []Result
	running := s.seenKafka(ctx).Running
	for _, at := range s.Settings.Listen {
		err := listen(ctx, at.Address)
		switch {
		case err == nil:
			all = append(all, portFree(at))
		case errors.Is(err, syscall.EADDRINUSE) && running != "":
			all = append(all, portOurs(at, running))
		case errors.Is(err, syscall.EADDRINUSE):
			all = append(all, portTaken(at))
		case errors.Is(err, syscall.EACCES):
			all = append(all, portForbidden(at))
		default:
			all = append(all, portUnusable(at, err))
		}
	}
	return all
}

// listen is why nothing can listen there, or nil.
func listen(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
