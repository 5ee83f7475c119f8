package dashboard

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	logLines, maxLogLines = 200, 1000
	maxLogBytes           = 256 << 10
	logsKept              = 300 * time.Millisecond // pages read each second
)

// logLine is one line of a container's output.
type logLine struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// logsAnswer is the end of a container's output.
type logsAnswer struct {
	Lines  []logLine `json:"lines"`  // redacted, the newest last
	Cursor string    `json:"cursor"` // of the newest line, for "after"; empty: there is no line
	Gap    bool      `json:"gap"`    // the line of "after" is not among those that were read: others may be missing before these
}

func (r *run) getLogs(w http.ResponseWriter, req *http.Request) {
	tail, ok := number(req.URL.Query().Get("tail"), logLines, maxLogLines)
	if !ok {
		failf(w, http.StatusBadRequest, `"tail" must be a number from 1 to %d`, maxLogLines)
		return
	}
	after := req.URL.Query().Get("after")
	if after != "" && !isCursor(after) {
		failf(w, http.StatusBadRequest, `"after" must be the cursor of an answer, not %s`, quoted(after))
		return
	}
	ref, is := r.containerOf(w, req, r.deps.Logs != nil)
	if !is {
		return
	}
	lines, err := r.logs.get(ref, func(ctx context.Context) ([]logLine, error) { // one read for every tail
		lines, err := r.deps.Logs(ctx, ref, maxLogLines)
		return bounded(lines), err
	})
	if err != nil {
		r.failRead(w, req, ref, "the logs", err)
		return
	}
	reply(w, http.StatusOK, newer(lines[max(0, len(lines)-tail):], after))
}

// containerOf returns the name of the container of the request's service. Where it cannot
// be read here it writes the response, and returns false.
func (r *run) containerOf(w http.ResponseWriter, req *http.Request, readable bool) (ref string, is bool) {
	name := req.PathValue("name")
	var def *event.Definition
	var shown view.Service
	if !r.fetch(w, req, func(l *loop) { shown, _ = l.fleet.Service(name, now()); def = l.fleet.Definition(name) }) {
		return "", false
	}
	switch {
	case def == nil:
		noService(w, name)
	case def.Container == "":
		failf(w, http.StatusNotFound, "%q has no container", name)
	case shown.Host != r.deps.Identity.Host || !readable:
		failf(w, http.StatusNotFound, "the container of %q runs on another host", name)
	default:
		return def.Container, true
	}
	return "", false
}

// failRead answers a request with the reason why what of a container cannot be read.
func (r *run) failRead(w http.ResponseWriter, req *http.Request, ref, what string, err error) {
	name := req.PathValue("name")
	var ambiguous *container.AmbiguousError
	switch {
	case errors.Is(err, container.ErrNotFound):
		failf(w, http.StatusNotFound, "the container %q of %q does not exist", ref, name)
	case errors.As(err, &ambiguous):
		fail(w, http.StatusNotFound, ambiguous.Error())
	default:
		r.log.Warn("Docker did not answer a request of the page", "service", name, "container", ref, "error", err)
		failf(w, http.StatusServiceUnavailable, "%s of %q cannot be read: Docker did not answer; see the log of LogStream", what, name)
	}
}

// bounded are the newest lines, redacted, of maxLogBytes at most.
func bounded(lines []container.Line) []logLine {
	shown := []logLine{}
	for left := maxLogBytes; len(lines) > 0 && len(shown) < maxLogLines; lines = lines[:len(lines)-1] {
		newest := lines[len(lines)-1]
		text := redact.Text(text.Line(strings.ReplaceAll(newest.Text, "\t", "    ")))
		if left -= len(text); left < 0 {
			break
		}
		shown = append(shown, logLine{newest.Time, text})
	}
	slices.Reverse(shown)
	return shown
}

// newer are the lines after the one that the cursor after names.
func newer(lines []logLine, after string) logsAnswer {
	answer := logsAnswer{Lines: lines, Cursor: after}
	if len(lines) > 0 {
		answer.Cursor = lines[len(lines)-1].cursor()
	}
	if after == "" {
		return answer
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].cursor() == after {
			answer.Lines = lines[i+1:]
			return answer
		}
	}
	answer.Gap = len(lines) > 0
	return answer
}

// cursor names a line by its time and text: an engine numbers none, and lines of
// its two outputs may have been written in another order than their times.
func (l logLine) cursor() string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(l.Text)) // it never fails
	var at int64
	if !l.Time.IsZero() {
		at = l.Time.UnixNano()
	}
	return fmt.Sprintf("%d-%016x", at, hash.Sum64())
}

func isCursor(s string) bool {
	at, hash, is := strings.Cut(s, "-")
	_, notTime := strconv.ParseInt(at, 10, 64)
	_, notHash := strconv.ParseUint(hash, 16, 64)
	return is && notTime == nil && notHash == nil && len(hash) == 16
}
