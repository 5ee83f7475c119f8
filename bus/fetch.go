package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/IBM/sarama"
)

// fetched is what stands at an offset.
type fetched struct {
	records []*sarama.ConsumerMessage
	next    int64 // the offset after the last batch, whether it held records or not
	end     int64 // the partition's high-water mark
}

// errUnreadable says that a batch is there and can't be decoded.
var errUnreadable = errors.New("a batch that cannot be decoded")

// fetch reads the batches at offset, about maxBytes of them and at least one.
// Unlike a sarama consumer it says where the next batch begins when this one
// holds nothing that can be read: a transaction's marker, or nothing after
// compaction.
func fetch(client sarama.Client, where topicPartition, offset int64, maxBytes int32) (fetched, error) {
	leader, err := client.Leader(where.topic, where.partition)
	if err != nil {
		return fetched{}, err
	}
	if err := leader.Open(client.Config()); err != nil && !errors.Is(err, sarama.ErrAlreadyConnected) {
		return fetched{}, err
	}
	request := &sarama.FetchRequest{Version: 11, MaxWaitTime: 50, MinBytes: 1, MaxBytes: maxBytes, SessionEpoch: -1}
	request.AddBlock(where.topic, where.partition, offset, maxBytes, -1)
	response, err := leader.Fetch(request)
	if err != nil {
		if connectionError(err) {
			return fetched{}, errors.Join(err, leader.Close())
		}
		return fetched{}, fmt.Errorf("%w: %v", errUnreadable, err)
	}
	block := response.GetBlock(where.topic, where.partition)
	if block == nil {
		return fetched{}, sarama.ErrIncompleteResponse
	}
	if block.Err != sarama.ErrNoError {
		return fetched{}, block.Err
	}
	f := fetched{next: offset, end: block.HighWaterMarkOffset}
	for _, set := range block.RecordsSet {
		batch := set.RecordBatch
		if batch == nil {
			continue // the format of Kafka 0.10: a broker of today converts none of it
		}
		if batch.PartialTrailingRecord {
			break
		}
		f.next = max(f.next, batch.LastOffset()+1)
		if batch.Control {
			continue
		}
		for _, r := range batch.Records {
			taken := batch.FirstTimestamp.Add(r.TimestampDelta)
			if batch.LogAppendTime { // then those are the client's, and the broker's stands here
				taken = batch.MaxTimestamp
			}
			if at := batch.FirstOffset + r.OffsetDelta; at >= offset {
				f.records = append(f.records, &sarama.ConsumerMessage{Topic: where.topic, Partition: where.partition,
					Offset: at, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: taken})
			}
		}
	}
	if f.next == offset && offset < f.end {
		return fetched{}, fmt.Errorf("%w: it ends before its last record", errUnreadable)
	}
	return f, nil
}

// connectionError says that the connection was lost or the broker answered with
// an error, and not that the answer can't be decoded.
func connectionError(err error) bool {
	var network net.Error
	var kafka sarama.KError
	for _, is := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, context.Canceled, context.DeadlineExceeded,
		sarama.ErrNotConnected, sarama.ErrClosedClient, sarama.ErrOutOfBrokers, sarama.ErrBrokerNotAvailable, sarama.ErrShuttingDown} {
		if errors.Is(err, is) {
			return true
		}
	}
	return errors.As(err, &network) || errors.As(err, &kafka)
}

// readRange calls each for every record from one offset up to another. It
// skips what can't be decoded.
func readRange(ctx context.Context, client sarama.Client, where topicPartition, from, to int64, each func(*sarama.ConsumerMessage)) error {
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := fetch(client, where, from, 1<<20)
		if errors.Is(err, errUnreadable) {
			from++
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s/%d at %d: %w", where.topic, where.partition, from, err)
		}
		for _, r := range got.records {
			if r.Offset < to {
				each(r)
			}
		}
		if got.next == from {
			return fmt.Errorf("read %s/%d at %d: no record there, although the topic ends at %d", where.topic, where.partition, from, to)
		}
		from = got.next
	}
	return nil
}

func header(r *sarama.ConsumerMessage, name string) string {
	for _, h := range r.Headers {
		if h != nil && string(h.Key) == name {
			return string(h.Value)
		}
	}
	return ""
}
