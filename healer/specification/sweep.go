package specification

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// unusedSince marks the directory of a service that is not configured: its time is
// when that was first seen. It is no specification's name.
const unusedSince = ".unused"

// isDirectory is what a service's directory may be called.
var isDirectory = regexp.MustCompile(`^[0-9a-f]{24}$`)

// Sweep deletes the specifications of services that are not among those that are
// configured, once that is so for as long as after, and says whether there were
// any. Since when it is so stays on the disk: an edit that is put back sooner loses
// nothing, and a restart of LogStream prolongs nothing.
func (s Store) Sweep(configured []string, after time.Duration, now time.Time) (swept bool, err error) {
	used := map[string]bool{}
	for _, service := range configured {
		used[directory(service)] = true
	}
	dirs, err := entries(s.Dir)
	if err != nil {
		return false, err
	}
	var failed []error
	for _, name := range dirs {
		dir := filepath.Join(s.Dir, name)
		mark := filepath.Join(dir, unusedSince)
		info, err := os.Stat(mark)
		switch {
		case !isDirectory.MatchString(name): // it is not ours
		case used[name] && err == nil:
			failed = append(failed, os.Remove(mark))
		case used[name]:
		case errors.Is(err, os.ErrNotExist):
			failed = append(failed, markUnused(mark, now))
		case err != nil:
			failed = append(failed, err)
		case now.Sub(info.ModTime()) >= after:
			swept = true
			failed = append(failed, os.RemoveAll(dir))
		}
	}
	return swept, errors.Join(failed...)
}

func markUnused(mark string, now time.Time) error {
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return err
	}
	return os.Chtimes(mark, now, now)
}

// directory is what a service's directory is called.
func directory(service string) string {
	dir, _, _ := strings.Cut(Key(service, ""), "/")
	return dir
}
