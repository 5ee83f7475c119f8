//go:build unix

package process_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/process"
)

// TestNoChildOutlivesAKilledParent kills -9 a parent of two children, one of
// them paused.
func TestNoChildOutlivesAKilledParent(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(own, "parent", address(t), address(t))
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent said %q: %v", line, err)
	}
	pids := numbers(t, line)
	if len(pids) != 2 {
		t.Fatalf("the parent said %q, want two process numbers", line)
	}
	for _, pid := range pids {
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // only where the test fails
		if gone(pid) {
			t.Fatalf("process %d is gone before the parent", pid)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = parent.Wait()
	for i, pid := range pids {
		eventually(t, fmt.Sprintf("the end of process %d (the first is paused, this is the %d.)", pid, i+1), func() bool { return gone(pid) })
	}
	if took := time.Since(killed); took > 2*time.Second {
		t.Errorf("the children were gone %v after their parent, want 2s at most", took)
	}
}

func numbers(t *testing.T, line string) []int {
	t.Helper()
	var all []int
	for field := range strings.FieldsSeq(line) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatalf("%q is no list of numbers", line)
		}
		all = append(all, n)
	}
	return all
}

// gone says whether the process has ended, even if it was not waited for yet
// how it did.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}

// pid is the process that a demo service says it is.
func pid(t *testing.T, r *process.Runtime, name string) int {
	t.Helper()
	var found string
	eventually(t, name+" says which process it is", func() bool {
		lines, err := r.Logs(t.Context(), find(t, r, name).ID, 100)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(lines)
		var ok bool
		found, ok = pidIn(lines)
		return ok
	})
	return numbers(t, found)[0]
}

func TestRunEndsEveryChild(t *testing.T) {
	r, stop := run(t, demo("running", address(t)), demo("paused", address(t)),
		process.Child{Name: "stubborn", Args: []string{"stubborn"}, Env: atOnce})
	pids := []int{pid(t, r, "running"), pid(t, r, "paused")}
	if _, err := process.NewInjector(r).Inject(t.Context(), find(t, r, "paused").ID, container.FaultPause); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Run ended %v after its context", took)
	}
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("process %d is there after Run", pid)
		}
	}
	if _, err := r.Find(context.Background(), "running"); !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("Find after Run gives the error %v, want ErrUnavailable", err)
	}
}

// TestEndOfTheRuntimeIsNoEvent: it is no act on a service.
func TestEndOfTheRuntimeIsNoEvent(t *testing.T) {
	r, stop := run(t, demo("payment-service", address(t)))
	ready, ended := make(chan struct{}), make(chan error, 1)
	var seen []container.Event
	go func() {
		ended <- r.Events(context.Background(), time.Time{}, func() { close(ready) },
			func(e container.Event) { seen = append(seen, e) })
	}()
	<-ready
	stop()
	if err := <-ended; !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("the events ended with the error %v, want ErrUnavailable", err)
	}
	if len(seen) > 0 {
		t.Errorf("the end of the runtime is the event %v", seen)
	}
}

func TestRunsAgain(t *testing.T) {
	at := address(t)
	r, stop := run(t, demo("payment-service", at))
	before := find(t, r, "payment-service")
	stop()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	eventually(t, "it answers in the second run", func() bool { return code(at) == http.StatusOK })
	now := find(t, r, "payment-service")
	if now.ID != before.ID || !now.StartedAt.After(before.StartedAt) {
		t.Errorf("in the second run it is %+v, in the first %+v", now, before)
	}
	if err := r.Run(ctx); err == nil {
		t.Error("a Run beside another gives no error")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the second Run: %v", err)
	}
}

// TestCallsWaitForTheStart: no child is seen as not running only because it
// was inspected too early.
func TestCallsWaitForTheStart(t *testing.T) {
	r := process.New(slog.New(slog.DiscardHandler), []process.Child{demo("payment-service", address(t))})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.Find(ctx, "payment-service"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Find before Run gives the error %v, want to have waited", err)
	}
	found := make(chan container.State, 1)
	go func() {
		state, _ := r.Find(context.Background(), "payment-service")
		found <- state
	}()
	running, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	if state := <-found; state.Status != container.Running {
		t.Errorf("the first inspection sees %+v, want it running", state)
	}
	end()
	<-ended
}

// TestKilledOnTheHost: the process is killed from outside the runtime, which is
// a crash, and no kill through it.
func TestKilledOnTheHost(t *testing.T) {
	r, _ := run(t, demo("payment-service", address(t)))
	if err := syscall.Kill(pid(t, r, "payment-service"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is seen to have ended", func() bool { return find(t, r, "payment-service").Status == container.Exited })
	if state := find(t, r, "payment-service"); state.ExitCode != 137 {
		t.Errorf("its exit code is %d, want 137", state.ExitCode)
	}
	if got := events(t, r); !slices.Equal(got, []container.Action{container.ActionStart, container.ActionDie}) {
		t.Errorf("the events are %v, want start and die alone", got)
	}
}

// TestStopOfAPaused: it is let go on, so that it can end in order.
func TestStopOfAPaused(t *testing.T) {
	r, _ := run(t, demo("payment-service", address(t)))
	pid(t, r, "payment-service") // it is up, and handles the signal
	id := find(t, r, "payment-service").ID
	for _, fault := range []string{container.FaultPause, container.FaultStop} {
		if _, err := process.NewInjector(r).Inject(t.Context(), id, fault); err != nil {
			t.Fatal(err)
		}
	}
	if got := find(t, r, "payment-service"); got.Status != container.Exited || got.ExitCode != 0 {
		t.Errorf("it is %+v, want exited with 0", got)
	}
	want := []container.Action{container.ActionStart, container.ActionPause, container.ActionKill,
		container.ActionUnpause, container.ActionDie, container.ActionStop}
	if got := events(t, r); !slices.Equal(got, want) {
		t.Errorf("the events are %v, want %v", got, want)
	}
}

// events are all that the runtime remembers now.
func events(t *testing.T, r *process.Runtime) []container.Action {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []container.Action
	past := time.Unix(1, 0)
	// A last act is the sign that all before it were read.
	id := find(t, r, "payment-service").ID
	err := r.Events(ctx, past, func() {
		if err := r.Start(t.Context(), id); err != nil {
			t.Error(err)
		}
		if _, err := process.NewInjector(r).Inject(t.Context(), id, container.FaultPause); err != nil {
			t.Error(err)
		}
	}, func(e container.Event) {
		got = append(got, e.Action)
		if n := len(got); n > 2 && got[n-2] == container.ActionStart && e.Action == container.ActionPause {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	return got[:len(got)-2]
}

func TestNoSuchProgram(t *testing.T) {
	r, _ := run(t, process.Child{Name: "payment-service", Path: "/no/such/program"})
	state := find(t, r, "payment-service")
	if state.Status != container.Created || state.ExitCode != 127 || !strings.Contains(state.Error, "/no/such/program") {
		t.Errorf("it is %+v, want created, with 127 and what is missing", state)
	}
	if err := r.Start(t.Context(), state.ID); err == nil || !strings.Contains(err.Error(), "payment-service") {
		t.Errorf("Start gives the error %v", err)
	}
	if err := r.Restart(t.Context(), state.ID); err == nil {
		t.Error("Restart gives no error")
	}
}

// TestEnvironment: a child has the declared variables and none of the
// parent's, which may hold secrets.
func TestEnvironment(t *testing.T) {
	t.Setenv("LOGSTREAM_TOKEN", "secret")
	r, _ := run(t, process.Child{Name: "env", Path: "/usr/bin/env", Env: []string{"A=b"}},
		process.Child{Name: "bare", Path: "/usr/bin/env"})
	for name, want := range map[string]int{"env": 1, "bare": 0} {
		eventually(t, "it ends", func() bool { return find(t, r, name).Status == container.Exited })
		lines, err := r.Logs(t.Context(), find(t, r, name).ID, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != want || want == 1 && lines[0].Text != "A=b" {
			t.Errorf("the variables of %s are %v", name, lines)
		}
	}
}
