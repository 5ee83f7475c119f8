package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/retry"
	"logstream/internal/supervise"
)

// Subscribe reads a topic until ctx ends, and returns nil then. It goes on
// over losses of the connection, from the record after the last one handled.
// The error is one that trying again does not resolve.
func (b *Bus) Subscribe(ctx context.Context, s event.Subscription) error {
	if _, known := b.topic(s.Topic); !known || s.Handle == nil {
		return fmt.Errorf("subscribe to %q: not one of logstream's topics, or no handler", s.Topic)
	}
	r := &subscriber{bus: b, Subscription: s, positions: map[int32]*position{}, partitioner: sarama.NewMurmur2Partitioner(s.Topic)}
	tries := newBackoff()
	for ctx.Err() == nil {
		before := r.handled
		err := r.session(ctx)
		if ctx.Err() != nil {
			break
		}
		b.log.Debug("subscription interrupted", "topic", s.Topic, "error", err)
		if b.life.Err() != nil {
			return fmt.Errorf("subscribe to %s: %w", s.Topic, errClosed)
		}
		if r.handled > before {
			tries.Reset()
		}
		tries.Wait(ctx)
	}
	return nil
}

// subscriber is one subscription and how far it is. All of it belongs to the
// goroutine of Subscribe.
type subscriber struct {
	event.Subscription
	bus         *Bus
	positions   map[int32]*position
	counts      []int32 // how many partitions there were, each number once
	partitioner sarama.Partitioner
	caughtUp    bool
	compaction  compaction // until then
	handled     uint64
}

// position is how far a partition is read.
type position struct {
	next       int64 // the offset to read
	end        int64 // the high-water mark that was seen at the start
	lastRecord time.Time
	failing    bool // it failed since its last record
}

// session reads with one client until something fails from which the client
// does not recover by itself.
func (r *subscriber) session(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	if err := r.bus.ensure(ctx, r.Topic); err != nil {
		return err
	}
	client, err := sarama.NewClient(r.bus.addrs, r.bus.consumerConfig(ctx, r.Linger))
	if err != nil {
		return err
	}
	defer client.Close()
	if r.DeadLetters {
		if err := r.bus.deadLetters.load(ctx, client, r.Topic); err != nil {
			return err
		}
	}
	if err := r.locate(client); err != nil {
		return err
	}
	r.reportCaughtUp()
	return r.read(ctx, cancel, client)
}

// locate finds where each partition begins, or goes on.
func (r *subscriber) locate(client sarama.Client) error {
	partitions, err := client.Partitions(r.Topic)
	if err != nil {
		return err
	}
	if n := int32(len(partitions)); !slices.Contains(r.counts, n) {
		r.counts = append(r.counts, n)
	}
	for _, partition := range partitions {
		oldest, err := client.GetOffset(r.Topic, partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		newest, err := client.GetOffset(r.Topic, partition, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if p := r.positions[partition]; p != nil {
			r.resume(partition, p, oldest, newest)
			continue
		}
		next := oldest
		if !r.Since.IsZero() {
			next, err = client.GetOffset(r.Topic, partition, r.Since.UnixMilli())
			if err != nil {
				return err
			}
			if next < 0 { // nothing is younger
				next = newest
			}
		}
		if r.Newest > 0 {
			next = max(next, newest-max(r.Newest/int64(len(partitions)), 1))
		}
		r.positions[partition] = &position{next: max(next, oldest), end: newest}
		r.bus.deadLetters.forget(topicPartition{r.Topic, partition}, newest)
	}
	return nil
}

// resume checks that a partition can go on where it was.
func (r *subscriber) resume(partition int32, p *position, oldest, newest int64) {
	p.failing = false
	if p.next >= oldest && p.next <= newest {
		return
	}
	r.bus.log.Warn("records lost: the topic no longer has the next offset; reading from the oldest",
		"topic", r.Topic, "partition", partition, "next", p.next, "oldest", oldest, "newest", newest)
	p.next = oldest
	p.end = min(p.end, newest)
}

// read handles what the partitions bring, in order.
func (r *subscriber) read(ctx context.Context, cancel context.CancelFunc, client sarama.Client) error {
	group, ctx := errgroup.WithContext(ctx)
	stream, err := r.start(ctx, group, client)
	if err == nil {
		err = r.handleAll(ctx, client, stream)
	}
	// The connections break with ctx, so that nothing waits for a broker here.
	cancel()
	return errors.Join(err, group.Wait())
}

// stream is what all partitions bring.
type stream struct {
	records  chan *sarama.ConsumerMessage
	failures chan *sarama.ConsumerError
	ended    chan int32 // a partition's consumer gave up
}

// start consumes every partition from its position.
func (r *subscriber) start(ctx context.Context, group *errgroup.Group, client sarama.Client) (stream, error) {
	s := stream{make(chan *sarama.ConsumerMessage), make(chan *sarama.ConsumerError), make(chan int32)}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return s, err
	}
	for partition, p := range r.positions {
		consumed, err := consumer.ConsumePartition(r.Topic, partition, p.next)
		if err != nil {
			return s, fmt.Errorf("read %s/%d at %d: %w", r.Topic, partition, p.next, err)
		}
		p.lastRecord = time.Now()
		supervise.Go(ctx, group, "bus records", func(ctx context.Context) error {
			for message := range consumed.Messages() { // to the end, or the consumer never closes
				r.linger(ctx, message)
				select {
				case s.records <- message:
				case <-ctx.Done():
				}
			}
			select {
			case s.ended <- partition:
			case <-ctx.Done():
			}
			return nil
		})
		supervise.Go(ctx, group, "bus read failures", func(ctx context.Context) error {
			for failure := range consumed.Errors() {
				select {
				case s.failures <- failure:
				case <-ctx.Done():
				}
			}
			return nil
		})
		supervise.Go(ctx, group, "bus end of reading", func(ctx context.Context) error {
			<-ctx.Done()
			consumed.AsyncClose()
			return nil
		})
	}
	return s, nil
}

// linger lets a new record wait. One that is older than Linger does not: at a start, and
// of those that came meanwhile, all are read at once. Nor does one of the future: by a
// clock that is ahead each would wait anew.
func (r *subscriber) linger(ctx context.Context, message *sarama.ConsumerMessage) {
	if age := time.Since(message.Timestamp); age >= 0 && age < r.Linger {
		retry.Sleep(ctx, r.Linger-age)
	}
}

func (r *subscriber) handleAll(ctx context.Context, client sarama.Client, s stream) error {
	ticker := time.NewTicker(stallAfter)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message := <-s.records:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.handle(message)
		case failure := <-s.failures:
			r.bus.log.Debug("reading failed", "topic", r.Topic, "partition", failure.Partition, "error", failure.Err)
			p := r.positions[failure.Partition]
			p.failing = true
			if errors.Is(failure.Err, sarama.ErrMessageTooLarge) { // it is about to pass over a batch
				if err := r.step(ctx, client, topicPartition{r.Topic, failure.Partition}, p); err != nil {
					return err
				}
			}
		case partition := <-s.ended:
			return fmt.Errorf("the consumer of %s/%d stopped", r.Topic, partition)
		case <-ticker.C:
			if err := r.readStalled(ctx, client); err != nil {
				return err
			}
			if all, err := client.Partitions(r.Topic); err == nil && len(all) != len(r.positions) {
				return fmt.Errorf("%s has %d partitions now, and had %d", r.Topic, len(all), len(r.positions))
			}
		}
	}
}

// handle takes one record, and never one twice.
func (r *subscriber) handle(message *sarama.ConsumerMessage) {
	p := r.positions[message.Partition]
	if message.Offset < p.next {
		return
	}
	p.next, p.lastRecord, p.failing = message.Offset+1, time.Now(), false
	r.handled++
	record := r.bus.record(message)
	record.Signed = record.Signed && r.inPlace(message)
	if !r.hold(consumed{message, record}) {
		r.release()
		r.deliver(consumed{message, record})
	}
	r.reportCaughtUp()
}

// hold keeps a record until all that was there at the start is read, where it has
// a version; false where it has none, and is to be handled now.
func (r *subscriber) hold(of consumed) bool {
	if r.caughtUp || r.Version == nil || !of.record.Signed {
		return false
	}
	v, is := r.Version(of.record)
	if is {
		r.compaction.hold(of, v)
	}
	return is
}

func (r *subscriber) release() {
	for _, of := range r.compaction.release() {
		if of.message != nil {
			r.deliver(of)
		}
	}
}

func (r *subscriber) deliver(of consumed) {
	if !of.record.Signed && mustBeSigned(r.Topic) {
		r.deadLetter(of.message, "unsigned")
	} else if err := r.Handle(of.record); err != nil {
		r.deadLetter(of.message, err.Error())
	}
}

// inPlace says whether a record stands on the partition of its key, by one of
// the numbers of partitions that there were. What we signed does; a copy on
// another one would be read in no order with the records around its original.
func (r *subscriber) inPlace(m *sarama.ConsumerMessage) bool {
	if r.Topic != event.TopicHealth || m.Key == nil {
		return true
	}
	return slices.ContainsFunc(r.counts, func(n int32) bool {
		partition, err := partitionOf(r.partitioner, m.Key, n)
		return err == nil && partition == m.Partition
	})
}

func (r *subscriber) deadLetter(message *sarama.ConsumerMessage, reason string) {
	if r.DeadLetters {
		r.bus.deadLetters.write(message, reason)
	}
}

// reportCaughtUp calls CaughtUp when every partition was read to the end that
// was seen at the start.
func (r *subscriber) reportCaughtUp() {
	if r.caughtUp {
		return
	}
	for _, p := range r.positions {
		if p.next < p.end {
			return
		}
	}
	r.release()
	r.caughtUp = true
	if r.CaughtUp != nil {
		r.CaughtUp()
	}
}

// record is a message as handlers get it.
func (b *Bus) record(m *sarama.ConsumerMessage) event.Record {
	return event.Record{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Time: m.Timestamp, Key: m.Key, Value: m.Value,
		Signed: event.Verify(b.secret, m.Topic, m.Key, m.Value, header(m, event.SignatureHeader))}
}

// mustBeSigned says whether a topic decides about repairs.
func mustBeSigned(topic string) bool {
	return topic == event.TopicIncidents || topic == event.TopicCommands || topic == event.TopicServices
}
