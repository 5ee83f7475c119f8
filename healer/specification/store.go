// Package specification keeps what it takes to recreate a container, the values
// of its variables included. They are secret: they stay in files of the data
// directory that only its owner reads, and are on no topic.
package specification

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

const (
	perService = 2       // the newest, and the one before it
	maxSize    = 4 << 20 // bytes of one
)

// Store is a directory with a directory for each service, in which files are
// called by the hashes of specifications. It is made when something is kept.
type Store struct{ Dir string }

// hashes are what a file may be called.
var hashes = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

// Kept are the keys of all that are kept.
func (s Store) Kept() ([]string, error) {
	dirs, err := entries(s.Dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, dir := range dirs {
		files, err := entries(filepath.Join(s.Dir, dir))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if hashes.MatchString(name) {
				all = append(all, dir+"/"+name)
			}
		}
	}
	return all, nil
}

// entries are the names in a directory; none where it is no directory.
func entries(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	names := make([]string, len(list))
	for i, entry := range list {
		names[i] = entry.Name()
	}
	return names, err
}

// Keep writes a specification, and deletes all of the service but it and the one
// before it. It is on the disk when Keep returns.
func (s Store) Keep(service, hash string, spec []byte) error {
	path, err := s.path(service, hash)
	switch {
	case err != nil:
		return err
	case len(spec) == 0 || len(spec) > maxSize:
		return fmt.Errorf("a specification of %d bytes is not kept", len(spec))
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := write(path, spec); err != nil {
		return err
	}
	return forget(dir)
}

// Load reads a specification.
func (s Store) Load(service, hash string) ([]byte, error) {
	path, err := s.path(service, hash)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("it is not in the data directory any more")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return io.ReadAll(io.LimitReader(file, maxSize))
}

// Key is what a service's specification with that hash is called here: two
// services may have containers of the same one. A service's name may be anything.
func Key(service, hash string) string {
	sum := sha256.Sum256([]byte(service))
	return hex.EncodeToString(sum[:12]) + "/" + hash
}

// path is where a specification is kept.
func (s Store) path(service, hash string) (string, error) {
	if !hashes.MatchString(hash) {
		return "", fmt.Errorf("%q is not the hash of a specification", hash)
	}
	return filepath.Join(s.Dir, filepath.FromSlash(Key(service, hash))), nil
}

// write writes a file whole or not at all, for its owner alone.
func write(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // what is left of it is deleted by the next one
		}
	}()
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it was only read
	return d.Sync()
}

// forget deletes all files of a directory but the newest.
func forget(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	type aged struct {
		name string
		at   time.Time
	}
	var all []aged
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // it is gone
		}
		at := info.ModTime()
		if !hashes.MatchString(e.Name()) {
			at = time.Time{} // the rest of one that was not written whole
		}
		all = append(all, aged{e.Name(), at})
	}
	slices.SortFunc(all, func(a, b aged) int { return b.at.Compare(a.at) })
	for i, old := range all {
		if i >= perService || old.at.IsZero() {
			if err := os.Remove(filepath.Join(dir, old.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
