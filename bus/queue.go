package bus

import (
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// entry is a record that waits to be written.
type entry struct {
	number  uint64 // the order in which they came
	topic   string
	key     []byte // nil: absent
	value   []byte
	headers []sarama.RecordHeader // beside the signature
	at      time.Time             // when it came
}

func (e *entry) size() int {
	n := len(e.topic) + len(e.key) + len(e.value) + 64
	for _, h := range e.headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// queue holds entries in order, at most so many and so many bytes; what is too
// much drops the oldest, counted. Nothing in it blocks.
type queue struct {
	maxEntries, maxBytes int

	mu      sync.Mutex
	entries []*entry // from head on
	head    int
	bytes   int
	numbers uint64
	dropped uint64
	filled  chan struct{} // holds one: there may be something to take
}

func newQueue(maxEntries, maxBytes int) *queue {
	return &queue{maxEntries: maxEntries, maxBytes: maxBytes, filled: make(chan struct{}, 1)}
}

// push adds e as the newest.
func (q *queue) push(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.numbers++
	e.number = q.numbers
	q.entries = append(q.entries, e)
	q.bytes += e.size()
	q.trim()
	q.notify()
}

// take removes the oldest, or nil where there is none.
func (q *queue) take() *entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.entries) {
		return nil
	}
	return q.shift()
}

// putBack returns entries that were taken, in their old order.
func (q *queue) putBack(taken []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := slices.Concat(taken, q.entries[q.head:])
	slices.SortFunc(all, func(a, b *entry) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	for _, e := range taken {
		q.bytes += e.size()
	}
	q.entries, q.head = all, 0
	q.trim()
	q.notify()
}

// lose counts what was given up.
func (q *queue) lose(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped += uint64(n)
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries) - q.head
}

func (q *queue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

func (q *queue) trim() {
	for len(q.entries)-q.head > q.maxEntries || (q.bytes > q.maxBytes && len(q.entries)-q.head > 1) {
		q.shift()
		q.dropped++
	}
}

func (q *queue) shift() *entry {
	e := q.entries[q.head]
	q.entries[q.head] = nil
	q.head++
	q.bytes -= e.size()
	if q.head > 1024 && q.head > len(q.entries)/2 {
		q.entries = slices.Clone(q.entries[q.head:])
		q.head = 0
	}
	return e
}

func (q *queue) notify() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}
