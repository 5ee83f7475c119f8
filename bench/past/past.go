// Package past writes the log of a time that has gone by, in virtual time: for
// benchmarks and for scenarios that need one.
package past

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"logstream/internal/event"
	"logstream/rollup"
)

// Host and Instance are those of who has written a past.
const (
	Host     = "local"
	Instance = "bench-0001"
)

const (
	secret   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	linger   = 50 * time.Millisecond // of the batching producer
	rawBytes = 256 << 20             // bus.embedded.max_size
	rawKept  = 24 * time.Hour        // bus.embedded.retention
)

// Past is a time in which services were checked, written into the directory of
// an embedded broker as an instance that ran all the time had written it: the
// same records, in the same batches, at their own times. The rollups are those
// of the real fold.
type Past struct {
	Services int
	Interval time.Duration
	Lasts    time.Duration
	Until    time.Time // zero: until it is written, so that nothing lies between it and the next instance
}

// Name is the name of a service.
func (p Past) Name(i int) string { return fmt.Sprintf("service-%03d", i) }

// isDown has each service down for three minutes now and then.
func (p Past) isDown(i int, at time.Time) bool {
	return (at.Unix()/60+int64(i)*17)%(601+37*int64(i%9)) < 3
}

// Left is what a past has left.
type Left struct {
	Records, Batches map[string]int  // by topic
	Down             []time.Duration // by service, as published
}

// Write simulates the past into dir, which does not exist yet.
func (p Past) Write(tb testing.TB, dir string) Left {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	for name, content := range map[string]string{"secret": secret, "instance": strings.TrimPrefix(Instance, "bench-")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	w := newWriter(tb, filepath.Join(dir, "log"))
	defer w.close()
	s := simulation{Past: p, writer: w, fold: rollup.NewFold(Host, 1), rng: rand.New(rand.NewPCG(1, 2)),
		bad: make([]int, p.Services), good: make([]int, p.Services), status: make([]event.Status, p.Services)}
	s.left = Left{Records: w.records, Batches: w.batches, Down: make([]time.Duration, p.Services)}
	s.run()
	return s.left
}

// simulation goes through a past in virtual time.
type simulation struct {
	Past
	*writer
	fold      *rollup.Fold
	rng       *rand.Rand
	revision  int64
	status    []event.Status
	bad, good []int // checks in a row
	left      Left
}

func (s *simulation) origin() event.Origin {
	return event.Origin{Instance: Instance, Host: Host, Epoch: 1, Nonce: "4KQ7N2XJ5M3RZT6WBHVDLPC2AY"}
}

func (s *simulation) run() {
	over := func(at time.Time) bool { return !at.Before(s.Until) }
	if s.Until.IsZero() {
		s.Until = time.Now()
		over = func(at time.Time) bool { return at.After(time.Now()) }
	}
	begin := s.Until.Add(-s.Lasts).Truncate(time.Second)
	for at := begin; at.Before(s.Until); at = at.Add(24 * time.Hour) {
		o := s.origin()
		claim := event.Claim{Host: Host, Instance: Instance, Epoch: 1, Nonce: o.Nonce}
		s.put(event.TopicIncidents, at, event.ReservedService, event.Encode(event.Incident{ID: o.Nonce, Seq: 1, Time: at,
			Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream, Data: claim, Origin: o}))
		s.flush(event.TopicIncidents)
	}
	// So many of the newest observations are still there.
	perSecond := float64(s.Services) / s.Interval.Seconds()
	raw := s.Until.Add(-min(rawKept, time.Duration(rawBytes/100/perSecond*float64(time.Second))))
	for at := begin; !over(at); at = at.Add(s.step()) {
		if at.Sub(begin)%time.Hour == 0 {
			for i := range s.Services {
				s.publish(i, at)
			}
		}
		s.checks(begin, at, !at.Before(raw))
		if at.Sub(begin)%time.Second == 0 {
			s.close(at)
		}
		s.flush(event.TopicHealth)
		s.flush(event.TopicServices)
	}
}

// step is the time between two instants at which something may happen: a whole
// second where each check begins on one, which spares 19 of 20 idle instants.
func (p Past) step() time.Duration {
	if p.Interval%(time.Duration(p.Services)*time.Second) == 0 {
		return time.Second
	}
	return linger
}

// checks are those that begin within a step from at on.
func (s *simulation) checks(begin, at time.Time, raw bool) {
	slots := int(s.Interval / s.step())
	slot := int(at.Sub(begin)/s.step()) % slots
	for i := (slot*s.Services + slots - 1) / slots; i*slots < (slot+1)*s.Services; i++ { // spread over the interval
		s.revision++
		h := event.HealthLog{Timestamp: event.Seconds(at), Service: s.Name(i), Status: event.Up, Code: 200, Check: "http",
			LatencyMS: math.Round(1000*(20+15*math.Sin(float64(at.Unix())/86400*2*math.Pi))*math.Exp(s.rng.NormFloat64()/4)) / 1000,
			Revision:  s.revision, Origin: s.origin()}
		if s.isDown(i, at) {
			h.Status, h.Code, h.Error, h.Failure = event.Down, 0, "connection refused", event.FailureConnectRefused
		}
		s.fold.ReadHealth(h, at)
		s.judge(i, h.Status, at)
		if raw {
			s.put(event.TopicHealth, at, h.Service, event.Encode(h))
		}
		if s.status[i] == event.Down {
			s.left.Down[i] += s.Interval
		}
	}
}

// judge publishes a change of status: two checks in a row make one.
func (s *simulation) judge(i int, saw event.Status, at time.Time) {
	if saw == event.Down {
		s.bad[i], s.good[i] = s.bad[i]+1, 0
	} else {
		s.bad[i], s.good[i] = 0, s.good[i]+1
	}
	next := s.status[i]
	switch {
	case s.bad[i] >= 2:
		next = event.Down
	case s.good[i] >= 2:
		next = event.Up
	}
	if next != s.status[i] {
		s.status[i] = next
		s.publish(i, at)
	}
}

func (s *simulation) publish(i int, at time.Time) {
	s.revision++
	status := s.status[i]
	if status == "" {
		status = event.Pending
	}
	r := event.Service{Time: at, Service: s.Name(i), Status: status, Since: at, Code: 200, LatencyMS: 20, Revision: s.revision, Origin: s.origin(),
		Definition: &event.Definition{Name: s.Name(i), URL: "http://127.0.0.1:8080/health", Interval: s.Interval.String(), Timeout: "1s", FailureThreshold: 2, SuccessThreshold: 2,
			Expect: event.Expect{Status: "200-399"}, StartPeriod: "0s", Heal: event.Heal{Mode: "auto", ManualStop: "heal", Confirm: true}},
		DefinitionHash: "5eadbeef", Sources: []event.Source{{Instance: Instance, Check: "http", Status: status, Since: at}}}
	s.fold.ReadService(r)
	if at.After(s.Until.Add(-48 * time.Hour)) {
		s.put(event.TopicServices, at, r.Service, event.Encode(r))
	}
}

// close writes the buckets that are over.
func (s *simulation) close(at time.Time) {
	for _, c := range s.fold.Tick(at) {
		level := event.Levels[c.Level]
		if level.Kept > 0 && at.Before(s.Until.Add(-level.Kept)) {
			continue
		}
		s.revision++
		c.Record.Revision, c.Record.Origin = s.revision, s.origin()
		s.put(level.Topic, at, c.Record.Service, event.Encode(c.Record))
	}
	for _, level := range event.Levels {
		s.flush(level.Topic)
	}
}

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
