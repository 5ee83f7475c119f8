package process_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/process"
)

// answers is what a request is answered with, and how long that took: 0 is no
// answer within the time-out.
func answers(address string) (int, time.Duration) {
	client := http.Client{Timeout: 700 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	begun := time.Now()
	response, err := client.Get("http://" + address)
	if err != nil {
		return 0, time.Since(begun)
	}
	defer response.Body.Close()
	return response.StatusCode, time.Since(begun)
}

// TestEachFaultHasItsSymptomAndItsUndo on real processes.
func TestEachFaultHasItsSymptomAndItsUndo(t *testing.T) {
	const name = "payment-service"
	tests := map[string]struct {
		status container.Status
		code   int    // of an answer; 0: none
		log    string // a line has it; empty: not searched
		events string // of the fault
	}{
		container.FaultStop:  {container.Exited, 0, "", "kill 15, die 0, stop"},
		container.FaultKill:  {container.Exited, 0, "", "kill 9, die 137"},
		container.FaultCrash: {container.Exited, 0, "", "die 137"},
		container.FaultPause: {container.Paused, 0, "", "pause"},
		container.FaultExit:  {container.Exited, 0, "panic: ", "die 1"},
		container.FaultLeak:  {container.Exited, 0, "cache has grown", "oom, die 137"},
		container.FaultHang:  {container.Running, 0, "", ""},
		container.FaultBusy:  {container.Running, 0, "", ""},
		container.FaultFail:  {container.Running, 500, "connection pool exhausted", ""},
		container.FaultSlow:  {container.Running, 200, "cache is cold", ""},
		container.FaultFDs:   {container.Running, 500, "too many open files", ""},
		container.FaultDisk:  {container.Running, 507, "no space left on device", ""},
	}
	for fault, want := range tests {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			at := address(t)
			child := demo(name, at)
			child.Args = append(child.Args, "data="+t.TempDir(), "memory=36")
			r, _ := run(t, child)
			injector := process.NewInjector(r)
			eventually(t, "it answers", func() bool { return code(at) == http.StatusOK })
			id := find(t, r, name).ID
			events := follow(t, r)
			before, err := injector.Inject(t.Context(), id, fault)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is "+string(want.status), func() bool { return find(t, r, name).Status == want.status })
			eventually(t, "its answer is that of the fault", func() bool {
				got, took := answers(at)
				return got == want.code && (fault != container.FaultSlow || took > 500*time.Millisecond)
			})
			if want.log != "" {
				eventually(t, "its log says so", func() bool {
					return slices.ContainsFunc(logs(t, r, id), func(line string) bool { return strings.Contains(line, want.log) })
				})
			}
			if want.events != "" {
				eventually(t, "the events are those of the fault", func() bool { return events() == want.events })
			}
			if oom := find(t, r, name).OOMKilled; oom != (fault == container.FaultLeak) {
				t.Errorf("OOMKilled is %v", oom)
			}
			if fault == container.FaultDisk {
				if err := r.Restart(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				eventually(t, "a restart does not help", func() bool { got, _ := answers(at); return got == want.code })
			}
			if err := injector.Undo(t.Context(), id, fault, before); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is in order after the undo", func() bool {
				got, took := answers(at)
				return got == http.StatusOK && took < 500*time.Millisecond
			})
			if got := find(t, r, name); got.Status != container.Running || got.OOMKilled {
				t.Errorf("after the undo it is %+v", got)
			}
		})
	}
	child, _ := run(t, demo(name, address(t)))
	for _, fault := range process.NewInjector(child).Faults(name) {
		if _, tested := tests[fault]; !tested {
			t.Errorf("the fault %s has no test", fault)
		}
	}
	for _, fault := range []string{container.FaultDisconnect, container.FaultRemove, container.FaultMemory, container.FaultCPU} {
		if _, err := process.NewInjector(child).Inject(t.Context(), find(t, child, name).ID, fault); !errors.Is(err, container.ErrUnsupported) {
			t.Errorf("%s gives %v, want ErrUnsupported", fault, err)
		}
	}
}

// TestHangingOrBusyProcessEndsOnSIGTERM: SIGTERM works.
func TestHangingOrBusyProcessEndsOnSIGTERM(t *testing.T) {
	for _, fault := range []string{container.FaultHang, container.FaultBusy} {
		at := address(t)
		r, _ := run(t, demo("payment-service", at))
		id := find(t, r, "payment-service").ID
		eventually(t, "it answers", func() bool { return code(at) == http.StatusOK })
		injector := process.NewInjector(r)
		if _, err := injector.Inject(t.Context(), id, fault); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it answers no more", func() bool { got, _ := answers(at); return got == 0 })
		if _, err := injector.Inject(t.Context(), id, container.FaultStop); err != nil {
			t.Fatal(err)
		}
		if got := find(t, r, "payment-service").ExitCode; got != 0 {
			t.Errorf("%s: it ends with %d", fault, got)
		}
	}
}

// TestTheInventoryNeedsItsDatabase: it answers 503 and names it, and is back by
// itself.
func TestTheInventoryNeedsItsDatabase(t *testing.T) {
	database, inventory := address(t), address(t)
	child := demo("inventory-service", inventory)
	child.Args = append(child.Args, "needs=database@"+database)
	r, _ := run(t, demo("database", database), child)
	injector := process.NewInjector(r)
	answersWith := func(want int) func() bool {
		return func() bool { got, _ := answers(inventory); return got == want }
	}
	eventually(t, "it answers", answersWith(http.StatusOK))
	for _, fault := range []string{container.FaultStop, container.FaultPause, container.FaultFail} {
		id := find(t, r, "database").ID
		started := find(t, r, "inventory-service").StartedAt
		if _, err := injector.Inject(t.Context(), id, fault); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it answers 503 after "+fault, answersWith(http.StatusServiceUnavailable))
		eventually(t, "its log names the database after "+fault, func() bool { // the line may be written after the answer
			return slices.ContainsFunc(logs(t, r, find(t, r, "inventory-service").ID), func(line string) bool {
				return strings.Contains(line, "503") && strings.Contains(line, "database cannot be reached")
			})
		})
		if err := injector.Undo(t.Context(), id, fault, container.Before{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is back by itself after "+fault, answersWith(http.StatusOK))
		if got := find(t, r, "inventory-service").StartedAt; !got.Equal(started) {
			t.Error("the inventory was started again")
		}
	}
}

// follow gives the events so far, as words.
func follow(t *testing.T, r *process.Runtime) func() string {
	t.Helper()
	events := make(chan container.Event, 100)
	ready := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		_ = r.Events(ctx, time.Time{}, func() { close(ready) }, func(e container.Event) { events <- e })
	}()
	<-ready
	var seen []string
	return func() string {
		for {
			select {
			case e := <-events:
				word := string(e.Action)
				switch e.Action {
				case container.ActionKill:
					word += " " + e.Signal
				case container.ActionDie:
					word = "die " + strconv.Itoa(e.ExitCode)
				}
				seen = append(seen, word)
			default:
				return strings.Join(seen, ", ")
			}
		}
	}
}
