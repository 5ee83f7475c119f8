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
	"logstream/internal/redact"
)

// A container writes what it likes: these bound what of it is kept.
const (
	maxTail     = 1000     // lines
	maxText     = 4 << 10  // bytes of one line; the rest is cut off
	engineChunk = 17 << 10 // bytes: the engine keeps a longer line as several, each of which counts for the tail
)

// Logs are the last lines that the container wrote to both its outputs, at
// most 1000 of at most 4 KiB, oldest first. The secrets among the container's
// variables are masked in them.
func (r *Runtime) Logs(ctx context.Context, id string, tail int) ([]container.Line, error) {
	tail = min(tail, maxTail)
	if tail <= 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
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
	if state.Config != nil {
		hide(lines, redact.OfEnvironment(state.Config.Env))
	}
	return lines, nil
}

// hide masks in lines what they alone do not show to be secret: the values of the
// container's variables, and private keys that are several lines.
func hide(lines []container.Line, secrets []string) {
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = redact.Known(line.Text, secrets...)
	}
	redact.Keys(texts)
	for i, text := range texts {
		lines[i].Text = text
	}
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
	return container.Line{Time: at, Text: strings.ToValidUTF8(cut(text), "?")}
}

// maxWord is how many bytes of a word that was cut are left out: the rest of a
// secret does not look like one.
const maxWord = 512

// cut is the beginning of a text that is too long, in whole words.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	text = text[:maxText]
	if space := strings.LastIndexAny(text, " \t"); space >= maxText-maxWord {
		return text[:space]
	}
	return text
}
