package healer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"logstream/internal/container/containertest"
	"logstream/internal/event"
)

// What stands in for Kafka and for Docker keeps their contracts: else the
// scenarios show nothing.

func TestMemoryEngineConforms(t *testing.T) {
	for name, test := range containertest.Tests() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newMemoryEngine(&timeline{})
				e.add("plain", false)
				e.add("stubborn", true)
				test(t, containertest.Fixture{Runtime: e, Injector: injectorOf{e}, Name: "plain", StopSignal: "15", Stubborn: "stubborn",
					Exit:   func(_ *testing.T, code int) { e.exit("plain", code) },
					Say:    func(_ *testing.T, text string) { e.say("plain", text) },
					Remove: func(*testing.T) { e.remove("plain") },
				})
				e.working.Wait()
			})
		})
	}
}

// TestMemoryLogKeepsItsContract: see event.Log.
func TestMemoryLogKeepsItsContract(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemoryLog(&timeline{})
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		caughtUp := -1
		read := func(since time.Time) {
			got, caughtUp = nil, -1
			if err := l.Subscribe(ctx, event.Subscription{Topic: event.TopicIncidents, Since: since, DeadLetters: true,
				Handle: func(r event.Record) error {
					if string(r.Value) == "garbage" {
						return errors.New("it cannot be read")
					}
					got = append(got, string(r.Value))
					return nil
				}, CaughtUp: func() { caughtUp = len(got) }}); err != nil {
				t.Errorf("Subscribe returns %v when its context ended", err)
			}
		}
		write := func(value string) error { return l.Append(t.Context(), event.TopicIncidents, "k", []byte(value)) }
		for i := range 3 {
			if err := write(fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		since := time.Now().Add(time.Millisecond)
		time.Sleep(time.Second)
		go read(time.Time{})
		time.Sleep(time.Second)
		for _, value := range []string{"3", "garbage", "4"} {
			_ = write(value)
		}
		l.put(event.Record{Topic: event.TopicIncidents, Value: []byte("forged")})

		l.fail(event.TopicIncidents, appendFault{refuse: every})
		if err := write("refused"); err == nil {
			t.Error("what was refused is acknowledged")
		}
		l.fail(event.TopicIncidents, appendFault{forget: every})
		if err := write("5"); err == nil {
			t.Error("an answer that was lost is there")
		}
		l.fail(event.TopicIncidents, appendFault{slow: time.Hour})
		late, end := context.WithTimeout(t.Context(), time.Minute)
		if err := l.Append(late, event.TopicIncidents, "k", []byte("6")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("what is slow ends with %v, at its deadline", err)
		}
		end()
		l.fail(event.TopicIncidents, appendFault{})
		time.Sleep(2 * time.Hour)

		l.setUnreachable(true)
		late, end = context.WithTimeout(t.Context(), time.Minute)
		if err := l.Append(late, event.TopicIncidents, "k", []byte("lost")); err == nil {
			t.Error("while it is unreachable it acknowledges")
		}
		end()
		l.Enqueue(event.TopicIncidents, "k", []byte("7"))
		time.Sleep(time.Second)
		l.setUnreachable(false)
		time.Sleep(time.Second)
		l.hold(event.TopicIncidents, every)
		if err := write("8"); err != nil {
			t.Errorf("what is not delivered is acknowledged: %v", err)
		}
		time.Sleep(time.Second)
		if want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}; !slices.Equal(got, want) || caughtUp != 3 || len(l.rejected) != 2 {
			t.Errorf("read %q, caught up after %d, with %d dead letters", got, caughtUp, len(l.rejected))
		}
		cancel()
		synctest.Wait()
		ctx, cancel = context.WithCancel(t.Context())
		l.hold(event.TopicIncidents, nil)
		go read(since)
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		if want := []string{"3", "4", "5", "6", "7", "8"}; !slices.Equal(got, want) || caughtUp != len(want) {
			t.Errorf("read since then %q, caught up after %d", got, caughtUp)
		}
	})
}

// every is each record.
func every(event.Record) bool { return true }
