package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
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

// whatIsNotOurs: a foreign client's records, unsigned, signed by another, for
// another topic, and garbage. They are distinguished and kept to the byte.
func whatIsNotOurs(t *testing.T, u underTest) {
	c := testConfig(t.TempDir())
	c.Brokers = Addresses{u.proxy.Addr().String()}
	b, _, stop := open(t, c)
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	garbage := []byte{0xff, 0x00, 0xfe, '{', '\n', 0x80}
	client := foreign(t, b)
	signed := func(secret, topic string, value []byte) kgo.RecordHeader {
		return kgo.RecordHeader{Key: event.SignatureHeader, Value: []byte(event.Sign([]byte(secret), topic, nil, value))}
	}
	value := []byte("approved")
	for _, record := range []*kgo.Record{
		{Value: garbage},
		{Value: value, Headers: []kgo.RecordHeader{signed("another secret, not ours", event.TopicCommands, value)}},
		{Value: value, Headers: []kgo.RecordHeader{signed(string(b.secret), event.TopicIncidents, value)}},
		{Value: value, Headers: []kgo.RecordHeader{signed(string(b.secret), event.TopicCommands, value)}},
		{Value: nil, Key: garbage},
	} {
		record.Topic = event.TopicCommands
		produce(t, client, record)
	}
	s := event.Subscription{Topic: event.TopicCommands, DeadLetters: true}
	r := read(t, b, s)
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	if got := r.all(); len(got) != 1 || got[0].Offset != 3 || !got[0].Signed || !bytes.Equal(got[0].Value, value) {
		t.Errorf("handled %+v: want what is signed for its topic alone", got)
	}
	check := func() {
		t.Helper()
		deadRecords := dead(t, b, 4)
		if len(deadRecords) != 4 {
			t.Fatalf("%d dead letters, want 4", len(deadRecords))
		}
		for i, want := range []struct {
			key, value []byte
			offset     string
		}{{nil, garbage, "0"}, {nil, value, "1"}, {nil, value, "2"}, {garbage, nil, "4"}} {
			got, h := deadRecords[i], headers(deadRecords[i])
			if !bytes.Equal(got.Key, want.key) || !bytes.Equal(got.Value, want.value) || (got.Value == nil) != (want.value == nil) ||
				h["offset"] != want.offset || h["reason"] != "unsigned" || h["topic"] != event.TopicCommands {
				t.Errorf("dead letter %d: %q %q %v, want %+v", i, got.Key, got.Value, h, want)
			}
		}
	}
	check()
	r.stop()
	stop()
	b, _, _ = open(t, c) // the process starts anew
	again := read(t, b, s)
	wait(t, "the replay", func() bool { return len(again.caughtUp()) == 1 })
	check()
}

// aClaimIsReadBack: two write at the same time, again and again. Each reads its
// own record back, and all readers agree, then and in a replay, whose was first.
func aClaimIsReadBack(t *testing.T, u underTest) {
	const rounds = 40
	buses, readers := map[string]*Bus{}, map[string]*reader{}
	for _, name := range []string{"a", "b"} {
		c := testConfig(t.TempDir())
		c.Brokers, c.Secret = Addresses{u.proxy.Addr().String()}, "a secret that instances share"
		buses[name], _, _ = open(t, c)
		readers[name] = read(t, buses[name], event.Subscription{Topic: event.TopicIncidents})
	}
	for i := range rounds {
		var writing sync.WaitGroup
		for name, b := range buses {
			writing.Go(func() {
				if err := b.Append(t.Context(), event.TopicIncidents, event.ReservedService, fmt.Appendf(nil, "%d %s", i, name)); err != nil {
					t.Errorf("%s claims: %v", name, err)
				}
			})
		}
		writing.Wait()
		for name, r := range readers {
			wait(t, "both claims to be read back by "+name, func() bool { return len(r.all()) == 2*(i+1) })
		}
	}
	replay := read(t, buses["a"], event.Subscription{Topic: event.TopicIncidents})
	wait(t, "CaughtUp", func() bool { return len(replay.caughtUp()) == 1 })
	order, first := readers["a"].values(), map[string]int{}
	for _, r := range []*reader{readers["b"], replay} {
		if got := r.values(); !slices.Equal(got, order) {
			t.Errorf("one reads %v, another %v", order, got)
		}
	}
	for i := range rounds {
		mine := order[2*i : 2*i+2]
		if slices.Sort(mine); !slices.Equal(mine, []string{fmt.Sprintf("%d a", i), fmt.Sprintf("%d b", i)}) {
			t.Fatalf("round %d: %v", i, mine)
		}
		first[replay.values()[2*i][len(strconv.Itoa(i))+1:]]++
	}
	t.Logf("who was first: %v", first)
}

// copiesOfOurs: a signed health log counts as ours on its key's partition alone,
// and a dead letter only for the place that it came from.
func copiesOfOurs(t *testing.T, u underTest) {
	c := testConfig(t.TempDir())
	c.Brokers = Addresses{u.proxy.Addr().String()}
	b, _, stop := open(t, c)
	s := event.Subscription{Topic: event.TopicHealth, DeadLetters: true, Handle: func(r event.Record) error {
		if string(r.Value) == "garbage" {
			return errors.New("is not a health log")
		}
		return nil
	}}
	r := read(t, b, s)
	b.Enqueue(event.TopicHealth, "pay", []byte("ours"))
	wait(t, "ours", func() bool { return len(r.all()) == 1 })
	own := r.all()[0]
	client := foreign(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	signature := kgo.RecordHeader{Key: event.SignatureHeader, Value: []byte(event.Sign(b.secret, event.TopicHealth, own.Key, own.Value))}
	for partition := range int32(12) {
		produce(t, client, &kgo.Record{Topic: event.TopicHealth, Partition: partition, Key: own.Key, Value: own.Value, Headers: []kgo.RecordHeader{signature}})
	}
	wait(t, "its copies", func() bool { return len(r.all()) == 13 })
	for _, record := range r.all() {
		if record.Signed != (record.Partition == own.Partition) {
			t.Errorf("on the partition %d, ours on %d: signed %v", record.Partition, own.Partition, record.Signed)
		}
	}

	garbage := func() {
		produce(t, client, &kgo.Record{Topic: event.TopicHealth, Partition: own.Partition, Value: []byte("garbage")})
	}
	garbage()
	letter := dead(t, b, 1)[0]
	for i, h := range letter.Headers {
		if h.Key == headerOffset {
			offset, err := strconv.ParseInt(string(h.Value), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			letter.Headers[i].Value = []byte(strconv.FormatInt(offset+1, 10))
		}
	}
	r.stop()
	stop()
	garbage() // before there is a reader
	produce(t, client, &kgo.Record{Topic: event.TopicDeadLetters, Key: letter.Key, Value: letter.Value, Headers: letter.Headers})
	b, _, _ = open(t, c)
	read(t, b, s)
	ours := func() int {
		n := 0
		for _, l := range deadLettersNow(t, b) {
			if event.Verify(b.secret, event.TopicDeadLetters, placeKey(event.TopicHealth, own.Partition, offsetOf(l)), l.Value, headers(l)[headerPlace]) {
				n++
			}
		}
		return n
	}
	wait(t, "the dead letter of the record that a forged one named", func() bool { return ours() == 2 })
}

func offsetOf(r *kgo.Record) int64 {
	offset, _ := strconv.ParseInt(headers(r)[headerOffset], 10, 64)
	return offset
}

// deadLettersNow are the dead letters that are there.
func deadLettersNow(t *testing.T, b *Bus) []*kgo.Record {
	t.Helper()
	client := foreign(t, b, kgo.ConsumeTopics(event.TopicDeadLetters), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	var all []*kgo.Record
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		got := client.PollFetches(ctx).Records()
		cancel()
		if all = append(all, got...); len(got) == 0 {
			return all
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
