package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"logstream/internal/container"
)

// A container writes what it likes: these bound what of it is kept.
const (
	maxTail     = 1000     // lines
	maxText     = 4 << 10  // bytes of one line; the rest is cut off
	engineChunk = 17 << 10 // bytes: the engine keeps a longer line as several, each of which counts for the tail
)

// Logs are the last lines that the container wrote to both its outputs, at
// most 1000 of at most 4 KiB, oldest first.
func (r *Runtime) Logs(ctx context.Context, id string, tail int) ([]container.Line, error) {
	tail = min(tail, maxTail)
	if tail <= 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	state, err := r.inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	var lines []container.Line
	err = r.call(ctx, "read the log of", "container "+short(id), func(e engine) error {
		stream, err := e.ContainerLogs(ctx, id, apicontainer.LogsOptions{
			ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: strconv.Itoa(tail)})
		if err != nil {
			return err
		}
		tty := state.Config != nil && state.Config.Tty
		lines, err = readLines(io.LimitReader(stream, int64(tail)*engineChunk), tty, tail)
		return errors.Join(err, stream.Close())
	})
	if err != nil {
		return nil, err
	}
	return lines, nil
}

// readLines reads the last lines of a log stream: the bare output of a
// terminal, or both outputs in the engine's frames.
func readLines(stream io.Reader, tty bool, tail int) ([]container.Line, error) {
	var kept tailBuffer
	kept.limit = tail
	out, fail := &lineWriter{to: &kept}, &lineWriter{to: &kept}
	var err error
	if tty {
		_, err = io.Copy(out, stream)
	} else {
		_, err = stdcopy.StdCopy(out, fail, stream)
	}
	out.end()
	fail.end()
	return kept.lines, err
}

// tailBuffer keeps the last lines.
type tailBuffer struct {
	limit int
	lines []container.Line
}

func (b *tailBuffer) add(raw []byte) {
	if len(b.lines) == b.limit {
		b.lines = append(b.lines[:0], b.lines[1:]...)
	}
	b.lines = append(b.lines, toLine(raw))
}

// lineWriter cuts what is written to it into lines.
type lineWriter struct {
	to      *tailBuffer
	pending []byte // the line that has no end yet, bounded
}

func (w *lineWriter) Write(p []byte) (int, error) {
	rest := p
	for {
		head, tail, ended := bytes.Cut(rest, []byte("\n"))
		room := maxText + len(time.RFC3339Nano) - len(w.pending)
		w.pending = append(w.pending, head[:min(len(head), max(room, 0))]...)
		if !ended {
			return len(p), nil
		}
		w.to.add(w.pending)
		w.pending, rest = w.pending[:0], tail
	}
}

func (w *lineWriter) end() {
	if len(w.pending) > 0 {
		w.to.add(w.pending)
		w.pending = nil
	}
}

// toLine takes the engine's time off a line. A line without one has no time.
func toLine(raw []byte) container.Line {
	text := strings.TrimRight(string(raw), "\r")
	stamp, rest, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err == nil {
		text = rest
	}
	return container.Line{Time: at, Text: strings.ToValidUTF8(text[:min(len(text), maxText)], "?")}
}
