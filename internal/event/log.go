package event

import (
	"context"
	"time"
)

// Record is a record as it stands on the log.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      time.Time // when the broker took it
	Key       []byte
	Value     []byte
	Signed    bool // carries our signature, and it is right
}

// Subscription is one reader of a topic.
type Subscription struct {
	Topic string
	// Since is where to begin, by the broker's time; zero is the oldest record.
	Since time.Time
	// Newest, where it is not 0, bounds how many of the records that were there at
	// the start are read: the newest, as many of each partition.
	Newest int64
	// Linger is how long a new record may wait, so that those after it are read with
	// it: for readers to whom a moment does not matter, beside others to whom it does.
	Linger time.Duration
	// Version, where it is set, says of what a record is a version, and which; false
	// where it is of none. Of the signed ones that were there at the start, one that
	// is not the newest of its kind may be passed over, as on a topic that is
	// compacted.
	Version func(Record) (Version, bool)
	// Handle gets every record, one at a time, in the order of its partition.
	// An error says that the record can't be read: it goes to the dead
	// letters (where DeadLetters is set) with the error as the reason, and the
	// next one follows.
	Handle func(Record) error
	// CaughtUp, if set, is called once, between two records, when every
	// partition has been read to the end that was seen at the start.
	CaughtUp func()
	// DeadLetters says that this reader is the one that writes dead letters.
	DeadLetters bool
}

// Linger is how long readers wait who only show or sum up: a repair of a few milliseconds
// is over by then, and has the processors for itself.
const Linger = 60 * time.Millisecond

// Version says which of the records about one thing counts: that of the higher
// epoch, under the same epoch that of the higher revision.
type Version struct {
	Of              string
	Epoch, Revision int64
}

// Log is the part of the bus that actors use. Each actor declares the methods
// it needs; this is the union, for reference and for tests.
type Log interface {
	// Append writes one record without linger and returns when it is
	// acknowledged. After an error it is unknown whether it was written.
	Append(ctx context.Context, topic, key string, value []byte) error
	// Enqueue hands one record to the batching producer and never blocks:
	// while Kafka is unreachable the oldest waiting records are dropped and counted.
	Enqueue(topic, key string, value []byte)
	// Subscribe reads until ctx ends, over losses of the connection, without
	// a gap and without repeating a record.
	Subscribe(ctx context.Context, s Subscription) error
}
