package past

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"hash/crc32"
	"logstream/internal/event"
	"strconv"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// writer writes batches to a broker whose clock it is.
type writer struct {
	tb               testing.TB
	cluster          *kfake.Cluster
	client           *kgo.Client
	waiting          map[place]*waiting
	partitioner      sarama.Partitioner
	zipped           bytes.Buffer
	gzip             *gzip.Writer
	records, batches map[string]int
}

func newWriter(tb testing.TB, dir string) *writer {
	tb.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(dir), kfake.ClusterID("logstream"), kfake.DefaultNumPartitions(1))
	if err != nil {
		tb.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.MaxVersions(kversion.V3_0_0())) // later ones name topics by id
	if err != nil {
		tb.Fatal(err)
	}
	w := &writer{tb: tb, cluster: cluster, client: client, waiting: map[place]*waiting{}, partitioner: sarama.NewMurmur2Partitioner(""),
		gzip: gzip.NewWriter(nil), records: map[string]int{}, batches: map[string]int{}}
	create := kmsg.NewCreateTopicsRequest()
	for _, name := range []string{event.TopicHealth, event.TopicServices, event.TopicIncidents, event.TopicRollups1m, event.TopicRollups1h, event.TopicRollups1d} {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions(name), 1
		for key, value := range map[string]string{"segment.bytes": strconv.Itoa(14 << 20), "retention.ms": "-1", "retention.bytes": strconv.Itoa(rawBytes)} {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = key, &value
			t.Configs = append(t.Configs, c)
		}
		create.Topics = append(create.Topics, t)
	}
	response, err := create.RequestWith(context.Background(), client)
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range response.Topics {
		if t.ErrorCode != 0 {
			tb.Fatalf("create %s: error %d", t.Topic, t.ErrorCode)
		}
	}
	return w
}

func (w *writer) close() {
	w.client.Close()
	w.cluster.Close()
}

// place is a partition, and waiting what its next batch is made of.
type place struct {
	topic     string
	partition int32
}

type waiting struct {
	records     []kmsg.Record
	first, last time.Time
}

// partitions are as many as the embedded broker has of a topic.
func partitions(topic string) int32 {
	if topic == event.TopicRollups1m || topic == event.TopicRollups1h {
		return 8
	}
	return 1
}

// put has a record wait for its batch.
func (w *writer) put(topic string, at time.Time, key string, value []byte) {
	partition, err := w.partitioner.Partition(&sarama.ProducerMessage{Key: sarama.StringEncoder(key)}, partitions(topic))
	if err != nil {
		w.tb.Fatal(err)
	}
	to := w.waiting[place{topic, partition}]
	if to == nil {
		to = &waiting{}
		w.waiting[place{topic, partition}] = to
	}
	if len(to.records) == 0 {
		to.first = at
	}
	to.last = at
	signature := event.Sign([]byte(secret), topic, []byte(key), value)
	to.records = append(to.records, kmsg.Record{Key: []byte(key), Value: value, TimestampDelta64: at.Sub(to.first).Milliseconds(),
		OffsetDelta: int32(len(to.records)), Headers: []kmsg.Header{{Key: event.SignatureHeader, Value: []byte(signature)}}})
}

// flush writes what waits for a topic, as one batch of each partition.
func (w *writer) flush(topic string) {
	for partition := range partitions(topic) {
		if batch := w.waiting[place{topic, partition}]; batch != nil && len(batch.records) > 0 {
			w.write(place{topic, partition}, batch)
		}
	}
}

func (w *writer) write(where place, of *waiting) {
	topic, records := where.topic, of.records
	of.records = records[:0]
	w.records[topic] += len(records)
	w.batches[topic]++
	var raw []byte
	for _, r := range records {
		body := r.AppendTo(nil)[1:] // its length is still 0, in one byte
		raw = append(binary.AppendVarint(raw, int64(len(body))), body...)
	}
	w.zipped.Reset()
	w.gzip.Reset(&w.zipped)
	if _, err := w.gzip.Write(raw); err != nil {
		w.tb.Fatal(err)
	}
	if err := w.gzip.Close(); err != nil {
		w.tb.Fatal(err)
	}
	batch := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, Attributes: 1, LastOffsetDelta: int32(len(records) - 1), FirstTimestamp: of.first.UnixMilli(),
		MaxTimestamp: of.last.UnixMilli(), ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(records)), Records: w.zipped.Bytes()}
	encoded := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(encoded[8:], uint32(len(encoded)-12))
	binary.BigEndian.PutUint32(encoded[17:], crc32.Checksum(encoded[21:], crc32.MakeTable(crc32.Castagnoli)))
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Partition, partition.Records = where.partition, encoded
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, partition)
	request := kmsg.NewProduceRequest()
	request.Acks, request.TimeoutMillis, request.Topics = -1, 10_000, append(request.Topics, t)
	response, err := request.RequestWith(context.Background(), w.client)
	if err != nil {
		w.tb.Fatal(err)
	}
	if code := response.Topics[0].Partitions[0].ErrorCode; code != 0 {
		w.tb.Fatalf("write to %s: error %d", topic, code)
	}
}
