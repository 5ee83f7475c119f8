package bus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/IBM/sarama"
	"github.com/gofrs/flock"

	"logstream/internal/event"
)

// Topics are all topics of ours.
var Topics = append(append([]string{}, startTopics...), event.TopicDeadLetters)

// UnreachableError says that no broker answers.
type UnreachableError struct {
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Kafka is unreachable at %s: %v", e.Address, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Reader reads what stands on the topics, beside an instance that runs or after
// it. It makes no topic and writes nothing.
type Reader struct {
	bus    *Bus
	client sarama.Client
	lock   *flock.Flock // of the data directory, where no instance has it
}

// OpenReader connects to the configured brokers. Where none are configured it
// connects to the embedded broker of the instance that runs, and where none runs
// it opens the data directory itself. A StartError says what a person has to
// change first.
func OpenReader(ctx context.Context, config Config, log *slog.Logger) (*Reader, error) {
	b := &Bus{config: config, log: log, addrs: config.Brokers, clientID: clientID("reader")}
	b.life, b.end = context.WithCancel(context.WithoutCancel(ctx))
	r := &Reader{bus: b}
	err := r.open(ctx)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context) error {
	b, dir := r.bus, r.bus.config.Embedded.Data
	embedded := len(b.addrs) == 0
	if embedded || b.config.Secret == "" {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return &StartError{What: fmt.Sprintf("there is no data directory %s", dir),
				Remedy: "run this in the directory in which logstream runs, or name its configuration with --config"}
		}
	}
	var err error
	if b.secret, err = loadSecret(dir, b.config.Secret); err != nil {
		return err
	}
	if embedded {
		if err := r.openEmbedded(ctx, dir); err != nil {
			return err
		}
	}
	client, err := sarama.NewClient(b.addrs, b.clientConfig(b.life))
	if err != nil {
		return &UnreachableError{b.addrs[0], err}
	}
	r.client = client
	return nil
}

// openEmbedded finds the broker of the instance that has the directory, or is it.
func (r *Reader) openEmbedded(ctx context.Context, dir string) error {
	b := r.bus
	b.addrs = []string{b.config.Embedded.Listen}
	lock, err := lockDataDir(dir)
	if err != nil {
		if start := new(StartError); errors.As(err, &start) && start.Err == nil {
			return nil // an instance runs
		}
		return err
	}
	r.lock = lock
	if b.broker, err = startBroker(ctx, b.config.Embedded, dir, b.log); err != nil {
		return err
	}
	b.addrs = []string{b.broker.addr}
	return nil
}

// Read calls each for the records of a topic from since on and before until, by
// the brokers' time, partition by partition in order; zero is the beginning, and
// the end as it is now. A topic that does not exist has no records.
func (r *Reader) Read(ctx context.Context, topic string, since, until time.Time, each func(event.Record)) error {
	partitions, err := r.client.Partitions(topic)
	if errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", topic, err)
	}
	for _, partition := range partitions {
		from, to, err := offsets(r.client, topic, partition, since, until)
		if err != nil {
			return fmt.Errorf("read %s/%d: %w", topic, partition, err)
		}
		err = readRange(ctx, r.client, topicPartition{topic, partition}, from, to, func(m *sarama.ConsumerMessage) {
			if record := r.bus.record(m); !record.Time.Before(since) && (until.IsZero() || record.Time.Before(until)) {
				each(record)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// offsets are where a span begins and ends.
func offsets(client sarama.Client, topic string, partition int32, since, until time.Time) (from, to int64, err error) {
	if from, err = client.GetOffset(topic, partition, sarama.OffsetOldest); err != nil {
		return 0, 0, err
	}
	if to, err = client.GetOffset(topic, partition, sarama.OffsetNewest); err != nil {
		return 0, 0, err
	}
	if !since.IsZero() {
		first, err := client.GetOffset(topic, partition, since.UnixMilli())
		switch {
		case err != nil:
			return 0, 0, err
		case first < 0: // nothing is younger
			return to, to, nil
		}
		from = max(from, first)
	}
	if !until.IsZero() {
		end, err := client.GetOffset(topic, partition, until.UnixMilli())
		if err != nil {
			return 0, 0, err
		}
		if end >= 0 {
			to = min(to, end)
		}
	}
	return from, to, nil
}

// Close ends the connections, and the broker where the Reader is it.
func (r *Reader) Close() error {
	var all []error
	if r.client != nil {
		all = append(all, r.client.Close())
	}
	r.bus.end()
	if r.bus.broker != nil {
		r.bus.broker.close()
	}
	if r.lock != nil {
		all = append(all, r.lock.Unlock())
	}
	return errors.Join(all...)
}
