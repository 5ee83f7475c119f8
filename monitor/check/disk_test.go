//go:build linux || darwin

package check

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"logstream/internal/event"
	"logstream/internal/service"
)

func TestDiskIsJudged(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		url     string
		failure event.Failure
		says    string
	}{
		{"disk://" + dir + "?free=0.001%", "", ""},
		{"disk://" + dir + "?free=1KiB&inodes=1", "", ""},
		{"disk://" + dir + "?free=99.999%", event.FailureDisk, "free at " + dir + ", expected at least 99.999%"},
		{"disk://" + dir + "?free=9000PiB", event.FailureDisk, "expected at least 9000PiB"},
		{"disk://" + filepath.Join(dir, "missing"), event.FailureCheck, "missing: no such file or directory"},
	} {
		if seen := lookOnce(t, c.url, nil); c.failure == "" {
			sees(t, seen, event.Up, "", "")
		} else {
			sees(t, seen, event.Down, c.failure, c.says)
		}
	}
}

func diskOf(t *testing.T, rawURL string, statfs func(string) usage) *diskCheck {
	t.Helper()
	check := newDisk(definitionOf(t, rawURL, func(d *service.Definition) { d.Timeout = patience }), Env{}).(*diskCheck)
	check.statfs = statfs
	return check
}

func TestDiskCountsBytesAndInodes(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		name, query string
		is          usage
		says        string // empty: UP
	}{
		{"enough", "", usage{bytes: 100 * gib, freeBytes: 10 * gib, inodes: 100, freeInodes: 10}, ""},
		{"too little by default", "", usage{bytes: 100 * gib, freeBytes: 9 * gib, inodes: 100, freeInodes: 90}, "9.0 GiB (9.0%) free at /data, expected at least 10%"},
		{"a part as people write it", "?free=20%", usage{bytes: 100 * gib, freeBytes: 10 * gib}, "expected at least 20%"},
		{"a part as urls have it", "?free=20%25", usage{bytes: 100 * gib, freeBytes: 10 * gib}, "expected at least 20%"},
		{"bytes", "?free=5GiB", usage{bytes: 100 * gib, freeBytes: 5 * gib, inodes: 100}, ""},
		{"too few bytes", "?free=5GiB", usage{bytes: 100 * gib, freeBytes: 5*gib - 1}, "expected at least 5GiB"},
		{"thousands are not 1024", "?free=5GB", usage{bytes: 100 * gib, freeBytes: 5_000_000_000}, ""},
		{"inodes as the bytes", "?free=20%", usage{bytes: 100 * gib, freeBytes: 50 * gib, inodes: 1000, freeInodes: 100}, "100 inodes (10.0%) free at /data, expected at least 20%"},
		{"inodes by themselves", "?free=20%&inodes=5%", usage{bytes: 100 * gib, freeBytes: 50 * gib, inodes: 1000, freeInodes: 100}, ""},
		{"a number of inodes", "?free=5GiB&inodes=200", usage{bytes: 100 * gib, freeBytes: 50 * gib, inodes: 1000, freeInodes: 100}, "expected at least 200"},
		{"inodes are not counted", "?inodes=5%", usage{bytes: 100 * gib, freeBytes: 50 * gib}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := diskOf(t, "disk:///data"+c.query, func(string) usage { return c.is }).Check(t.Context())
			if c.says == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, event.FailureDisk, c.says)
			}
		})
	}
}

// TestFileSystemThatDoesNotAnswer is one whose server is gone: the kernel
// answers no sooner than that does.
func TestFileSystemThatDoesNotAnswer(t *testing.T) {
	asked, answers := make(chan struct{}, 10), make(chan usage)
	check := diskOf(t, "disk:///net", func(string) usage {
		asked <- struct{}{}
		return <-answers
	})
	for range 3 {
		sees(t, check.Check(t.Context()), event.Down, event.FailureDisk, "the file system at /net did not answer within 400ms")
	}
	if n := len(asked); n != 1 {
		t.Errorf("the kernel was queried %d times at once, want once", n)
	}
	answers <- usage{bytes: 100, freeBytes: 100}
	sees(t, check.Check(t.Context()), event.Up, "", "")
	go func() { answers <- usage{err: errors.Join(syscall.EIO)} }()
	sees(t, check.Check(t.Context()), event.Down, event.FailureCheck, "/net: ")
}

func TestPathOfADiskIsShownSafely(t *testing.T) {
	seen := diskOf(t, "disk:///a%0ab%1b[31m", func(string) usage { return usage{err: syscall.ENOENT} }).Check(t.Context())
	if strings.ContainsAny(seen.Error, "\n\x1b") {
		t.Errorf("%q holds control characters", seen.Error)
	}
}
