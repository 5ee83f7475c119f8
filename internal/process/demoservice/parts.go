package demoservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	queryTimeout = 300 * time.Millisecond
	quota        = 1 << 20 // bytes that the service's disk has
	maxLedger    = 1 << 16 // bytes; then it begins anew
	ledgerFiles  = 8       // that are open while an order is written
	spareFiles   = 4       // left by the fault fds, so that connections are accepted
	fewFiles     = 64      // the limit that the fault fds sets
)

// dependency is another service that is needed for every order.
type dependency struct {
	name, address string
	client        http.Client
}

// needs reads NAME@ADDRESS.
func needs(text string) (*dependency, error) {
	name, address, both := strings.Cut(text, "@")
	if !both || name == "" || address == "" {
		return nil, errors.New("NAME@ADDRESS is meant")
	}
	return &dependency{name: name, address: address, client: http.Client{Timeout: queryTimeout}}, nil
}

// query is nil if the dependency serves.
func (d *dependency) query(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.address+"/", nil)
	if err != nil {
		return err
	}
	response, err := d.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16)) // so that the connection is used again
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", d.name, response.Status)
	}
	return nil
}

// disk is where the service stores its orders: a directory in which it may use
// quota bytes. What fills it outlives the process.
type disk struct{ dir string }

func (d disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves no space.
func (d disk) fill() error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(d.ballast(), make([]byte, quota), 0o600)
}

// free gives the space back. A directory that only the fault needed goes too.
func (d disk) free() error {
	err := os.Remove(d.ballast())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// write appends to the ledger, where the service has a directory.
func (d disk) write(line string) error {
	path := filepath.Join(d.dir, "orders")
	if full, err := os.Stat(d.ballast()); err == nil && full.Size()+int64(len(line)) > quota {
		return &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	flags := os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxLedger {
		flags = os.O_TRUNC
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has none
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	return errors.Join(err, file.Close())
}

// files are the descriptors of the process.
type files struct {
	mu   sync.Mutex
	held []*os.File // by the fault
}

// open opens what an order needs, and closes it.
func (f *files) open() error {
	var opened []*os.File
	defer func() {
		for _, file := range opened {
			_ = file.Close()
		}
	}()
	for range ledgerFiles {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		opened = append(opened, file)
	}
	return nil
}

// exhaust lowers the limit, and opens files until there are too many.
func (f *files) exhaust() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := limitFiles(); err != nil {
		return err
	}
	for range fewFiles {
		file, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		f.held = append(f.held, file)
	}
	for range min(spareFiles, len(f.held)) {
		last := len(f.held) - 1
		_ = f.held[last].Close()
		f.held = f.held[:last]
	}
	return nil
}
