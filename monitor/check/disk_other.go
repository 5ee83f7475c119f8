//go:build !linux && !darwin

package check

import "errors"

func statfs(string) usage { return usage{err: errors.ErrUnsupported} }
