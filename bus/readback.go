package bus

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"logstream/internal/event"
)

// missing are the failed entries that are not on their topic. An entry is known
// by its signature: it covers topic, key and value.
func missing(ctx context.Context, client sarama.Client, secret []byte, failed []failedWrite, acked map[topicPartition]ackedOffsets) ([]*entry, error) {
	first := map[topicPartition]*entry{}
	for _, r := range failed {
		if e, is := first[r.where]; !is || r.number < e.number {
			first[r.where] = r.entry
		}
	}
	type copyOf struct {
		topicPartition
		signature string
	}
	there := map[copyOf]int{}
	for where, e := range first {
		if err := client.RefreshMetadata(where.topic); err != nil {
			return nil, err
		}
		from, err := firstPossible(client, where, e, acked[where])
		if err != nil {
			return nil, err
		}
		to, err := client.GetOffset(where.topic, where.partition, sarama.OffsetNewest)
		if err != nil {
			return nil, err
		}
		err = readRange(ctx, client, where, from, to, func(r *sarama.ConsumerMessage) {
			there[copyOf{where, header(r, event.SignatureHeader)}]++
		})
		if err != nil {
			return nil, err
		}
	}
	var gone []*entry
	for _, r := range failed {
		one := copyOf{r.where, event.Sign(secret, r.topic, r.key, r.value)}
		if there[one] > 0 {
			there[one]--
			continue
		}
		gone = append(gone, r.entry)
	}
	return gone, nil
}

// firstPossible is the first offset at which the entry can stand: after the
// last acknowledged one that went out before it, else by the broker's clock,
// which may be a little behind ours.
func firstPossible(client sarama.Client, where topicPartition, e *entry, acked ackedOffsets) (int64, error) {
	oldest, err := client.GetOffset(where.topic, where.partition, sarama.OffsetOldest)
	if err != nil {
		return 0, err
	}
	if before, is := acked.before(e.number); is {
		return max(before+1, oldest), nil
	}
	const skew = 30 * time.Second
	from, err := client.GetOffset(where.topic, where.partition, e.at.Add(-skew).UnixMilli())
	if err != nil {
		return 0, err
	}
	if from < 0 { // nothing is younger
		return client.GetOffset(where.topic, where.partition, sarama.OffsetNewest)
	}
	return max(from, oldest), nil
}

// mark notes the offset of an acknowledged entry.
type ackedOffset struct {
	number uint64
	offset int64
}

// ackedOffsets are the last acknowledged entries of a partition. A failed one is
// never older than the last window of them.
type ackedOffsets []ackedOffset

func (m ackedOffsets) add(one ackedOffset) ackedOffsets {
	if len(m) >= 4*window {
		m = append(ackedOffsets(nil), m[len(m)-2*window:]...)
	}
	return append(m, one)
}

// before is the highest offset of an entry that went out before number.
func (m ackedOffsets) before(number uint64) (offset int64, is bool) {
	for _, one := range m {
		if one.number < number && (!is || one.offset > offset) {
			offset, is = one.offset, true
		}
	}
	return offset, is
}
