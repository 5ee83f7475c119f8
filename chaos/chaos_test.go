package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/process"
	"logstream/internal/process/demoservice"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

// TestMain makes the test's binary be a demo service as well.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == demoservice.Argument {
		os.Exit(demoservice.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func args(fault string) event.CommandArgs { return event.CommandArgs{Fault: fault} }

var allowed = []service.Definition{
	{Name: "payment", Container: "payment-1", Chaos: true},
	{Name: "inventory", Container: "inventory-1", Chaos: true},
}

// runtimeAndInjector is both for one set of containers.
type runtimeAndInjector interface {
	Runtime
	container.Injector
}

// onProcesses is the demo's.
type onProcesses struct {
	Runtime
	container.Injector
}

// begin runs the actor until the test ends, or stop is called, which gives
// Run's error.
func begin(t *testing.T, log *memoryLog, runtime runtimeAndInjector) (c *Chaos, stop func() error) {
	t.Helper()
	c = New(slog.New(slog.DiscardHandler), log, runtime, runtime, event.Origin{Instance: "here", Host: "local"}, allowed)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return c, stop
}

// TestEachFaultAndItsUndoOnARealProcess: each fault, and its undo, on the demo's runtime.
func TestEachFaultAndItsUndoOnARealProcess(t *testing.T) {
	runtime := process.New(slog.New(slog.DiscardHandler), []process.Child{{
		Name: "payment-1", Args: []string{demoservice.Argument, "payment-1", "127.0.0.1:0", "data=" + t.TempDir()},
		Env: []string{"GORACE=atexit_sleep_ms=0"},
	}})
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan error, 1)
	go func() { running <- runtime.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-running })
	log := newMemoryLog()
	begin(t, log, onProcesses{runtime, process.NewInjector(runtime)})
	status := func() container.Status {
		state, err := runtime.Find(t.Context(), "payment-1")
		if err != nil {
			t.Fatal(err)
		}
		return state.Status
	}
	ends := map[string]container.Status{"stop": container.Exited, "kill": container.Exited, "crash": container.Exited, "exit": container.Exited, "pause": container.Paused}
	for _, fault := range process.NewInjector(runtime).Faults("payment-1") {
		for _, undo := range []bool{false, true} {
			id := fmt.Sprint(fault, undo)
			log.publish(t, event.Command{ID: id, Service: "payment", Args: event.CommandArgs{Fault: fault, Undo: undo}})
			if result := log.await(t, id); !result.OK || result.Error != "" {
				t.Fatalf("%s: %+v", id, result)
			}
			want := cmp.Or(ends[fault], container.Running)
			if undo {
				want = container.Running
			}
			for end := time.Now().Add(20 * time.Second); status() != want && time.Now().Before(end); time.Sleep(time.Millisecond) { // exit is not waited for
			}
			if got := status(); got != want {
				t.Errorf("after %s it is %s, want %s", id, got, want)
			}
		}
	}
	for _, fault := range []string{"melt", "", "STOP", "stop; rm -rf /", strings.Repeat("x", 5000)} {
		id := "bad " + fault
		log.publish(t, event.Command{ID: id, Service: "payment", Args: event.CommandArgs{Fault: fault + " "}})
		result := log.await(t, id)
		if result.OK || !strings.Contains(result.Error, "for payment-1; known faults") && !strings.Contains(result.Error, "…") || len(result.Error) > 1000 {
			t.Errorf("%.20q: %+v", fault, result)
		}
	}
	if got := status(); got != container.Running {
		t.Errorf("after faults that there are none it is %s", got)
	}
}

// gated is a runtime whose injections wait until they are let go on. It says
// which began.
type gated struct {
	began  chan string
	letGo  chan error
	state  container.State
	before container.Before   // what an injection finds
	undone []container.Before // what the undoes were given
}

func newGated() *gated { return &gated{began: make(chan string, 100), letGo: make(chan error)} }

func (g *gated) Find(_ context.Context, ref string) (container.State, error) {
	if ref == "payment-1" || ref == "inventory-1" {
		state := g.state
		state.Name, state.ID = ref, ref
		return state, nil
	}
	return container.State{}, container.ErrNotFound
}

func (g *gated) Faults(string) []string { return []string{"stop"} }

func (g *gated) Inject(ctx context.Context, id, fault string) (container.Before, error) {
	g.began <- id
	select {
	case err := <-g.letGo:
		return g.before, err
	case <-ctx.Done():
		return container.Before{}, ctx.Err()
	}
}

func (g *gated) Undo(_ context.Context, _, _ string, before container.Before) error {
	g.undone = append(g.undone, before)
	return nil
}

// TestASlowStopDelaysNoOtherService: two services beside each other, one service's
// commands in order.
func TestASlowStopDelaysNoOtherService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		begin(t, log, runtime)
		for _, c := range []event.Command{
			{ID: "a", Service: "payment"}, {ID: "b", Service: "payment"}, {ID: "c", Service: "inventory"},
		} {
			c.Args = args("stop")
			log.publish(t, c)
		}
		synctest.Wait()
		first := []string{<-runtime.began, <-runtime.began}
		slices.Sort(first)
		if !slices.Equal(first, []string{"inventory-1", "payment-1"}) || len(runtime.began) > 0 {
			t.Fatalf("under way are %v and %d more", first, len(runtime.began))
		}
		for range 3 {
			runtime.letGo <- nil
			synctest.Wait()
		}
		for _, id := range []string{"a", "b", "c"} {
			if all := log.results(t, id); len(all) != 1 || !all[0].OK {
				t.Errorf("the results of %s are %+v", id, all)
			}
		}
	})
}

func TestAnInjectionThatHangsFailsAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		runtime.state.StopTimeout = 10 * time.Second
		begin(t, log, runtime)
		log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
		time.Sleep(10*time.Second + injectGrace - time.Millisecond)
		synctest.Wait()
		if all := log.results(t, "a"); len(all) > 0 {
			t.Fatalf("given up before its time: %+v", all)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if all := log.results(t, "a"); len(all) != 1 || all[0].OK || !strings.Contains(all[0].Error, "deadline") {
			t.Errorf("the results are %+v, want one that names the deadline", all)
		}
	})
}

// TestResultIsWrittenAfterKafkaIsBack: the fault was injected, and not again.
func TestResultIsWrittenAfterKafkaIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		begin(t, log, runtime)
		log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
		synctest.Wait()
		log.setUnreachable(true)
		runtime.letGo <- nil
		time.Sleep(time.Minute)
		log.setUnreachable(false)
		time.Sleep(lastRetry)
		synctest.Wait()
		if all := log.results(t, "a"); len(all) != 1 || !all[0].OK {
			t.Errorf("the results are %+v, want one", all)
		}
		if len(runtime.began) != 1 {
			t.Errorf("it was injected %d times", len(runtime.began))
		}
	})
}

// TestARestartRepeatsNoInjection: what has a result is not done again, what is too
// old is answered once.
func TestARestartRepeatsNoInjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		_, stop := begin(t, log, runtime)
		log.publish(t, event.Command{ID: "done", Service: "payment", Args: args("stop")})
		synctest.Wait()
		runtime.letGo <- nil
		synctest.Wait()
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
		log.publish(t, event.Command{ID: "late", Service: "payment", Args: args("stop")})
		time.Sleep(11 * time.Second)
		log.publish(t, event.Command{ID: "fresh", Service: "inventory", Args: args("stop")})
		for range 2 {
			_, stop = begin(t, log, runtime)
			synctest.Wait()
			if len(log.results(t, "fresh")) == 0 {
				runtime.letGo <- nil
			}
			synctest.Wait()
			_ = stop()
		}
		if len(runtime.began) != 2 {
			t.Errorf("%d injections began, want those of done and fresh", len(runtime.began))
		}
		for id, want := range map[string]event.CommandResult{
			"done": {OK: true}, "fresh": {OK: true},
			"late": {Error: "the command was 11s old when it was read; commands older than 10s are not executed"},
		} {
			if all := log.results(t, id); len(all) != 1 || all[0].OK != want.OK || all[0].Error != want.Error {
				t.Errorf("the results of %s are %+v, want %+v once", id, all, want)
			}
		}
	})
}

// TestAStopRepeatsNoInjection: it is answered also where it is under way, or its
// result waits for Kafka.
func TestAStopRepeatsNoInjection(t *testing.T) {
	for name, scenario := range map[string]func(*memoryLog, *gated){
		"under way": func(*memoryLog, *gated) {},
		"its result waits": func(log *memoryLog, runtime *gated) {
			log.setUnreachable(true)
			runtime.letGo <- nil
			synctest.Wait()
			log.setUnreachable(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, runtime := newMemoryLog(), newGated()
				_, stop := begin(t, log, runtime)
				log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
				synctest.Wait()
				scenario(log, runtime)
				if err := stop(); !errors.Is(err, context.Canceled) {
					t.Errorf("Run ended with %v", err)
				}
				_, stop = begin(t, log, runtime)
				synctest.Wait()
				if all := log.results(t, "a"); len(all) != 1 || len(runtime.began) != 1 {
					t.Errorf("the results are %+v after %d injections, want one after one", all, len(runtime.began))
				}
				_ = stop()
			})
		})
	}
}

func TestApplyDecidesWhatIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		c, _ := begin(t, log, runtime)
		c.Apply([]service.Definition{{Name: "payment", Container: "payment-1"}})
		log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
		log.publish(t, event.Command{ID: "b", Service: "inventory", Args: args("stop")})
		synctest.Wait()
		for id, part := range map[string]string{"a": "chaos: true", "b": "unknown service"} {
			if all := log.results(t, id); len(all) != 1 || all[0].OK || !strings.Contains(all[0].Error, part) {
				t.Errorf("the results of %s are %+v", id, all)
			}
		}
		c.Apply(allowed)
		log.publish(t, event.Command{ID: "c", Service: "inventory", Args: args("stop")})
		synctest.Wait()
		if len(runtime.began) != 1 {
			t.Errorf("%d injections began after chaos was allowed again", len(runtime.began))
		}
	})
}

// TestOwnContainerIsNotBroken: logstream's own container is never harmed.
func TestOwnContainerIsNotBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		runtime.state.Self = true
		begin(t, log, runtime)
		log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
		synctest.Wait()
		if all := log.results(t, "a"); len(all) != 1 || all[0].OK || len(runtime.began) > 0 {
			t.Errorf("the results are %+v, and %d injections began", all, len(runtime.began))
		}
	})
}

// panicky panics at an injection.
type panicky struct{ *gated }

func (p panicky) Inject(_ context.Context, id, _ string) (container.Before, error) {
	p.began <- id
	panic("a fault of our own")
}

// TestAnInjectionThatPanicsIsNotRepeated: it ends Run with its stack, and the next Run doesn't
// meet the same command again.
func TestAnInjectionThatPanicsIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), panicky{newGated()}
		for range 2 {
			_, stop := begin(t, log, runtime)
			if len(log.results(t, "a")) == 0 {
				log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
				synctest.Wait()
				var panicked *supervise.PanicError
				if err := stop(); !errors.As(err, &panicked) || !strings.Contains(err.Error(), "a fault of our own") {
					t.Errorf("Run ended with %v, want the panic", err)
				}
			}
			synctest.Wait()
		}
		if all := log.results(t, "a"); len(all) != 1 || all[0].OK || len(runtime.began) != 1 {
			t.Errorf("the results are %+v after %d injections, want one failure after one", all, len(runtime.began))
		}
	})
}
