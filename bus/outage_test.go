package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

// TestConnectionLossNeitherLosesNorRepeatsRecords enqueues steadily while the connection to Kafka is cut,
// frozen, and cut after the answers were lost: nothing is lost, nothing comes
// twice, and each key stays in order. A subscriber reads through all of it.
func TestConnectionLossNeitherLosesNorRepeatsRecords(t *testing.T) {
	t.Parallel()
	_, p := kafka(t)
	outages(t, p)
}

func outages(t *testing.T, p *proxy) {
	b, registry, _ := openAt(t, p.Addr().String())
	live := read(t, b, event.Subscription{Topic: event.TopicHealth})

	const keys = 5
	n := 0
	load := func(d time.Duration) { // a thousand a second
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for end := time.Now().Add(d); time.Now().Before(end); n++ {
			<-ticker.C
			b.Enqueue(event.TopicHealth, fmt.Sprintf("svc-%d", n%keys), []byte(strconv.Itoa(n)))
		}
	}
	load(500 * time.Millisecond)
	for round := range 3 {
		p.swallow() // the broker takes the records, and its answers get lost
		load(150 * time.Millisecond)
		p.cut()
		load(700 * time.Millisecond)
		p.restore()
		load(300 * time.Millisecond)
		if round == 1 {
			p.freeze()
			load(500 * time.Millisecond)
			p.restore()
		}
	}
	wait(t, "all records", func() bool { return len(live.all()) >= n })
	replay := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "the replay", func() bool { return len(replay.caughtUp()) == 1 })
	wantEachInOrder(t, "live", live, n, keys)
	wantEachInOrder(t, "replay", replay, n, keys)
	if d := b.Dropped(); d != 0 {
		t.Errorf("dropped %d", d)
	}
	wait(t, "the problem to be cleared", func() bool { _, is := registry.Get(health.Bus); return !is })
}

// wantEachInOrder says that a reader got the values 0, 1, 2 … n-1, dealt to so
// many keys in turn, once each, and each key's in their order.
func wantEachInOrder(t *testing.T, name string, r *reader, n, keys int) {
	t.Helper()
	got := r.all()
	if len(got) != n {
		t.Errorf("%s: %d records, want %d", name, len(got), n)
	}
	last := map[string]int{}
	for _, record := range got {
		i, _ := strconv.Atoi(string(record.Value))
		before, is := last[string(record.Key)]
		if !is {
			before = i%keys - keys
		}
		if i != before+keys {
			t.Errorf("%s: %s: %d after %d", name, record.Key, i, before)
		}
		last[string(record.Key)] = i
	}
}

// TestOldestRecordsAreDroppedWhenTheQueueIsFull lets more come than fits while Kafka is unreachable: what is
// dropped is the oldest, and counted.
func TestOldestRecordsAreDroppedWhenTheQueueIsFull(t *testing.T) {
	t.Parallel()
	_, p := kafka(t)
	b, registry, _ := openAt(t, p.Addr().String())
	b.healthLogs.queue.maxEntries = 300
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	p.cut()
	wait(t, "the problem in the registry", func() bool { _, is := registry.Get(health.Bus); return is })
	if b.Status().OK || b.Ready(t.Context()) == nil {
		t.Errorf("Kafka is unreachable, and the status is %+v", b.Status())
	}
	const n = 1000
	for i := range n {
		b.Enqueue(event.TopicHealth, "svc", []byte(strconv.Itoa(i)))
	}
	p.restore()
	wait(t, "what fits", func() bool { return len(r.all())+int(b.Dropped()) == n })
	got := r.values()
	if len(got) < 300 || b.Dropped() == 0 {
		t.Fatalf("%d records and %d dropped", len(got), b.Dropped())
	}
	want := []string{}
	for i := n - len(got); i < n; i++ {
		want = append(want, strconv.Itoa(i))
	}
	// The one that had been taken from the queue may be the first.
	if !slices.Equal(got[1:], want[1:]) {
		t.Errorf("%d records, not the newest in order: %v … %v", len(got), got[:3], got[len(got)-3:])
	}
	wait(t, "the problem to be cleared", func() bool { _, is := registry.Get(health.Bus); return !is && b.Ready(t.Context()) == nil })
}

// TestAppendWithALostAnswerReturnsAnError loses the broker's answer: the outcome is unknown,
// and the record is there exactly once.
func TestAppendWithALostAnswerReturnsAnError(t *testing.T) {
	t.Parallel()
	_, p := kafka(t)
	appendWithoutAnswer(t, p)
}

func appendWithoutAnswer(t *testing.T, p *proxy) {
	b, _, _ := openAt(t, p.Addr().String())
	appendAll(t, b, event.TopicIncidents, 0, 1)
	p.swallow()
	limited, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := b.Append(limited, event.TopicIncidents, "key", []byte("1")); err == nil {
		t.Fatal("no error although no answer came")
	}
	p.cut()
	if err := b.Append(t.Context(), event.TopicIncidents, "key", []byte("never sent")); err == nil {
		t.Fatal("no error although Kafka is unreachable")
	}
	p.restore()
	wait(t, "an append to succeed", func() bool {
		return b.Append(t.Context(), event.TopicIncidents, "key", []byte("2")) == nil
	})
	r := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	got := slices.DeleteFunc(r.values(), func(v string) bool { return v == "never sent" }) // unknown is unknown
	slices.Sort(got)
	if !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("the topic holds %v, want 0, 1 and 2 once each", got)
	}
}

// TestBrokersThatAreDownAreAProblemAndNoStartError opens without Kafka: it is a problem, not an error,
// and everything works when it comes.
func TestBrokersThatAreDownAreAProblemAndNoStartError(t *testing.T) {
	t.Parallel()
	_, p := kafka(t)
	p.cut()
	b, registry, _ := openAt(t, p.Addr().String())
	if _, is := registry.Get(health.Bus); !is {
		t.Error("no problem in the registry")
	}
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	b.Enqueue(event.TopicHealth, "svc", []byte("0"))
	limited, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Append(limited, event.TopicIncidents, "key", []byte("0")); err == nil {
		t.Error("append without Kafka: no error")
	}
	p.restore()
	wait(t, "the record", func() bool { return len(r.all()) == 1 && len(r.caughtUp()) == 1 })
	wait(t, "the problem to be cleared", func() bool { _, is := registry.Get(health.Bus); return !is && b.Status().OK })
	if s := b.Status(); s.Kind != "kafka" {
		t.Errorf("status %+v", s)
	}
}

// TestCloseWhileKafkaIsUnreachableSaysWhatIsLost ends in time and says what is lost.
func TestCloseWhileKafkaIsUnreachableSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	_, p := kafka(t)
	c := testConfig(t.TempDir())
	c.Brokers = Addresses{p.Addr().String()}
	b, err := Open(t.Context(), c, Identity{}, testLog(t), new(health.Registry))
	if err != nil {
		t.Fatal(err)
	}
	p.freeze()
	b.Enqueue(event.TopicHealth, "svc", []byte("0"))
	limited, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := b.Close(limited); err == nil {
		t.Error("no error although a record is lost")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// TestCloseWaitsOnlyBrieflyForAnUnreachableKafka: an operator who presses Ctrl-C because Kafka is
// unreachable does not wait.
func TestCloseWaitsOnlyBrieflyForAnUnreachableKafka(t *testing.T) {
	t.Parallel()
	c := testConfig(t.TempDir())
	c.Brokers = Addresses{"127.0.0.1:1"}
	b, err := Open(t.Context(), c, Identity{}, testLog(t), new(health.Registry))
	if err != nil {
		t.Fatal(err)
	}
	b.Enqueue(event.TopicHealth, "svc", []byte("0"))
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := time.Now()
	if err := b.Close(limited); err == nil || !strings.Contains(err.Error(), "1 health logs were not written") {
		t.Errorf("got %v", err)
	}
	if limited.Err() != nil || time.Since(start) > 20*time.Second {
		t.Errorf("Close took %v", time.Since(start))
	}
}

func TestAClosedConnectionIsNamed(t *testing.T) {
	for err, want := range map[error]string{fmt.Errorf("append: %w", io.EOF): "the server closed the connection", errors.New("refused"): "refused"} {
		if got := reason(err); got != want {
			t.Errorf("%v: %q", err, got)
		}
	}
}
