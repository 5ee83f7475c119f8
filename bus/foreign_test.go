package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"logstream/internal/event"
)

// foreign is a Kafka client that is not ours.
func foreign(t *testing.T, b *Bus, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(b.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func produce(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func headers(record *kgo.Record) map[string]string {
	all := map[string]string{}
	for _, h := range record.Headers {
		all[h.Key] = string(h.Value)
	}
	return all
}

// dead reads the dead letters by a foreign client until there are n of them,
// and a little longer: no offset may have two.
func dead(t *testing.T, b *Bus, n int) []*kgo.Record {
	t.Helper()
	client := foreign(t, b, kgo.ConsumeTopics(event.TopicDeadLetters))
	var all []*kgo.Record
	deadline := time.Now().Add(patience)
	for len(all) < n && time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		all = append(all, client.PollFetches(ctx).Records()...)
		cancel()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	all = append(all, client.PollFetches(ctx).Records()...)
	seen := map[string]bool{}
	for _, record := range all {
		if at := headers(record)["offset"]; seen[at] {
			t.Fatalf("offset %s has two dead letters", at)
		} else {
			seen[at] = true
		}
	}
	if len(all) < n {
		t.Fatalf("%d dead letters, want %d", len(all), n)
	}
	return all
}

func TestUnsignedAndUnreadableGoToTheDeadLettersOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, _, stop := open(t, testConfig(dir))
	client := foreign(t, b)
	forged := kgo.RecordHeader{Key: event.SignatureHeader, Value: []byte(event.Sign([]byte("another secret, not ours"), event.TopicCommands, []byte("k"), []byte("forged")))}
	mine := kgo.RecordHeader{Key: event.SignatureHeader, Value: []byte(event.Sign(b.secret, event.TopicCommands, []byte("k"), []byte("signed")))}
	moved := kgo.RecordHeader{Key: event.SignatureHeader, Value: []byte(event.Sign(b.secret, event.TopicIncidents, []byte("k"), []byte("moved")))}
	write := func(value string, h ...kgo.RecordHeader) {
		t.Helper()
		produce(t, client, &kgo.Record{Topic: event.TopicCommands, Key: []byte("k"), Value: []byte(value), Headers: h})
	}
	write("unsigned")
	write("forged", forged)
	write("moved", moved)
	write("signed", mine)
	refuse := event.Subscription{Topic: event.TopicCommands, DeadLetters: true, Handle: func(r event.Record) error {
		if string(r.Value) == "unreadable" {
			return errors.New("is not a command")
		}
		return nil
	}}
	r := read(t, b, refuse)
	idle := read(t, b, event.Subscription{Topic: event.TopicCommands}) // writes none
	if err := b.Append(t.Context(), event.TopicCommands, "", []byte("unreadable")); err != nil {
		t.Fatal(err)
	}
	for _, each := range []*reader{r, idle} {
		wait(t, "the signed ones", func() bool { return len(each.all()) >= 2 })
		if got := each.values(); !slices.Equal(got, []string{"signed", "unreadable"}) {
			t.Errorf("handled %v", got)
		}
	}
	check := func(deadRecords []*kgo.Record) {
		t.Helper()
		for i, want := range []struct{ value, reason, offset string }{
			{"unsigned", "unsigned", "0"}, {"forged", "unsigned", "1"}, {"moved", "unsigned", "2"}, {"unreadable", "is not a command", "4"},
		} {
			got, h := deadRecords[i], headers(deadRecords[i])
			if string(got.Value) != want.value || h["reason"] != want.reason || h["offset"] != want.offset ||
				h["topic"] != event.TopicCommands || h["partition"] != "0" {
				t.Errorf("dead letter %d: %q %v, want %+v", i, got.Value, h, want)
			}
			if (got.Key == nil) != (want.value == "unreadable") {
				t.Errorf("dead letter %d: key %q", i, got.Key)
			}
			if !event.Verify(b.secret, event.TopicDeadLetters, got.Key, got.Value, h[event.SignatureHeader]) {
				t.Errorf("dead letter %d is not signed", i)
			}
		}
	}
	if deadRecords := dead(t, b, 4); len(deadRecords) == 4 {
		check(deadRecords)
	} else {
		t.Errorf("%d dead letters, want 4", len(deadRecords))
	}
	r.stop()
	again := read(t, b, refuse) // the actor starts anew
	wait(t, "the replay", func() bool { return len(again.caughtUp()) == 1 })
	check(dead(t, b, 4))
	idle.stop()
	again.stop()
	stop()

	b, _, _ = open(t, testConfig(dir)) // the process starts anew
	last := read(t, b, refuse)
	wait(t, "the replay", func() bool { return len(last.caughtUp()) == 1 })
	client = foreign(t, b)
	write("new")
	deadRecords := dead(t, b, 5)
	check(deadRecords)
	if string(deadRecords[4].Value) != "new" {
		t.Errorf("the fifth is %q", deadRecords[4].Value)
	}
}

func TestForeignRecordsOnTheOpenTopic(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	produce(t, foreign(t, b), &kgo.Record{Topic: event.TopicHealth, Value: []byte("hello"), Timestamp: time.Unix(1, 0)})
	wait(t, "the record", func() bool { return len(r.all()) == 1 })
	got := r.all()[0]
	if got.Signed || got.Key != nil || string(got.Value) != "hello" {
		t.Errorf("got %+v", got)
	}
	if age := time.Since(got.Time); age < -time.Second || age > time.Minute {
		t.Errorf("the record's time is the client's: %v", got.Time)
	}
}

// TestARecordWithAnOldTimestampDoesNotEmptyItsTopic: the embedded broker trims everything before a
// batch that is older than the retention.
func TestARecordWithAnOldTimestampDoesNotEmptyItsTopic(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	const n = renewControl + 10
	appendAll(t, b, event.TopicIncidents, 0, n)
	produce(t, foreign(t, b), &kgo.Record{Topic: event.TopicIncidents, Value: []byte("from 1970"), Timestamp: time.Unix(1, 0)})
	b.broker.applyRetention()
	r := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	wantCount(t, r.values(), n)
}

// TestCaughtUpWithTransactionMarkersAtTheEnd: the last offsets of a topic may hold a transaction's
// markers, which no reader gets.
func TestCaughtUpWithTransactionMarkersAtTheEnd(t *testing.T) {
	t.Parallel()
	b, _, _ := open(t, testConfig(t.TempDir()))
	client := foreign(t, b, kgo.TransactionalID("t"))
	for i := range 3 {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, client, &kgo.Record{Topic: event.TopicHealth, Value: []byte(strconv.Itoa(i))})
		if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
	}
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	wantCount(t, r.values(), 3)
	b.Enqueue(event.TopicHealth, "k", []byte("3"))
	wait(t, "what follows", func() bool { return len(r.all()) == 4 })
	wantCount(t, r.values(), 4)
}

// poison is a batch whose checksum is right and whose content is garbage.
func poison(records int32, codec int16, garbage []byte) []byte {
	batch := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, Attributes: codec, LastOffsetDelta: records - 1,
		FirstTimestamp: time.Now().UnixMilli(), MaxTimestamp: time.Now().UnixMilli(),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: records, Records: garbage}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[atCRC:], crc32.Checksum(raw[atAttributes:], castagnoli))
	return raw
}

func produceRaw(t *testing.T, client *kgo.Client, topic string, batch []byte) {
	t.Helper()
	request := kmsg.NewPtrProduceRequest()
	request.Version, request.Acks, request.TimeoutMillis = 9, -1, 5000
	request.Topics = []kmsg.ProduceRequestTopic{{Topic: topic, Partitions: []kmsg.ProduceRequestTopicPartition{{Records: batch}}}}
	shards := client.RequestSharded(t.Context(), request)
	for _, shard := range shards {
		if shard.Err != nil {
			t.Fatal(shard.Err)
		}
		for _, topic := range shard.Resp.(*kmsg.ProduceResponse).Topics {
			for _, p := range topic.Partitions {
				if p.ErrorCode != 0 {
					t.Fatalf("the broker refuses the batch: %d", p.ErrorCode)
				}
			}
		}
	}
}

// TestUndecodableBatchesAreSkipped: batches that cannot be decoded, which the broker took all the
// same, are skipped and reported, and block no other record.
func TestUndecodableBatchesAreSkipped(t *testing.T) {
	t.Parallel()
	b, _, _ := open(t, testConfig(t.TempDir()))
	client := foreign(t, b, kgo.MaxVersions(kversion.V3_6_0())) // topics by name
	enqueue := func(i int) { b.Enqueue(event.TopicHealth, "k", []byte(strconv.Itoa(i))) }
	r := read(t, b, event.Subscription{Topic: event.TopicHealth, DeadLetters: true})
	enqueue(0)
	wait(t, "the record before", func() bool { return len(r.all()) == 1 })
	produceRaw(t, client, event.TopicHealth, poison(5, 4, []byte("no zstd at all")))
	enqueue(1)
	wait(t, "the record after the garbage", func() bool { return len(r.all()) == 2 })
	produceRaw(t, client, event.TopicHealth, poison(3, 0, []byte{2, 0, 0})) // ends in the middle of a record
	enqueue(2)
	wait(t, "the record after the truncated one", func() bool { return len(r.all()) == 3 })
	produceRaw(t, client, event.TopicHealth, poison(2, 0, nil)) // at the end
	wantCount(t, r.values(), 3)

	late := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "the replay over all of it", func() bool { return len(late.caughtUp()) == 1 })
	wantCount(t, late.values(), 3)
	first := headers(dead(t, b, 1)[0])
	if first["offset"] != "1" || !strings.HasPrefix(first["reason"], "offsets 1 to 5: ") {
		t.Errorf("dead letter: %v", first)
	}
}

// TestKeysGoToThePartitionsOfKafkasDefaultPartitioner: a foreign client's default puts each key where
// ours puts it.
func TestKeysGoToThePartitionsOfKafkasDefaultPartitioner(t *testing.T) {
	_, p := kafka(t)
	b, _, _ := openAt(t, p.Addr().String())
	const n = 200
	for i := range n {
		b.Enqueue(event.TopicHealth, fmt.Sprintf("service-%d", i), []byte("ours"))
	}
	r := read(t, b, event.Subscription{Topic: event.TopicHealth})
	wait(t, "ours", func() bool { return len(r.all()) == n })
	client := foreign(t, b)
	for i := range n {
		client.Produce(t.Context(), &kgo.Record{Topic: event.TopicHealth, Key: fmt.Appendf(nil, "service-%d", i), Value: []byte("theirs")}, nil)
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, "theirs", func() bool { return len(r.all()) == 2*n })
	partition, used := map[string]int32{}, map[int32]bool{}
	for _, record := range r.all() {
		used[record.Partition] = true
		if at, is := partition[string(record.Key)]; is && at != record.Partition {
			t.Errorf("%s: partitions %d and %d", record.Key, at, record.Partition)
		}
		partition[string(record.Key)] = record.Partition
	}
	if len(used) != 12 {
		t.Errorf("%d partitions are used, want 12", len(used))
	}
}

// TestPartitionsAddedWhileRunning: the topic gets more partitions while we run. What
// stands on the new ones is read, and our own records stay ours.
func TestPartitionsAddedWhileRunning(t *testing.T) {
	t.Parallel()
	_, p := kafka(t)
	c := testConfig(t.TempDir())
	c.Brokers = Addresses{p.Addr().String()}
	b, _, _ := open(t, c)
	var mu sync.Mutex
	var others int
	signed, unsigned := map[int32]int{}, 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- b.Subscribe(ctx, event.Subscription{Topic: event.TopicHealth, Handle: func(r event.Record) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case string(r.Key) == "foreign":
				others++
			case r.Signed:
				signed[r.Partition]++
			default:
				unsigned++
			}
			return nil
		}})
	}()
	write := func() {
		for i := range 200 {
			b.Enqueue(event.TopicHealth, fmt.Sprintf("svc-%d", i), []byte("x"))
		}
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(2*metadataEvery + 30*time.Second); ; time.Sleep(20 * time.Millisecond) {
			mu.Lock()
			holds := is()
			mu.Unlock()
			if holds {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %v signed, %d unsigned, %d foreign", what, signed, unsigned, others)
			}
		}
	}
	sum := func() (n int) {
		for _, of := range signed {
			n += of
		}
		return n
	}
	write()
	until("ours are read", func() bool { return sum() == 200 })

	client, err := sarama.NewClient([]string{p.Addr().String()}, b.clientConfig(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.CreatePartitions(event.TopicHealth, 17, nil, false); err != nil {
		t.Fatal(err)
	}
	other, err := kgo.NewClient(kgo.SeedBrokers(p.Addr().String()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.ProduceSync(t.Context(), &kgo.Record{Topic: event.TopicHealth, Partition: 15, Key: []byte("foreign"), Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	until("a record on a new partition is read", func() bool { return others == 1 })
	write() // by the old number, or the new one
	until("ours are read", func() bool { return sum()+unsigned == 400 })
	if unsigned != 0 {
		t.Errorf("%d of our own records count as unsigned", unsigned)
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
