package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/supervise"
)

// producer is one sarama producer with a client of its own. Every message
// that went into Input ends in a call of its done function.
type producer struct {
	client sarama.Client
	async  sarama.AsyncProducer
	cut    context.CancelFunc // breaks its connections
	users  sync.WaitGroup     // who may still write to Input: close waits for them
	group  *errgroup.Group
}

// openProducer connects; while no broker answers it fails within the dial
// timeout. done is called by one goroutine at a time.
func openProducer(ctx context.Context, addrs []string, configure func(context.Context, context.CancelFunc) *sarama.Config, done func(*sarama.ProducerMessage, error)) (*producer, error) {
	ctx, cut := context.WithCancel(ctx)
	client, err := sarama.NewClient(addrs, configure(ctx, cut))
	if err != nil {
		cut()
		return nil, err
	}
	async, err := sarama.NewAsyncProducerFromClient(client)
	if err != nil {
		cut()
		return nil, errors.Join(err, client.Close())
	}
	p := &producer{client: client, async: async, cut: cut, group: new(errgroup.Group)}
	var one sync.Mutex
	supervise.Go(ctx, p.group, "bus acknowledgements", func(context.Context) error {
		for msg := range async.Successes() {
			one.Lock()
			done(msg, nil)
			one.Unlock()
		}
		return nil
	})
	supervise.Go(ctx, p.group, "bus refusals", func(context.Context) error {
		for failed := range async.Errors() {
			one.Lock()
			done(failed.Msg, failed.Err)
			one.Unlock()
		}
		return nil
	})
	return p, nil
}

// close waits for every writer, and for the answer to every record.
func (p *producer) close() error {
	p.users.Wait()
	p.async.AsyncClose()
	err := p.group.Wait()
	err = errors.Join(err, p.client.Close())
	p.cut()
	return err
}

// message is a record as sarama takes it, signed.
func message(secret []byte, e *entry) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: e.topic, Timestamp: e.at, Metadata: e}
	if e.key != nil {
		m.Key = sarama.ByteEncoder(e.key)
	}
	if e.value != nil {
		m.Value = sarama.ByteEncoder(e.value)
	}
	m.Headers = append(m.Headers, e.headers...)
	m.Headers = append(m.Headers, sarama.RecordHeader{
		Key: []byte(event.SignatureHeader), Value: []byte(event.Sign(secret, e.topic, e.key, e.value))})
	return m
}

// overhead is more than what signature, headers' lengths and batch add to a
// record, in bytes.
const overhead = 1024

// checkSize says why a record can't be written, or nil.
func checkSize(topic string, key string, value []byte) error {
	if n := len(key) + len(value); n > maxMessage-overhead {
		return fmt.Errorf("a record of %d bytes for %s: at most %d can be written", n, topic, maxMessage-overhead)
	}
	return nil
}

// hopeless says that writing the record again fails again.
func hopeless(err error) bool {
	var config sarama.ConfigurationError
	var encoding sarama.PacketEncodingError
	return errors.Is(err, sarama.ErrMessageSizeTooLarge) || errors.Is(err, sarama.ErrInvalidRecord) ||
		errors.As(err, &config) || errors.As(err, &encoding)
}
