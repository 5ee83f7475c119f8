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

// forwarder takes entries from a ring to a batching producer. On the first
// error it closes the gate: the producer is cut off, and nothing more goes out
// until all that is out has its answer, a new producer is connected, and what
// had been written although its answer was lost is told from what was not. So
// an outage costs neither records (but for the ring's bound) nor order, and
// repeats nothing.
//
// It survives the end of run: the next call goes on where the last stopped.
type forwarder struct {
	bus  *Bus
	ring *ring
	log  *slog.Logger

	answers chan answer // room for every record that is out
	current *producer
	next    *entry // taken, not yet handed over
	out     int
	refused []refusal
	gate    error // why it is closed; nil: open
	away    bool  // nothing was written since it was first closed: said once
	acked   map[place]marks
}

func newForwarder(b *Bus, name string, r *ring) *forwarder {
	return &forwarder{bus: b, ring: r, log: b.log.With("queue", name),
		answers: make(chan answer, window), acked: map[place]marks{}}
}

type answer struct {
	msg *sarama.ProducerMessage
	err error
}

// refusal is an entry whose writing failed, and where it would have stood.
type refusal struct {
	*entry
	where place
}

type place struct {
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
		if f.current == nil && !f.wanted() {
			select { // a producer is opened when there is something for it
			case <-ctx.Done():
			case <-f.ring.filled:
			}
			continue
		}
		if f.current == nil {
			if err := f.connect(ctx); err != nil {
				f.bus.noteWrite(err)
				f.log.Debug("waiting for the log", "waiting", f.ring.len(), "error", err)
				tries.Wait(ctx)
				continue
			}
			tries.Reset()
		}
		if f.pump(ctx, flush); f.gate != nil {
			tries.Wait(ctx)
		}
	}
	return nil
}

func (f *forwarder) idle() bool { return f.left() == 0 }

// left is how many records have no answer yet.
func (f *forwarder) left() int {
	n := f.ring.len() + f.out + len(f.refused)
	if f.next != nil {
		n++
	}
	return n
}

// wanted says whether there is something to write.
func (f *forwarder) wanted() bool {
	if f.next == nil {
		f.next = f.ring.take()
	}
	return f.next != nil || len(f.refused) > 0
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
	f.current, f.gate = p, nil
	return nil
}

// settle puts back what was refused and is not on the log.
func (f *forwarder) settle(ctx context.Context, client sarama.Client) error {
	if len(f.refused) == 0 {
		return nil
	}
	missing, err := within(ctx, f.bus, func() ([]*entry, error) {
		return missing(ctx, client, f.bus.secret, f.refused, f.acked)
	}, nil)
	if err != nil {
		return err
	}
	f.log.Info("the log is back", "written_without_answer", len(f.refused)-len(missing),
		"sent_again", len(missing), "waiting", f.ring.len())
	if f.next != nil {
		missing, f.next = append(missing, f.next), nil
	}
	f.refused = nil
	f.ring.putBack(missing)
	return nil
}

// pump writes until ctx ends, or the gate is closed and everything has its
// answer, or, as a flush, until nothing is left.
func (f *forwarder) pump(ctx context.Context, flush bool) {
	for {
		var input chan<- *sarama.ProducerMessage
		var msg *sarama.ProducerMessage
		if f.gate == nil && f.out < window && f.wanted() && f.ready(ctx, f.next) {
			input, msg = f.current.async.Input(), message(f.bus.secret, f.next)
		}
		if f.out == 0 && (f.gate != nil || flush && f.idle()) {
			f.drop()
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
			f.take(a)
		case <-f.ring.filled:
		}
	}
}

// ready makes sure that the entry's topic exists.
func (f *forwarder) ready(ctx context.Context, e *entry) bool {
	err := f.bus.ensure(ctx, e.topic)
	if err != nil && ctx.Err() == nil {
		f.close(err)
	}
	return err == nil
}

// take books an answer.
func (f *forwarder) take(a answer) {
	e := a.msg.Metadata.(*entry)
	where := place{a.msg.Topic, a.msg.Partition}
	switch {
	case a.err == nil:
		f.away = false
		f.acked[where] = f.acked[where].add(mark{e.number, a.msg.Offset})
		f.bus.noteWrite(nil)
	case hopeless(a.err):
		f.ring.lose(1)
		f.log.Error("a record cannot be written and is dropped", "topic", e.topic, "bytes", len(e.value), "error", a.err)
	default:
		f.current.cut() // the broker itself may have refused, which sarama doesn't try again
		f.refused = append(f.refused, refusal{e, where})
		f.close(a.err)
	}
}

// close closes the gate.
func (f *forwarder) close(err error) {
	if !f.away {
		f.log.Warn("the log is away: records wait", "error", err)
	}
	f.away = true
	f.gate = err
	f.bus.noteWrite(err)
}

// drop ends the producer. All that it held has its answer, so this is quick.
func (f *forwarder) drop() {
	if err := f.current.close(); err != nil {
		f.log.Debug("closed a producer", "error", err)
	}
	f.current = nil
}
