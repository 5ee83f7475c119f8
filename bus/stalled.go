package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// stallAfter is how long a partition may say nothing, while something should
// be there, before it is read directly.
const stallAfter = 500 * time.Millisecond

// readStalled reads the partitions that say nothing although something should
// be there: a batch that holds no record (a transaction's marker), or one that
// cannot be decoded. The error means that reading has to start over.
func (r *subscriber) readStalled(ctx context.Context, client sarama.Client) error {
	for partition, p := range r.positions {
		if time.Since(p.lastRecord) < stallAfter || !(p.failing || p.next < p.end) {
			continue
		}
		if err := r.step(ctx, client, topicPartition{r.Topic, partition}, p); err != nil {
			return err
		}
	}
	return nil
}

// maxSteps bounds how many batches are read singly at once.
const maxSteps = 1000

// step reads a stalled partition batch by batch. The consumer asks for many at
// once, and one that can't be decoded spoils those before it as well.
func (r *subscriber) step(ctx context.Context, client sarama.Client, where topicPartition, p *position) error {
	failing := p.failing
	for range maxSteps {
		got, err := fetch(client, where, p.next, 1)
		if errors.Is(err, errUnreadable) {
			return r.skip(ctx, client, where, p, err)
		}
		if err != nil {
			return err
		}
		if len(got.records) > 0 && !failing {
			return nil // the consumer is about to bring it
		}
		if len(got.records) == 0 && got.next == p.next {
			p.failing = false
			return nil
		}
		for _, message := range got.records {
			r.handle(message)
		}
		p.next = got.next
		r.reportCaughtUp()
	}
	p.failing, p.lastRecord = failing, time.Time{}
	return nil
}

// skip goes past a batch that can't be decoded. Where it ends is not known, so
// every offset is tried.
func (r *subscriber) skip(ctx context.Context, client sarama.Client, where topicPartition, p *position, cause error) error {
	from := p.next
	for to := from + 1; ; to++ {
		_, err := fetch(client, where, to, 1)
		if errors.Is(err, errUnreadable) && ctx.Err() == nil {
			continue
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err()) // it is found again
		}
		r.bus.log.Error("skipped a batch that cannot be decoded", "topic", where.topic, "partition", where.partition,
			"from", from, "to", to-1, "error", cause)
		r.deadLetter(&sarama.ConsumerMessage{Topic: where.topic, Partition: where.partition, Offset: from},
			fmt.Sprintf("offsets %d to %d: %v", from, to-1, cause))
		p.next = to
		r.reportCaughtUp()
		return fmt.Errorf("skipped from %d to %d", from, to)
	}
}
