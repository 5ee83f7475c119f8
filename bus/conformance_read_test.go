package bus

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

// In what order, from where and how far a topic is read.

func eachKeyInOrder(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	const n, keys = 5000, 100
	live := read(t, b, event.Subscription{Topic: event.TopicHealth})
	enqueueAll(b, 0, n, keys)
	wait(t, "all records", func() bool { return len(live.all()) >= n })
	wantEachInOrder(t, "live", live, n, keys)
	used := map[int32]bool{}
	for _, record := range live.all() {
		used[record.Partition] = true
	}
	if len(used) != 12 {
		t.Errorf("%d partitions are used, want 12", len(used))
	}
}

// enqueueAll deals values to so many keys in turn.
func enqueueAll(b *Bus, from, to, keys int) {
	for i := from; i < to; i++ {
		b.Enqueue(event.TopicHealth, fmt.Sprintf("svc-%d", i%keys), []byte(strconv.Itoa(i)))
	}
}

func replayThenLive(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	none := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp on an empty topic", func() bool { return len(none.caughtUp()) == 1 })
	const n, keys = 1000, 20
	enqueueAll(b, 0, n, keys)
	wait(t, "the first half", func() bool { return len(none.all()) == n })
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	enqueueAll(b, n, 2*n, keys) // while the first half is replayed
	wait(t, "both halves", func() bool { return len(r.all()) >= 2*n })
	wantEachInOrder(t, "replay then live", r, 2*n, keys)
	if caught := r.caughtUp(); len(caught) != 1 || caught[0] < n {
		t.Errorf("CaughtUp at %v, want once, after %d records or more", caught, n)
	}
	for _, record := range r.all() {
		if age := time.Since(record.Time); !record.Signed || age < -time.Second || age > time.Minute {
			t.Fatalf("record %+v", record)
		}
	}

	appendAll(t, b, event.TopicIncidents, 0, 50)
	one := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	appendAll(t, b, event.TopicIncidents, 50, 100)
	wait(t, "100 records", func() bool { return len(one.all()) >= 100 })
	wantCount(t, one.values(), 100)
}

func theNewest(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	const n = 50
	for i := range n {
		b.Enqueue(event.TopicDocker, "web", []byte(strconv.Itoa(i)))
	}
	all := read(t, b, event.Subscription{Topic: event.TopicDocker})
	wait(t, "all of them", func() bool { return len(all.all()) == n })
	late := read(t, b, event.Subscription{Topic: event.TopicDocker, Newest: 7})
	more := read(t, b, event.Subscription{Topic: event.TopicDocker, Newest: 7000})
	wait(t, "CaughtUp", func() bool { return len(late.caughtUp()) == 1 && len(more.caughtUp()) == 1 })
	b.Enqueue(event.TopicDocker, "web", []byte("next"))
	wait(t, "the next one", func() bool { return len(late.all()) == 8 && len(more.all()) == n+1 })
	if first := string(late.all()[0].Value); first != strconv.Itoa(n-7) {
		t.Errorf("the first of the newest 7 is %s", first)
	}
}

// newestVersions reads a topic of versions: at the start only the newest of each
// is handled, what has no version and what was read before it in its place, and
// everything that comes later.
func newestVersions(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	write := func(value string) {
		t.Helper()
		if err := b.Append(t.Context(), event.TopicServices, "web", []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	version := func(r event.Record) (event.Version, bool) {
		of, revision, is := strings.Cut(string(r.Value), " ")
		n, err := strconv.Atoi(revision)
		return event.Version{Of: of, Epoch: 1, Revision: int64(n)}, is && err == nil
	}
	for _, value := range []string{"web 1", "api 2", "web 3", "garbage", "api 4", "web 5", "api 2", "web 6"} {
		write(value)
	}
	refuse := func(r event.Record) error {
		if string(r.Value) == "garbage" || string(r.Value) == "api 4" {
			return errors.New("it cannot be read")
		}
		return nil
	}
	r := read(t, b, event.Subscription{Topic: event.TopicServices, Version: version, Handle: refuse, DeadLetters: true})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	write("web 7")
	write("web 6")
	want := []string{"api 2", "web 3", "garbage", "api 4", "web 6", "web 7", "web 6"}
	wait(t, "what came later", func() bool { return len(r.all()) >= len(want) })
	if got := r.values(); !slices.Equal(got, want) || r.caughtUp()[0] != 5 {
		t.Errorf("read %q, caught up after %d; want %q", got, r.caughtUp()[0], want)
	}
	wait(t, "both dead letters", func() bool { return len(deadLettersNow(t, b)) == 2 })
}

func ofOneKey(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	values := func(since, until time.Time) []string {
		var all []string
		err := b.ReadKey(t.Context(), event.TopicRollups1h, "k3", since, until, func(r event.Record) {
			if !r.Signed || string(r.Key) != "k3" || r.Topic != event.TopicRollups1h {
				t.Errorf("read %+v", r)
			}
			all = append(all, string(r.Value))
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := values(time.Time{}, time.Time{}); len(got) != 0 {
		t.Errorf("of an empty topic: %v", got)
	}
	seen := read(t, b, event.Subscription{Topic: event.TopicRollups1h})
	for i := range 60 {
		b.Enqueue(event.TopicRollups1h, "k"+strconv.Itoa(i%6), []byte(strconv.Itoa(i)))
	}
	wait(t, "all of them", func() bool { return len(seen.all()) == 60 })
	pause := time.Now().Add(2 * time.Millisecond)
	wait(t, "the clock to go on", func() bool { return time.Now().After(pause) })
	b.Enqueue(event.TopicRollups1h, "k3", []byte("late"))
	wait(t, "the late one", func() bool { return len(seen.all()) == 61 })
	before := []string{"3", "9", "15", "21", "27", "33", "39", "45", "51", "57"}
	if got := values(time.Time{}, time.Time{}); !slices.Equal(got, append(slices.Clone(before), "late")) {
		t.Errorf("all: %v", got)
	}
	if got := values(pause, time.Time{}); !slices.Equal(got, []string{"late"}) {
		t.Errorf("since: %v", got)
	}
	if got := values(time.Time{}, pause); !slices.Equal(got, before) {
		t.Errorf("until: %v", got)
	}
}

func sinceByTheBrokersClock(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	all := read(t, b, event.Subscription{Topic: event.TopicHealth})
	const n, keys = 200, 20
	enqueueAll(b, 0, n, keys)
	wait(t, "what came before", func() bool { return len(all.all()) == n })
	var last time.Time
	for _, record := range all.all() {
		if record.Time.After(last) {
			last = record.Time
		}
	}
	since := last.Add(2 * time.Millisecond)
	wait(t, "the clock to go on", func() bool { return time.Now().After(since) })
	enqueueAll(b, n, 2*n, keys)
	wait(t, "what came after", func() bool { return len(all.all()) == 2*n })
	late := read(t, b, event.Subscription{Topic: event.TopicHealth, Since: since})
	wait(t, "CaughtUp", func() bool { return len(late.caughtUp()) == 1 })
	if got := len(late.all()); got != n {
		t.Errorf("%d records since, want %d", got, n)
	}
	for _, v := range late.values() {
		if i, _ := strconv.Atoi(v); i < n {
			t.Errorf("record %s is from before", v)
		}
	}
	future := read(t, b, event.Subscription{Topic: event.TopicHealth, Since: time.Now().Add(time.Hour)})
	wait(t, "CaughtUp without a record", func() bool { return len(future.caughtUp()) == 1 })
	enqueueAll(b, 2*n, 2*n+1, keys)
	wait(t, "what comes after the end", func() bool { return len(future.all()) == 1 })
}
