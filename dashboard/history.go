package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

const (
	shortestWindow = 15 * time.Minute
	// rollupsWithin is how long what a chart shows may be read.
	rollupsWithin = 15 * time.Second
	// readersAtOnce is how many charts are read at the same time.
	readersAtOnce = 2
)

// historyAnswer is a chart.
type historyAnswer struct {
	Points []view.Point `json:"points"` // at most 500
}

func (r *run) getHistory(w http.ResponseWriter, req *http.Request) {
	window, err := parseWindow(req.URL.Query().Get("window"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	name := req.PathValue("name")
	var span view.Span
	var is, unread bool
	if !r.fetch(w, req, func(l *loop) {
		_, is = l.fleet.Service(name, now())
		span, unread = l.fleet.Unread(name, window, now())
	}) {
		return
	}
	if !is {
		noService(w, name)
		return
	}
	var read []event.Rollup
	if unread {
		if read, err = r.readRollups(req.Context(), span); err != nil {
			r.log.Warn("rollups cannot be read", "service", name, "window", window, "error", err)
			failf(w, http.StatusServiceUnavailable, "the history of %s cannot be read: Kafka did not answer in time; try again in a few seconds", quoted(name))
			return
		}
	}
	var answer historyAnswer
	if r.fetch(w, req, func(l *loop) { answer.Points = l.fleet.Points(name, window, now(), read) }) {
		reply(w, http.StatusOK, answer)
	}
}

// readRollups reads what of a history is not remembered.
func (r *run) readRollups(ctx context.Context, span view.Span) ([]event.Rollup, error) {
	if r.deps.ReadKey == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, rollupsWithin)
	defer cancel()
	select {
	case r.readers <- struct{}{}:
		defer func() { <-r.readers }()
	case <-ctx.Done():
		return nil, errors.New("too many histories are read at once")
	}
	var read []event.Rollup
	err := r.deps.ReadKey(ctx, event.Levels[span.Level].Topic, span.Key.Name, span.Since, time.Time{}, func(rec event.Record) {
		if rolled, err := event.DecodeRollup(rec.Value); err == nil && rec.Signed {
			read = append(read, rolled)
		}
	})
	return read, err
}

// parseWindow reads 15m to 366d, as a duration, in days or as 1y; empty is an hour.
func parseWindow(s string) (time.Duration, error) {
	if s == "" {
		return view.HistoryKept, nil
	}
	d, err := time.ParseDuration(s)
	if days, is := strings.CutSuffix(s, "d"); is {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	} else if s == "1y" {
		d, err = view.Longest, nil
	}
	if err != nil || d < shortestWindow || d > view.Longest {
		return 0, fmt.Errorf(`"window" must be a duration from 15m to 30d, or 1y, not %s`, quoted(s))
	}
	return d, nil
}
