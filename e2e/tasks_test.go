//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/io"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// longestTask is how long a page may keep its main thread in one task, in
// milliseconds of CPU: from there on a person notices that a key waits.
const longestTask = 50.0

// A task's CPU time grows where other tests use the same caches: beside them a task may
// take busyFactor as much, which one that draws the whole fleet still exceeds. The
// thousand services of make soak have the machine for themselves.
const (
	aThousand  = 1000
	busyFactor = 3
	inOutage   = 1.5 // where all of them go down at once, or are down when the page is opened
)

// traced is one event of a trace; times are in microseconds.
type traced struct {
	Name    string  `json:"name"`
	Phase   string  `json:"ph"`
	Process int     `json:"pid"`
	Thread  int     `json:"tid"`
	Wall    float64 `json:"dur"`
	CPU     float64 `json:"tdur"`
	Args    struct {
		Name     string `json:"name"`
		Function string `json:"src_func"`
	} `json:"args"`
}

// tasksDuring traces the browser while f runs, and fails where a task on a page's main
// thread took more than longestTask, or busyFactor as much of a smaller fleet. It is the task's CPU time that counts, by
// the thread's own clock, and not the time on the wall, which PerformanceObserver
// gives: where other programs want the same processors, a task of 3 ms of work is seen
// to last 300 ms, and the time on the wall says nothing about the page.
func tasksDuring(t *testing.T, ctx context.Context, what string, f func()) {
	t.Helper()
	tasksWithin(t, ctx, longestTask, what, f)
}

// tasksWithin is tasksDuring with another limit, in milliseconds.
func tasksWithin(t *testing.T, ctx context.Context, allowed float64, what string, f func()) {
	t.Helper()
	complete := make(chan tracing.EventTracingComplete, 1)
	listens, stop := context.WithCancel(ctx)
	defer stop()
	if err := chromedp.Listen(listens, func(ev any) {
		if ev, is := ev.(*tracing.EventTracingComplete); is {
			complete <- *ev
		}
	}); err != nil {
		t.Fatal(err)
	}
	only := &tracing.TraceConfig{ExcludedCategories: []string{"*"}, IncludedCategories: []string{"toplevel"}}
	if _, err := chromedp.Call(ctx, tracing.Start, tracing.StartParams{TransferMode: tracing.StartTransferModeReturnAsStream, TraceConfig: only}); err != nil {
		t.Fatal(err)
	}
	f()
	if _, err := chromedp.Call(ctx, tracing.End, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	var trace struct{ TraceEvents []traced }
	select {
	case done := <-complete:
		if err := json.Unmarshal(stream(t, ctx, done.Stream), &trace); err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("the trace does not end")
	}
	tasks := ofMainThreads(trace.TraceEvents)
	if len(tasks) == 0 || tasks[0].CPU == 0 {
		t.Fatalf("%s: the trace has no tasks with their CPU time", what)
	}
	var most []string
	for _, task := range tasks[:min(5, len(tasks))] {
		most = append(most, fmt.Sprintf("%.0f (%.0f)", task.CPU/1000, task.Wall/1000))
	}
	t.Logf("%s: of %d tasks the longest took, in ms of CPU (and on the wall): %s", what, len(tasks), strings.Join(most, ", "))
	if fleetSize() < aThousand {
		allowed *= busyFactor
	}
	if longest := tasks[0]; longest.CPU > allowed*1000 {
		t.Errorf("%s: a task (%s) took %.0f ms of CPU, more than %.0f", what, longest.Args.Function, longest.CPU/1000, allowed)
	}
}

// ofMainThreads gives the tasks of pages' main threads, the longest first.
func ofMainThreads(events []traced) []traced {
	type thread struct{ process, thread int }
	main := map[thread]bool{}
	for _, e := range events {
		if e.Name == "thread_name" && e.Args.Name == "CrRendererMain" {
			main[thread{e.Process, e.Thread}] = true
		}
	}
	tasks := slices.DeleteFunc(events, func(e traced) bool {
		return e.Phase != "X" || e.Name != "ThreadControllerImpl::RunTask" || !main[thread{e.Process, e.Thread}]
	})
	slices.SortFunc(tasks, func(a, b traced) int { return int(b.CPU - a.CPU) })
	return tasks
}

// stream reads what the browser hands out in pieces.
func stream(t *testing.T, ctx context.Context, from io.StreamHandle) []byte {
	t.Helper()
	var all bytes.Buffer
	for {
		piece, err := chromedp.Call(ctx, io.Read, io.ReadParams{Handle: from})
		if err != nil {
			t.Fatal(err)
		}
		all.Write(piece.Data)
		if piece.EOF {
			return all.Bytes()
		}
	}
}
