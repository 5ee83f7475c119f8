package monitor

import (
	"context"
	"net/url"
	"strings"
	"time"

	"logstream/internal/service"
	"logstream/monitor/check"
)

// task is the checks of one service under one definition. At any time it waits
// in the timetable, or in the line of its host, or a check runs, or it waits
// for the end of its predecessor's. All of it is under the prober's lock, but
// for checker, which belongs to the check that runs.
type task struct {
	def     service.Definition
	about   string // the name of its problems, and of its goroutines
	kind    string // of check
	host    string // that it dials
	ctx     context.Context
	cancel  context.CancelFunc
	checker check.Checker // nil before the first check

	plan   schedule
	wake   time.Time
	place  int  // in the timetable, from 1; zero: it is not there
	inLine bool // of its host
	busy   bool // a check runs
	stale  bool // the next check makes a new connection
	gone   bool // its definition is not the service's any more
}

// newTask is the checks of a service; nil: nothing is checked.
func newTask(ctx context.Context, def service.Definition, anchor, now time.Time, among int) *task {
	kind, is := check.Of(def.URL)
	if !is {
		return nil
	}
	t := &task{def: def, about: "checks of " + def.Name, kind: kind.Name, host: dialled(def),
		plan: newSchedule(def.Name, def.Interval, anchor, now)}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.plan.introduce(def.Name, now, among)
	return t
}

// dialled is the host and port that a service's checks dial, as its url has
// them; empty where they dial none.
func dialled(def service.Definition) string {
	u, err := url.Parse(def.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// sameCheck says whether two definitions are checked in the same way.
func sameCheck(a, b service.Definition) bool {
	return a.Interval == b.Interval && a.Timeout == b.Timeout && a.SameCheck(b)
}

func (t *task) close() {
	if t.checker != nil {
		t.checker.Close()
	}
}
