package healer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"logstream/healer/loglines"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
)

// While an update is watched, the errors in the container's log are compared with
// those from before it. They are one fact more: what the checks and the container's
// ends show is judged more strictly beside them. Alone they call a person at most:
// a service that answers as before is not replaced for what it logs.

const (
	compareLeast = 5 * time.Second // between two comparisons of one service, and
	compareMost  = time.Minute     // at most

	comparesAtOnce = 4 // of all services: many may be updated at the same moment
)

// logComparison is what is known of the log of a service's present container.
type logComparison struct {
	learned   time.Time // up to when the log of the container before is known; zero: it is not
	begun     time.Time // when the newest comparison was
	running   bool      // its outcome has not come, and may never come
	container string    // of the newest outcome
	logs      event.UpdateLogs
	excused   time.Time // when a check last failed that says nothing of the image: neither does what was written up to then
}

// shown is what the log of a container shows; nil: nothing is known of it.
func (l logComparison) shown(container string) *event.UpdateLogs {
	if l.container == "" || l.container != container {
		return nil
	}
	logs := l.logs
	return &logs
}

// compareDue says whether the log of a service is to be compared, and from when on:
// the newest half of the watch, for what a start writes passes.
func compareDue(c *Controller, s *serviceState, now time.Time) (from time.Time, due bool) {
	u, i, watch := s.update.Update, s.inspection, c.config.Update.Watch
	switch {
	case u == nil || s.logs.learned.IsZero() || u.Verdict == event.UpdateGood || u.FailingBefore || s.removed || c.engine.Lost():
		return from, false
	case i.at.IsZero() || i.open || i.err != nil || i.state.Status != container.Running || i.state.ImageID != u.ImageID:
		return from, false
	case now.Sub(s.logs.begun) < min(max(watch/6, compareLeast), compareMost):
		return from, false
	}
	return later(later(u.Since, now.Add(-watch/2)), s.logs.excused), true
}

// compareLogs begins the comparisons that are due, at most comparesAtOnce at a time: first
// the service whose last comparison was longest ago.
func compareLogs(c *Controller, now time.Time) {
	free, waiting := comparesAtOnce, []*serviceState{}
	for _, name := range c.order {
		s := c.services[name]
		if s.logs.running && now.Sub(s.logs.begun) < inspectLimit {
			free--
		} else if _, due := compareDue(c, s, now); due {
			waiting = append(waiting, s)
		}
	}
	slices.SortStableFunc(waiting, func(a, b *serviceState) int { return a.logs.begun.Compare(b.logs.begun) })
	for _, s := range waiting[:max(0, min(free, len(waiting)))] {
		from, _ := compareDue(c, s, now)
		s.logs.begun, s.logs.running = now, true
		c.emit(CompareLogs{Service: s.def.Name, ContainerID: s.inspection.state.ID, Changed: s.update.Update.Since, From: from, Learned: s.logs.learned, AtLeast: c.config.Update.Watch})
	}
}

// logsCompared takes what a comparison found.
func logsCompared(c *Controller, in LogsCompared, now time.Time) {
	if s := c.services[in.Service]; s != nil {
		s.logs.container, s.logs.logs, s.logs.running = in.ContainerID, in.Logs, false
		c.reconcile(s, now)
	}
}

// compareLines reads and compares a container's log.
func compareLines(l *life, e CompareLogs) {
	ctx, cancel := context.WithTimeout(l.work, inspectLimit)
	defer cancel()
	lines, err := l.deps.Runtime.Logs(ctx, e.ContainerID, logTail)
	if err != nil {
		l.deps.Logger.Debug("log lines of a new image not read", "service", e.Service, "error", err)
		return
	}
	secrets := secretsOf(l.deps, e.Service)
	for i := range lines {
		lines[i].Text = redact.Known(lines[i].Text, secrets...)
	}
	if news, known := l.memories.news(e, lines); known {
		l.give(l.work, timed{in: LogsCompared{e.Service, e.ContainerID, event.UpdateLogs{Known: news.Known, New: news.New, Example: news.Example}}})
	}
}

func (m *memories) news(e CompareLogs, lines []container.Line) (loglines.News, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.of[e.Service].News(lines, e.Changed, e.Learned, e.From, e.AtLeast)
}

// newErrors is what the log of an updated service shows, in words.
func newErrors(l *event.UpdateLogs) string {
	if l == nil {
		return "its log has error messages that it did not have before"
	}
	return fmt.Sprintf("its log has %d error messages that it did not have before, such as %q", l.New, l.Example)
}
