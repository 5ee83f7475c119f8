package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/health"
)

// script is an actor that does step by step what the test says.
type script struct {
	started chan int
	then    chan func(context.Context) error
	runs    int
}

func newScript() *script {
	return &script{started: make(chan int, 100), then: make(chan func(context.Context) error)}
}

func (s *script) Run(ctx context.Context) error {
	s.runs++
	s.started <- s.runs
	select {
	case <-ctx.Done():
		return ctx.Err()
	case do := <-s.then:
		return do(ctx)
	}
}

func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// kept runs actor under Keep in the bubble of a test.
type kept struct {
	registry *health.Registry
	log      *bytes.Buffer
	cancel   context.CancelFunc
	done     chan error
}

func keep(t *testing.T, run func(context.Context) error) *kept {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	k := &kept{registry: &health.Registry{}, log: &bytes.Buffer{}, cancel: cancel, done: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(k.log, nil))
	go func() { k.done <- Keep(ctx, log, "healer", k.registry, run) }()
	return k
}

func TestAFailedActorIsRestartedAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		began := time.Now()
		actor.then <- fails(errors.New("no claim"))
		synctest.Wait()
		problem, is := k.registry.Get("healer")
		if !is || problem.What != "healer stopped: no claim; restarting" || problem.OnHold != "repairs and changes of status" {
			t.Fatalf("the registry has %+v", problem)
		}
		<-actor.started
		if waited := time.Since(began); waited < firstDelay*3/4 || waited > firstDelay*5/4 {
			t.Errorf("waited %s before the second run", waited)
		}
		time.Sleep(steady - time.Millisecond)
		if _, is := k.registry.Get("healer"); !is {
			t.Error("the problem was cleared before the actor had run for a moment")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if problem, is := k.registry.Get("healer"); is {
			t.Errorf("still reported: %+v", problem)
		}
		k.cancel()
		if err := <-k.done; err != nil {
			t.Errorf("Keep returned %v after its context had ended", err)
		}
	})
}

func TestAProblemThatTheActorReportedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		actor.then <- fails(errors.New("no claim"))
		<-actor.started
		k.registry.Report(health.Problem{Part: "healer", What: "Kafka is unreachable"})
		time.Sleep(2 * steady)
		synctest.Wait()
		if problem, _ := k.registry.Get("healer"); problem.What != "Kafka is unreachable" {
			t.Errorf("the registry has %q", problem.What)
		}
	})
}

func TestAPanicIsLoggedWithItsStackAndRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		actor.then <- func(context.Context) error { panic("index out of range") }
		if run := <-actor.started; run != 2 {
			t.Fatalf("run %d", run)
		}
		if problem, _ := k.registry.Get("healer"); problem.What != "healer stopped: panic in healer: index out of range; restarting" {
			t.Errorf("the registry has %q", problem.What)
		}
		k.cancel()
		<-k.done
		if !strings.Contains(k.log.String(), "TestAPanicIsLoggedWithItsStack") {
			t.Errorf("no stack in the log: %s", k.log)
		}
	})
}

func TestAPanicOfAWorkerFailsItsActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		left := make(chan struct{})
		actor.then <- func(ctx context.Context) error {
			group, ctx := errgroup.WithContext(ctx)
			Go(ctx, group, "evidence", func(context.Context) error { panic(errors.New("nil map")) })
			Go(ctx, group, "loop", func(ctx context.Context) error { <-ctx.Done(); close(left); return nil })
			return group.Wait()
		}
		<-left
		<-actor.started
		if problem, _ := k.registry.Get("healer"); problem.What != "healer stopped: panic in evidence: nil map; restarting" {
			t.Errorf("the registry has %q", problem.What)
		}
	})
}

func TestAContextErrorThatIsNotOursIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		actor.then <- fails(fmt.Errorf("read: %w", context.Canceled))
		<-actor.started
		actor.then <- fails(nil)
		<-actor.started
		if problem, _ := k.registry.Get("healer"); problem.What != "healer stopped: it ended unexpectedly; restarting" {
			t.Errorf("the registry has %q", problem.What)
		}
	})
}

func TestTooManyFailuresEndKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("no claim")
		runs := 0
		k := keep(t, func(context.Context) error { runs++; return cause })
		err := <-k.done
		if runs != maxFailures+1 || !errors.Is(err, cause) ||
			!strings.HasPrefix(err.Error(), "healer failed 9 times within 1m0s, the last time: no claim") {
			t.Errorf("after %d runs: %v", runs, err)
		}
	})
}

func TestOldFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		for range 3 * maxFailures {
			<-actor.started
			time.Sleep(window / maxFailures)
			began := time.Now()
			actor.then <- fails(errors.New("no claim"))
			synctest.Wait()
			select {
			case err := <-k.done:
				t.Fatalf("gave up: %v", err)
			case run := <-actor.started:
				if waited := time.Since(began); waited > maxDelay*5/4 {
					t.Fatalf("waited %s before run %d", waited, run)
				}
				actor.started <- run
			}
		}
	})
}

func TestStayEndsTheActorAndTerminateTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, fails(fmt.Errorf("east-1 owns this host now: %w", ErrStay)))
		if err := <-k.done; err != nil {
			t.Errorf("the others would not go on: %v", err)
		}
		if problem, _ := k.registry.Get("healer"); problem.What != "healer stopped: east-1 owns this host now: not restarted" {
			t.Errorf("the registry has %q", problem.What)
		}
		k = keep(t, fails(fmt.Errorf("another event log: %w", ErrTerminate)))
		if err := <-k.done; !errors.Is(err, ErrTerminate) {
			t.Errorf("Keep returned %v", err)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		actor.then <- fails(errors.New("no claim"))
		synctest.Wait()
		k.cancel()
		if err := <-k.done; err != nil {
			t.Errorf("Keep returned %v", err)
		}
		if len(actor.started) != 0 {
			t.Error("started once more after the end")
		}
	})
}

func TestDelaysGrowWithFailuresAndStartOverAfterAMinuteWithoutOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actor := newScript()
		k := keep(t, actor.Run)
		<-actor.started
		fail := func() time.Duration {
			began := time.Now()
			actor.then <- fails(errors.New("no claim"))
			<-actor.started
			return time.Since(began)
		}
		fail()
		for range 4 {
			fail()
		}
		if d := fail(); d < time.Second || d > maxDelay {
			t.Errorf("waited %s after the sixth failure, want seconds", d)
		}
		time.Sleep(window + time.Second)
		if d := fail(); d > 2*firstDelay {
			t.Errorf("waited %s after a minute without a failure, want about %s", d, firstDelay)
		}
		k.cancel()
		<-k.done
	})
}
