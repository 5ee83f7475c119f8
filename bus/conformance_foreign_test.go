package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/internal/event"
)

// What others write into our topics, and what of it is believed.

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
