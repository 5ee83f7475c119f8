package bus

import (
	"context"
	"log/slog"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/retry"
)

// window is how many records may be without an answer at once.
const window = 1024

// forwarder takes entries from a queue to a batching producer. On the first
// error it cuts the producer off, and sends nothing more until all that is out
// has its answer, a new producer is connected, and what had been written
// although its answer was lost is found on its topic. So an outage costs
// neither records (but for the queue's bound) nor order, and repeats nothing.
//
// It survives the end of run: the next call goes on where the last stopped.
type forwarder struct {
	bus   *Bus
	queue *queue
	log   *slog.Logger

	answers     chan answer // room for every record that is out
	current     *producer
	next        *entry // taken, not yet handed over
	out         int
	failed      []failedWrite
	failure     error // why it is closed; nil: open
	unreachable bool  // nothing was written since it was first closed: said once
	acked       map[topicPartition]ackedOffsets
}

func newForwarder(b *Bus, name string, q *queue) *forwarder {
	return &forwarder{bus: b, queue: q, log: b.log.With("queue", name),
		answers: make(chan answer, window), acked: map[topicPartition]ackedOffsets{}}
}

type answer struct {
	msg *sarama.ProducerMessage
	err error
}

// failedWrite is an entry whose writing failed, and where it would have stood.
type failedWrite struct {
	*entry
	where topicPartition
}

type topicPartition struct {
	topic     string
	partition int32
}

// newBackoff is how soon a connection that was lost is tried again.
func newBackoff() *retry.Backoff { return retry.NewBackoff(250*time.Millisecond, 2*time.Second) }

// run forwards until ctx ends, or, as a flush, until nothing is left.
func (f *forwarder) run(ctx context.Context, flush bool) error {
	tries := newBackoff()
	for ctx.Err() == nil {
		if flush && f.idle() {
			return nil
		}
		if f.current == nil && !f.hasRecords() {
			select { // a producer is opened when there is something for it
			case <-ctx.Done():
			case <-f.queue.filled:
			}
			continue
		}
		if f.current == nil {
			if err := f.connect(ctx); err != nil {
				f.bus.noteWrite(err)
				f.log.Debug("waiting for Kafka", "waiting", f.queue.len(), "error", err)
				tries.Wait(ctx)
				continue
			}
			tries.Reset()
		}
		if f.pump(ctx, flush); f.failure != nil {
			tries.Wait(ctx)
		}
	}
	return nil
}

func (f *forwarder) idle() bool { return f.left() == 0 }

// left is how many records have no answer yet.
func (f *forwarder) left() int {
	n := f.queue.len() + f.out + len(f.failed)
	if f.next != nil {
		n++
	}
	return n
}

// wanted says whether there is something to write.
func (f *forwarder) hasRecords() bool {
	if f.next == nil {
		f.next = f.queue.take()
	}
	return f.next != nil || len(f.failed) > 0
}

// connect opens a producer, and settles what the last one left.
func (f *forwarder) connect(ctx context.Context) error {
	answers := f.answers
	p, err := within(ctx, f.bus, func() (*producer, error) {
		return openProducer(f.bus.life, f.bus.addrs, f.bus.batchingConfig, func(msg *sarama.ProducerMessage, err error) {
			answers <- answer{msg, err}
		})
	}, (*producer).close)
	if err != nil {
		return err
	}
	if err := f.settle(ctx, p.client); err != nil {
		p.close()
		return err
	}
	f.current, f.failure = p, nil
	return nil
}

// settle puts back what failed and is not on its topic.
func (f *forwarder) settle(ctx context.Context, client sarama.Client) error {
	if len(f.failed) == 0 {
		return nil
	}
	missing, err := within(ctx, f.bus, func() ([]*entry, error) {
		return missing(ctx, client, f.bus.secret, f.failed, f.acked)
	}, nil)
	if err != nil {
		return err
	}
	f.log.Info("Kafka is reachable again", "written_without_answer", len(f.failed)-len(missing),
		"sent_again", len(missing), "waiting", f.queue.len())
	if f.next != nil {
		missing, f.next = append(missing, f.next), nil
	}
	f.failed = nil
	f.queue.putBack(missing)
	return nil
}

// pump writes until ctx ends, or the gate is closed and everything has its
// answer, or, as a flush, until nothing is left. After the queue was empty it
// lets records gather before it goes on.
func (f *forwarder) pump(ctx context.Context, flush bool) {
	var gathered <-chan time.Time // nil: they need not
	for {
		var input chan<- *sarama.ProducerMessage
		var msg *sarama.ProducerMessage
		var filled <-chan struct{}
		switch {
		case f.failure != nil, gathered != nil:
		case !f.hasRecords():
			filled = f.queue.filled
		case f.out < window && f.ensureTopic(ctx, f.next):
			input, msg = f.current.async.Input(), message(f.bus.secret, f.next)
		}
		if f.out == 0 && (f.failure != nil || flush && f.idle()) {
			f.closeProducer()
			return
		}
		select {
		case <-ctx.Done():
			return
		case input <- msg:
			f.next = nil
			f.out++
		case a := <-f.answers:
			f.out--
			f.acknowledge(a)
		case <-filled:
			if !flush {
				gathered = time.After(gather)
			}
		case <-gathered:
			gathered = nil
		}
	}
}

// ready makes sure that the entry's topic exists.
func (f *forwarder) ensureTopic(ctx context.Context, e *entry) bool {
	err := f.bus.ensure(ctx, e.topic)
	if err != nil && ctx.Err() == nil {
		f.fail(err)
	}
	return err == nil
}

// take books an answer.
func (f *forwarder) acknowledge(a answer) {
	e := a.msg.Metadata.(*entry)
	where := topicPartition{a.msg.Topic, a.msg.Partition}
	switch {
	case a.err == nil:
		f.unreachable = false
		f.acked[where] = f.acked[where].add(ackedOffset{e.number, a.msg.Offset})
		f.bus.noteWrite(nil)
	case hopeless(a.err):
		f.queue.lose(1)
		f.log.Error("record dropped: it cannot be written", "topic", e.topic, "bytes", len(e.value), "error", a.err)
	default:
		f.current.cut() // the broker itself may have refused, which sarama doesn't try again
		f.failed = append(f.failed, failedWrite{e, where})
		f.fail(a.err)
	}
}

// close closes the gate.
func (f *forwarder) fail(err error) {
	if !f.unreachable {
		f.log.Warn("Kafka is unreachable: records wait in memory", "error", err)
	}
	f.unreachable = true
	f.failure = err
	f.bus.noteWrite(err)
}

// drop ends the producer. All that it held has its answer, so this is quick.
func (f *forwarder) closeProducer() {
	if err := f.current.close(); err != nil {
		f.log.Debug("closed a producer", "error", err)
	}
	f.current = nil
}
