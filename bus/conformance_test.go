package bus

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/retry"
)

// underTest is a broker that is reached through a proxy.
type underTest struct {
	proxy *proxy
	stop  func() // ends the broker at once
	back  func() // starts it again, with its data
}

// TestOnTheEmbeddedBroker runs what we rely on against the embedded broker, as
// another logstream would meet it.
func TestOnTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	p, dir := newProxy(t), t.TempDir()
	var b *broker
	back := func() {
		listener, err := p.back()
		if err == nil {
			b, err = openBroker(listener, Default().Embedded, dir, testLog(t))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	back()
	t.Cleanup(func() { b.close() })
	conform(t, underTest{proxy: p, stop: func() { b.close() }, back: back})
}

// conform checks all that the rest of logstream relies on. Each part begins
// with a broker without topics.
func conform(t *testing.T, u underTest) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, underTest)
	}{
		{"topics are made as configured", topicsAsConfigured},
		{"topics of others are examined", examinedTopics},
		{"each key in order", eachKeyInOrder},
		{"replay then live", replayThenLive},
		{"since", sinceByTheBrokersClock},
		{"the newest versions", newestVersions},
		{"the newest", theNewest},
		{"of one key", ofOneKey},
		{"a claim is read back", aClaimIsReadBack},
		{"what is not ours", whatIsNotOurs},
		{"copies of what is ours", copiesOfOurs},
		{"the broker's time", theBrokersTime},
		{"large records", largeRecords},
		{"an answer is lost", func(t *testing.T, u underTest) { appendWithoutAnswer(t, u.proxy) }},
		{"answers are lost under load", func(t *testing.T, u underTest) { outages(t, u.proxy) }},
		{"the broker restarts", theBrokerRestarts},
		{"the broker is unreachable under load", theBrokerIsUnreachable},
	} {
		t.Run(part.name, func(t *testing.T) {
			u.empty(t)
			part.run(t, u)
		})
	}
}

func (u underTest) open(t *testing.T) (*Bus, *health.Registry, func()) {
	t.Helper()
	return openAt(t, u.proxy.Addr().String())
}

// admin is a client that lists what is there.
func (u underTest) admin(t *testing.T) sarama.ClusterAdmin {
	t.Helper()
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0
	c.Metadata.AllowAutoTopicCreation = false
	admin, err := sarama.NewClusterAdmin([]string{u.proxy.Addr().String()}, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close() })
	return admin
}

// empty deletes the topics that another part left.
func (u underTest) empty(t *testing.T) {
	t.Helper()
	admin := u.admin(t)
	left := func() []string {
		topics, err := admin.ListTopics()
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(slices.Collect(maps.Keys(topics)), func(name string) bool {
			_, ours := kafkaTopic(name)
			return !ours
		})
	}
	for _, name := range left() {
		if err := admin.DeleteTopic(name); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, "the topics to be gone", func() bool { return len(left()) == 0 })
}

func topicsAsConfigured(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), event.TopicDeadLetters, "", []byte("x")); err != nil {
		t.Fatal(err)
	}
	admin := u.admin(t)
	topics, err := admin.ListTopics()
	if err != nil {
		t.Fatal(err)
	}
	const week, quarter = "604800000", "7776000000"
	for name, want := range map[string]struct {
		partitions              int32
		policy, retention, kept string
	}{
		event.TopicHealth:      {12, "delete", week, "1073741824"},
		event.TopicServices:    {1, "compact", "", ""},
		event.TopicIncidents:   {1, "delete", quarter, ""},
		event.TopicCommands:    {1, "delete", week, ""},
		event.TopicDocker:      {1, "delete", week, ""},
		event.TopicDeadLetters: {1, "delete", week, "1073741824"},
	} {
		if got := topics[name].NumPartitions; got != want.partitions {
			t.Errorf("%s has %d partitions, want %d", name, got, want.partitions)
		}
		described, err := admin.DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: name}}, sarama.DescribeConfigsOptions{})
		if err != nil || len(described) != 1 {
			t.Fatalf("%s: %d descriptions, %v", name, len(described), err)
		}
		got := map[string]string{}
		for _, entry := range described[0].Configs {
			got[entry.Name] = entry.Value
		}
		for key, value := range map[string]string{"cleanup.policy": want.policy, "retention.ms": want.retention,
			"retention.bytes": want.kept, "message.timestamp.type": "LogAppendTime"} {
			if value != "" && got[key] != value {
				t.Errorf("%s: %s is %q, want %q", name, key, got[key], value)
			}
		}
	}
}

func theBrokersTime(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	client := foreign(t, b, kgo.TransactionalID("conformance"))
	for i, at := range []time.Time{time.Unix(1, 0), time.Now().Add(24 * time.Hour)} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, client, &kgo.Record{Topic: event.TopicHealth, Key: []byte("k"), Value: []byte(strconv.Itoa(i)), Timestamp: at})
		if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, "the records", func() bool { return len(r.all()) == 2 })
	again := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp over the transactions' markers", func() bool { return len(again.caughtUp()) == 1 })
	wantCount(t, again.values(), 2)
	where := topicPartition{event.TopicHealth, r.all()[0].Partition}
	plain, err := b.adminClient()
	if err != nil {
		t.Fatal(err)
	}
	got, err := fetch(plain, where, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	times := []time.Time{}
	for _, record := range again.all() {
		times = append(times, record.Time)
	}
	for _, message := range got.records {
		times = append(times, message.Timestamp)
	}
	if len(times) != 4 {
		t.Errorf("%d records were fetched, want 2", len(got.records))
	}
	for _, at := range times {
		if age := time.Since(at); age < -time.Second || age > time.Minute {
			t.Errorf("the record's time is the client's: %v", at)
		}
	}
}

func largeRecords(t *testing.T, u underTest) {
	b, _, _ := u.open(t)
	random := rand.NewChaCha8([32]byte{})
	const n = 5
	for _, size := range []int{maxMessage - overhead, maxMessage - overhead + 1} {
		value := make([]byte, size) // nothing to compress
		_, _ = random.Read(value)
		fits := size <= maxMessage-overhead
		if err := b.Append(t.Context(), event.TopicIncidents, "", value); (err == nil) != fits {
			t.Errorf("append of %d bytes: %v", size, err)
		}
		for range n {
			b.Enqueue(event.TopicHealth, "", value)
		}
	}
	if d := b.Dropped(); d != n {
		t.Errorf("dropped %d, want those %d that are too large", d, n)
	}
	for topic, want := range map[string]int{event.TopicIncidents: 1, event.TopicHealth: n} {
		r := read(t, b, event.Subscription{Topic: topic})
		wait(t, "the large records", func() bool { return len(r.all()) == want })
		for _, record := range r.all() {
			if len(record.Value) != maxMessage-overhead || !record.Signed {
				t.Errorf("%s: %d bytes, signed: %v", topic, len(record.Value), record.Signed)
			}
		}
	}
}

func theBrokerRestarts(t *testing.T, u underTest) {
	b, registry, _ := u.open(t)
	appendAll(t, b, event.TopicIncidents, 0, 10)
	live := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "the records before", func() bool { return len(live.all()) == 10 })
	u.stop()
	wait(t, "the problem in the registry", func() bool { _, is := registry.Get(health.Bus); return is })
	if b.Ready(t.Context()) == nil || b.Status().OK {
		t.Error("the broker is down, and the bus is ready")
	}
	limited, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := b.Append(limited, event.TopicIncidents, "key", []byte("unknown")); err == nil {
		t.Error("append without a broker: no error")
	}
	known := func(r *reader) []string { // what failed may get there later
		return slices.DeleteFunc(r.values(), func(v string) bool { return v == "unknown" })
	}
	u.back()
	wait(t, "an append to succeed", func() bool {
		return b.Append(t.Context(), event.TopicIncidents, "key", []byte("unknown")) == nil
	})
	wait(t, "the bus to be ready", func() bool { return b.Ready(t.Context()) == nil })
	appendAll(t, b, event.TopicIncidents, 10, 20)
	wait(t, "the records after", func() bool { return len(known(live)) >= 20 })
	wantCount(t, known(live), 20)
	replay := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "CaughtUp", func() bool { return len(replay.caughtUp()) == 1 })
	wantCount(t, known(replay), 20)
	wait(t, "the problem to be cleared", func() bool { _, is := registry.Get(health.Bus); return !is })
}

// theBrokerIsUnreachable for ten seconds while records come: the queue keeps them.
func theBrokerIsUnreachable(t *testing.T, u underTest) {
	b, registry, _ := u.open(t)
	const keys, awayFor = 50, 10 * time.Second
	live := read(t, b, event.Subscription{Topic: event.TopicHealth})
	n, slowest := 0, time.Duration(0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var loading sync.WaitGroup
	loading.Go(func() { // five hundred a second
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		for ; ctx.Err() == nil; n++ {
			<-ticker.C
			began := time.Now()
			enqueueAll(b, n, n+1, keys)
			slowest = max(slowest, time.Since(began))
		}
	})
	wait(t, "the first records", func() bool { return len(live.all()) > 100 })
	u.stop()
	wait(t, "the problem in the registry", func() bool { _, is := registry.Get(health.Bus); return is })
	retry.Sleep(ctx, awayFor)
	u.back()
	began, before := time.Now(), len(live.all())
	wait(t, "records again", func() bool { return len(live.all()) > before })
	resumed := time.Since(began)
	retry.Sleep(ctx, time.Second)
	cancel()
	loading.Wait()
	wait(t, "all records", func() bool { return len(live.all()) >= n })
	replay := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "the replay", func() bool { return len(replay.caughtUp()) == 1 })
	wantEachInOrder(t, "live", live, n, keys)
	wantEachInOrder(t, "replay", replay, n, keys)
	if d := b.Dropped(); d != 0 {
		t.Errorf("dropped %d", d)
	}
	wait(t, "the problem to be cleared", func() bool { _, is := registry.Get(health.Bus); return !is && b.Status().OK })
	t.Logf("%d records; the first %v after the broker was back; the longest Enqueue took %v", n, resumed.Round(time.Millisecond), slowest)
}
