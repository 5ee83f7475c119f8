package dashboard

import (
	"io/fs"
	"strconv"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/testlog"
)

func seconds(t time.Time) string { return strconv.FormatFloat(event.Seconds(t), 'f', 6, 64) }

// errFS is a file system that can't be read.
type errFS struct{}

func (errFS) Open(string) (fs.File, error) { return nil, testlog.ErrUnreachable }

// nothing is configured.
func nothing() []service.Definition { return nil }
