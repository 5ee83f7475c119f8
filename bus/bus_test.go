package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("BUS_TEST_CHILD"); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

func testConfig(dir string) Config {
	c := Default()
	c.Embedded.Listen, c.Embedded.Data = "127.0.0.1:0", dir
	return c
}

func testLog(t testing.TB) *slog.Logger {
	out := io.Discard
	if os.Getenv("BUS_TEST_LOG") != "" {
		out = os.Stderr
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})).With("test", t.Name())
}

// open opens a bus and runs it until stop, or the test's end.
func open(t testing.TB, c Config) (b *Bus, registry *health.Registry, stop func()) {
	t.Helper()
	registry = new(health.Registry)
	b, err := Open(t.Context(), c, Identity{"test", "local"}, testLog(t), registry)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		limited, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := b.Close(limited); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(stop)
	return b, registry, stop
}

// reader collects what a subscription brings.
type reader struct {
	mu      sync.Mutex
	records []event.Record
	caught  []int // how many records there were at each call of CaughtUp
	stop    func()
}

// read subscribes until the reader's stop, or the test's end.
func read(t *testing.T, b *Bus, s event.Subscription) *reader {
	t.Helper()
	r := &reader{}
	inner := s.Handle
	s.Handle = func(record event.Record) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.records = append(r.records, record)
		if inner != nil {
			return inner(record)
		}
		return nil
	}
	s.CaughtUp = func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.caught = append(r.caught, len(r.records))
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Subscribe(ctx, s) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Subscribe: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *reader) all() []event.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Record(nil), r.records...)
}

func (r *reader) caughtUp() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int(nil), r.caught...)
}

func (r *reader) values() []string {
	var all []string
	for _, record := range r.all() {
		all = append(all, string(record.Value))
	}
	return all
}

// wait waits until the condition holds.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func appendAll(t *testing.T, b *Bus, topic string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := b.Append(t.Context(), topic, "key", []byte(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
}

// wantCount says that the values are 0, 1, 2 … n-1.
func wantCount(t *testing.T, values []string, n int) {
	t.Helper()
	if len(values) != n {
		t.Fatalf("%d values, want %d: %s", len(values), n, strings.Join(values[:min(len(values), 50)], " "))
	}
	for i, v := range values {
		if v != strconv.Itoa(i) {
			t.Fatalf("value %d is %s", i, v)
		}
	}
}

func TestSubscribeReplaysThenContinuesLive(t *testing.T) {
	b, _, stop := open(t, testConfig(t.TempDir()))
	appendAll(t, b, event.TopicIncidents, 0, 50)
	r := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	appendAll(t, b, event.TopicIncidents, 50, 100)
	wait(t, "100 records", func() bool { return len(r.all()) >= 100 })
	wantCount(t, r.values(), 100)
	caught := r.caughtUp()
	if len(caught) != 1 || caught[0] < 50 {
		t.Errorf("CaughtUp at %v, want once, after 50 records or more", caught)
	}
	for _, record := range r.all() {
		if !record.Signed || string(record.Key) != "key" || record.Topic != event.TopicIncidents {
			t.Fatalf("record %+v", record)
		}
		if age := time.Since(record.Time); age < 0 || age > time.Minute {
			t.Fatalf("record's time is %v ago", age)
		}
	}
	r.stop()
	stop()
}

func TestCaughtUpAtOnceOnAnEmptyTopic(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	r := read(t, b, event.Subscription{Topic: event.TopicCommands})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	appendAll(t, b, event.TopicCommands, 0, 3)
	wait(t, "3 records", func() bool { return len(r.all()) == 3 })
	if n := len(r.caughtUp()); n != 1 {
		t.Errorf("CaughtUp was called %d times", n)
	}
}

func TestRecordsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	b, _, stop := open(t, testConfig(dir))
	appendAll(t, b, event.TopicIncidents, 0, 10)
	for i := range 10 {
		b.Enqueue(event.TopicHealth, "svc", []byte(strconv.Itoa(i)))
	}
	stop() // flushes
	b, _, _ = open(t, testConfig(dir))
	appendAll(t, b, event.TopicIncidents, 10, 20)
	for _, topic := range []string{event.TopicIncidents, event.TopicHealth} {
		want := map[string]int{event.TopicIncidents: 20, event.TopicHealth: 10}[topic]
		r := read(t, b, event.Subscription{Topic: topic})
		wait(t, topic, func() bool { return len(r.all()) == want && len(r.caughtUp()) == 1 })
		wantCount(t, r.values(), want)
		if !r.all()[0].Signed {
			t.Errorf("%s: the secret was not kept", topic)
		}
	}
}

func TestSubscribeSinceAnInstant(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	appendAll(t, b, event.TopicIncidents, 0, 5)
	r := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "5 records", func() bool { return len(r.all()) == 5 })
	last := r.all()[4].Time
	wait(t, "the clock's next millisecond", func() bool { return time.Since(last) > 5*time.Millisecond })
	since := time.Now().Truncate(time.Millisecond)
	appendAll(t, b, event.TopicIncidents, 5, 8)
	late := read(t, b, event.Subscription{Topic: event.TopicIncidents, Since: since})
	wait(t, "the records since", func() bool { return len(late.caughtUp()) == 1 })
	if got := strings.Join(late.values(), " "); got != "5 6 7" {
		t.Errorf("since %v: %q", since, got)
	}
	future := read(t, b, event.Subscription{Topic: event.TopicIncidents, Since: time.Now().Add(time.Hour)})
	wait(t, "CaughtUp without a record", func() bool { return len(future.caughtUp()) == 1 })
	if got := future.values(); len(got) != 0 {
		t.Errorf("since the future: %q", got)
	}
}

func TestOrderOfEachKeyAcrossEnqueue(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	const n = 5000
	for i := range n {
		b.Enqueue(event.TopicHealth, fmt.Sprintf("svc-%d", i%7), []byte(strconv.Itoa(i)))
	}
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "all records", func() bool { return len(r.all()) >= n })
	wantCount(t, r.values(), n) // one partition: all in order
	if b.Dropped() != 0 {
		t.Errorf("dropped %d", b.Dropped())
	}
}

func TestARecordThatIsTooLargeIsRefusedAndBlocksNoOther(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	huge := make([]byte, maxMessage)
	if err := b.Append(t.Context(), event.TopicIncidents, "", huge); err == nil {
		t.Error("append of a record of 1 MiB: no error")
	}
	b.Enqueue(event.TopicHealth, "", huge)
	b.Enqueue("nonsense", "", []byte("x"))
	if b.Dropped() != 2 {
		t.Errorf("dropped %d, want 2", b.Dropped())
	}
	large := make([]byte, maxMessage-2*overhead)
	if err := b.Append(t.Context(), event.TopicIncidents, "", large); err != nil {
		t.Errorf("append of the largest record: %v", err)
	}
	b.Enqueue(event.TopicHealth, "", large)
	b.Enqueue(event.TopicHealth, "", []byte("after"))
	for _, topic := range []string{event.TopicIncidents, event.TopicHealth} {
		r := read(t, b, event.Subscription{Topic: topic})
		wait(t, "the large record", func() bool { return len(r.all()) > 0 && len(r.all()[0].Value) == len(large) })
		if topic == event.TopicHealth {
			wait(t, "the next", func() bool { return len(r.all()) == 2 })
		}
	}
}

func TestStatusAndReadyOfAReachableBroker(t *testing.T) {
	b, registry, _ := open(t, testConfig(t.TempDir()))
	if err := b.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	if s := b.Status(); s.Kind != "embedded" || !s.OK || s.Error != "" || len(s.Brokers) != 1 || s.Brokers[0] != b.Addr() {
		t.Errorf("Status: %+v", s)
	}
	if list := registry.List(); len(list) != 0 {
		t.Errorf("problems: %+v", list)
	}
}

// TestCloseLeavesNoGoroutineAndNoLock closes a bus that was used in every way: none of its
// goroutines, and none of sarama's, remains.
func TestCloseLeavesNoGoroutineAndNoLock(t *testing.T) {
	b, _, stop := open(t, testConfig(t.TempDir()))
	r := read(t, b, event.Subscription{Topic: event.TopicIncidents, DeadLetters: true,
		Handle: func(event.Record) error { return errors.New("refused") }})
	appendAll(t, b, event.TopicIncidents, 0, 10)
	appendAll(t, b, event.TopicServices, 0, 1)
	b.Enqueue(event.TopicHealth, "k", []byte("x"))
	wait(t, "the records", func() bool { return len(r.all()) == 10 })
	r.stop()
	stop()
	buffer := make([]byte, 4<<20)
	wait(t, "the goroutines to end", func() bool {
		stacks := string(buffer[:runtime.Stack(buffer, true)])
		left := strings.Count(stacks, "sarama.") + strings.Count(stacks, "logstream/bus.(*")
		return left == 0
	})
}

func TestSubscribeRefusesUnknownTopics(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	if err := b.Subscribe(t.Context(), event.Subscription{Topic: "nonsense", Handle: func(event.Record) error { return nil }}); err == nil {
		t.Error("no error")
	}
	if err := b.Append(t.Context(), "nonsense", "", nil); err == nil {
		t.Error("append: no error")
	}
}
