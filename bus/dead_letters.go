package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/event"
	"logstream/internal/text"
)

// Headers of a dead letter, beside the signature.
const (
	headerReason    = "reason"
	headerTopic     = "topic"
	headerPartition = "partition"
	headerOffset    = "offset"
	headerCut       = "cut"   // the value's length, where it was too long to be kept whole
	headerPlace     = "place" // a signature over the value and its topic, partition and offset, which the record's own leaves out
)

const (
	maxReason     = 1024 // bytes
	maxDeadLetter = maxMessage - 16<<10
)

// deadLetterWriter writes dead letters, each offset once. They have a queue and
// a producer of their own, so that garbage displaces no health log.
type deadLetterWriter struct {
	forwarder *forwarder

	mu     sync.Mutex
	loaded map[string]bool          // topics whose dead letters of earlier processes are known
	last   map[topicPartition]int64 // the highest offset that has a dead letter
	warned uint64                   // how many were dropped at the last warning
}

func newDeadLetterWriter(b *Bus) *deadLetterWriter {
	return &deadLetterWriter{forwarder: newForwarder(b, "dead letters", newQueue(4096, 32<<20)),
		loaded: map[string]bool{}, last: map[topicPartition]int64{}}
}

// write puts a record among the dead letters, unless it is there. Records of a
// partition come in their order, so the highest offset says enough.
func (l *deadLetterWriter) write(m *sarama.ConsumerMessage, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	where := topicPartition{m.Topic, m.Partition}
	if last, is := l.last[where]; is && m.Offset <= last {
		return
	}
	l.last[where] = m.Offset
	l.forwarder.queue.push(newDeadLetter(l.forwarder.bus.secret, m, reason))
	if lost := l.forwarder.queue.lost(); lost >= 2*l.warned+1 { // at 1, 3, 7, 15 …
		l.warned = lost
		l.forwarder.log.Warn("dead letters dropped, oldest first: more arrive than can be written", "dropped", lost)
	}
}

func newDeadLetter(secret []byte, m *sarama.ConsumerMessage, reason string) *entry {
	e := &entry{topic: event.TopicDeadLetters, key: m.Key, value: m.Value, at: time.Now()}
	add := func(name, value string) {
		e.headers = append(e.headers, sarama.RecordHeader{Key: []byte(name), Value: []byte(value)})
	}
	add(headerReason, text.Clip(text.Line(reason), maxReason))
	add(headerTopic, m.Topic)
	add(headerPartition, strconv.Itoa(int(m.Partition)))
	add(headerOffset, strconv.FormatInt(m.Offset, 10))
	if len(e.key)+len(e.value) > maxDeadLetter {
		add(headerCut, strconv.Itoa(len(e.value)))
		e.key = e.key[:min(len(e.key), 4096)]
		e.value = e.value[:min(len(e.value), maxDeadLetter/2)]
	}
	add(headerPlace, event.Sign(secret, event.TopicDeadLetters, placeKey(m.Topic, m.Partition, m.Offset), e.value))
	return e
}

func placeKey(topic string, partition int32, offset int64) []byte {
	return fmt.Appendf(nil, "%s/%d/%d", topic, partition, offset)
}

// load reads which records of a topic have a dead letter from an earlier process.
// Any program may write to the topic, so only our own count, and only as we wrote
// them: a copy that names a later offset would hide what comes before that.
func (l *deadLetterWriter) load(ctx context.Context, client sarama.Client, topic string) error {
	l.mu.Lock()
	loaded := l.loaded[topic]
	l.mu.Unlock()
	if loaded {
		return nil
	}
	partitions, err := client.Partitions(event.TopicDeadLetters)
	if err != nil && !errors.Is(err, sarama.ErrUnknownTopicOrPartition) { // which is made when first needed
		return err
	}
	for _, partition := range partitions {
		where := topicPartition{event.TopicDeadLetters, partition}
		from, err := client.GetOffset(where.topic, partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		to, err := client.GetOffset(where.topic, partition, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if err := readRange(ctx, client, where, from, to, func(m *sarama.ConsumerMessage) { l.remember(topic, m) }); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loaded[topic] = true
	return nil
}

func (l *deadLetterWriter) remember(topic string, m *sarama.ConsumerMessage) {
	partition, err1 := strconv.ParseInt(header(m, headerPartition), 10, 32)
	offset, err2 := strconv.ParseInt(header(m, headerOffset), 10, 64)
	if header(m, headerTopic) != topic || err1 != nil || err2 != nil ||
		!event.Verify(l.forwarder.bus.secret, event.TopicDeadLetters, placeKey(topic, int32(partition), offset), m.Value, header(m, headerPlace)) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	where := topicPartition{topic, int32(partition)}
	if last, is := l.last[where]; !is || offset > last {
		l.last[where] = offset
	}
}

// forget drops what is remembered of a partition whose offsets start over: an
// emptied topic counts from 0 after a kill.
func (l *deadLetterWriter) forget(where topicPartition, newest int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, is := l.last[where]; is && last >= newest {
		delete(l.last, where)
	}
}
