package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/event"
)

// ReadKey calls each for the records of one key that stand on a topic from since
// on and before until, by the brokers' time, in the order of their partition;
// zero is the beginning, and the end as it is now. It is for what is asked for
// now and then: it passes over the records of the other keys of its partition. What
// was written before the topic had as many partitions as now may stand on another.
func (b *Bus) ReadKey(ctx context.Context, topic, key string, since, until time.Time, each func(event.Record)) error {
	if err := b.ensure(ctx, topic); err != nil {
		return fmt.Errorf("read %s: %w", topic, err)
	}
	if err := b.readKey(ctx, topic, key, since, until, each); err != nil {
		return fmt.Errorf("read %s of %s: %w", key, topic, err)
	}
	return nil
}

// readKey reads with a client whose connections break with ctx.
func (b *Bus) readKey(ctx context.Context, topic, key string, since, until time.Time, each func(event.Record)) error {
	client, err := sarama.NewClient(b.addrs, b.clientConfig(ctx))
	if err != nil {
		return err
	}
	defer client.Close()
	partitions, err := client.Partitions(topic)
	if err != nil {
		return err
	}
	partition, err := partitionOf(sarama.NewMurmur2Partitioner(topic), []byte(key), int32(len(partitions)))
	if err != nil {
		return err
	}
	from, to, err := offsets(client, topic, partition, since, until)
	if err != nil {
		return err
	}
	return readRange(ctx, client, topicPartition{topic, partition}, from, to, func(m *sarama.ConsumerMessage) {
		if string(m.Key) == key {
			each(b.record(m))
		}
	})
}

// partitionOf is the partition of a key, of n. To make a partitioner costs more
// than to use it, by far: it has a source of random numbers.
func partitionOf(by sarama.Partitioner, key []byte, n int32) (int32, error) {
	return by.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, n)
}
