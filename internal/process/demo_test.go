package process_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/process"
)

// TestDemoFails: it answers 500 until it is restarted, and a start doesn't
// help.
func TestDemoFails(t *testing.T) {
	at := address(t)
	r, _ := run(t, demo("payment-service", at))
	id := find(t, r, "payment-service").ID
	eventually(t, "it answers", func() bool { return code(at) == http.StatusOK })
	if _, err := process.NewInjector(r).Inject(t.Context(), id, container.FaultFail); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers 500", func() bool { return code(at) == http.StatusInternalServerError })
	if err := r.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := code(at); got != http.StatusInternalServerError {
		t.Errorf("after a start of what runs it answers %d", got)
	}
	if !slices.ContainsFunc(logs(t, r, id), func(line string) bool { return strings.Contains(line, "ERROR") }) {
		t.Errorf("no ERROR in %q", logs(t, r, id))
	}
	if err := r.Restart(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers 200 after a restart", func() bool { return code(at) == http.StatusOK })
}

// TestDemoExits by itself, in the way of a panic.
func TestDemoExits(t *testing.T) {
	at := address(t)
	r, _ := run(t, demo("payment-service", at))
	id := find(t, r, "payment-service").ID
	if _, err := process.NewInjector(r).Inject(t.Context(), id, container.FaultExit); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it exits", func() bool { return find(t, r, "payment-service").Status == container.Exited })
	if got := find(t, r, "payment-service").ExitCode; got != 1 {
		t.Errorf("its exit code is %d, want 1", got)
	}
	if !slices.ContainsFunc(logs(t, r, id), func(line string) bool { return strings.HasPrefix(line, "panic: ") }) {
		t.Errorf("no panic in %q", logs(t, r, id))
	}
	for _, fault := range []string{container.FaultExit, container.FaultFail} {
		if _, err := process.NewInjector(r).Inject(t.Context(), id, fault); err == nil {
			t.Errorf("Inject(%q) into what has exited gives no error", fault)
		}
	}
	if err := r.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers at the same address", func() bool { return code(at) == http.StatusOK })
	if _, err := process.NewInjector(r).Inject(t.Context(), id, container.FaultPause); err != nil {
		t.Fatal(err)
	}
	if _, err := process.NewInjector(r).Inject(t.Context(), id, container.FaultExit); err == nil {
		t.Error("Inject(exit) into what is paused gives no error, though it cannot exit")
	}
}

func TestDemoStopsInOrder(t *testing.T) {
	at := address(t)
	r, _ := run(t, demo("payment-service", at))
	id := find(t, r, "payment-service").ID
	eventually(t, "it answers", func() bool { return code(at) == http.StatusOK })
	begun := time.Now()
	if _, err := process.NewInjector(r).Inject(t.Context(), id, container.FaultStop); err != nil {
		t.Fatal(err)
	}
	// 100 ms is what it takes at most; the rest is the machine's.
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the stop took %v", took)
	}
	if got := find(t, r, "payment-service").ExitCode; got != 0 {
		t.Errorf("its exit code is %d, want 0", got)
	}
}

func TestDemoWithoutAnAddress(t *testing.T) {
	at := address(t)
	r, _ := run(t, demo("first", at))
	eventually(t, "it answers", func() bool { return code(at) == http.StatusOK })
	second, _ := run(t, demo("second", at), demo("third", "nowhere"))
	for _, name := range []string{"second", "third"} {
		eventually(t, "it exits", func() bool { return find(t, second, name).Status == container.Exited })
		if got := find(t, second, name).ExitCode; got != 1 {
			t.Errorf("the exit code of %s is %d, want 1", name, got)
		}
	}
	if last := logs(t, second, find(t, second, "second").ID); !strings.Contains(last[len(last)-1], at) {
		t.Errorf("its last words are %q, want the address %s in them", last, at)
	}
	if got := find(t, r, "first").Status; got != container.Running {
		t.Errorf("the first is %s", got)
	}
}
