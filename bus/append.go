package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/event"
	"logstream/internal/supervise"
)

// Append writes one record, signed, without linger, and returns when it is
// acknowledged. An empty key is an absent one. After an error it is unknown
// whether the record was, or will be, written.
func (b *Bus) Append(ctx context.Context, topic, key string, value []byte) error {
	if err := checkSize(topic, key, value); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if err := b.ensure(ctx, topic); err != nil {
		return fmt.Errorf("append to %s: %w", topic, err)
	}
	err := b.appenderOf(topic).write(ctx, b, newEntry(topic, key, value))
	b.noteWrite(err)
	if err != nil {
		return fmt.Errorf("append to %s: %w", topic, err)
	}
	return nil
}

// appenderOf is what writes a topic: always the same, or an UP might overtake its DOWN.
// States of services have one of their own. A producer has one request under way, and a
// repair would wait behind them at each of its steps.
func (b *Bus) appenderOf(topic string) *appender {
	if topic == event.TopicServices {
		return &b.states
	}
	return &b.appends
}

func newEntry(topic, key string, value []byte) *entry {
	e := &entry{topic: topic, value: value, at: time.Now()}
	if key != "" {
		e.key = []byte(key)
	}
	return e
}

// appender has the producer without linger. After an error that a producer
// gives it is replaced: an idempotent producer doesn't recover from all of
// them, and its circuit breaker would refuse for ten seconds what the broker
// would take again.
type appender struct {
	connecting chan struct{} // holds one: who opens the next producer
	mu         sync.Mutex
	current    *producer
	closed     bool
}

var errClosed = errors.New("the bus is closed")

// write hands the entry over and waits for its answer, or for ctx.
func (a *appender) write(ctx context.Context, b *Bus, e *entry) error {
	p, err := a.acquire(ctx, b)
	if err != nil {
		return err
	}
	answer := make(chan error, 1)
	msg := message(b.secret, e)
	msg.Metadata = answer
	select {
	case p.async.Input() <- msg:
		p.users.Done()
	case <-ctx.Done():
		p.users.Done()
		return ctx.Err()
	}
	select {
	case err = <-answer:
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
	if err != nil && !hopeless(err) {
		a.discard(b, p)
	}
	return err
}

// acquire is the producer, connected, with one user more.
func (a *appender) acquire(ctx context.Context, b *Bus) (*producer, error) {
	if p, err := a.use(nil); p != nil || err != nil {
		return p, err
	}
	select {
	case a.connecting <- struct{}{}:
		defer func() { <-a.connecting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p, err := a.use(nil); p != nil || err != nil { // another goroutine connected
		return p, err
	}
	p, err := within(ctx, b, func() (*producer, error) {
		return openProducer(b.life, b.addrs, b.producerConfig, func(msg *sarama.ProducerMessage, err error) {
			msg.Metadata.(chan error) <- err // has room for it
		})
	}, (*producer).close)
	if err != nil {
		return nil, err
	}
	if _, err := a.use(p); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// use is the current producer with one user more; fresh, if any, becomes it.
func (a *appender) use(fresh *producer) (*producer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errClosed
	}
	if fresh != nil {
		a.current = fresh
	}
	if a.current != nil {
		a.current.users.Add(1)
	}
	return a.current, nil
}

// discard makes the next append open a new producer, and closes this one when
// all that it holds has its answer.
func (a *appender) discard(b *Bus, p *producer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != p {
		return
	}
	a.current = nil
	supervise.Go(b.life, &b.group, "bus closing a producer", func(context.Context) error {
		if err := p.close(); err != nil {
			b.log.Debug("closed a producer", "error", err)
		}
		return nil
	})
}

func (a *appender) close() error {
	a.mu.Lock()
	p := a.current
	a.closed, a.current = true, nil
	a.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.close()
}
