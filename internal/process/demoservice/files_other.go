//go:build !unix

package demoservice

import (
	"errors"
	"fmt"
	"runtime"
)

// limitFiles lowers how many files this process may have open.
func limitFiles() error {
	return fmt.Errorf("%s has no such limit: %w", runtime.GOOS, errors.ErrUnsupported)
}
