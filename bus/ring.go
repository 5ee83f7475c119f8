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

// ring holds entries in order, at most so many and so many bytes; what is too
// much drops the oldest, counted. Nothing in it blocks.
type ring struct {
	maxEntries, maxBytes int

	mu      sync.Mutex
	entries []*entry // from head on
	head    int
	bytes   int
	numbers uint64
	dropped uint64
	filled  chan struct{} // holds one: there may be something to take
}

func newRing(maxEntries, maxBytes int) *ring {
	return &ring{maxEntries: maxEntries, maxBytes: maxBytes, filled: make(chan struct{}, 1)}
}

// push adds e as the newest.
func (r *ring) push(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers++
	e.number = r.numbers
	r.entries = append(r.entries, e)
	r.bytes += e.size()
	r.trim()
	r.tell()
}

// take removes the oldest, or nil where there is none.
func (r *ring) take() *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head == len(r.entries) {
		return nil
	}
	return r.shift()
}

// putBack returns entries that were taken, in their old order.
func (r *ring) putBack(taken []*entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Concat(taken, r.entries[r.head:])
	slices.SortFunc(all, func(a, b *entry) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	for _, e := range taken {
		r.bytes += e.size()
	}
	r.entries, r.head = all, 0
	r.trim()
	r.tell()
}

// lose counts what was given up.
func (r *ring) lose(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped += uint64(n)
}

func (r *ring) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries) - r.head
}

func (r *ring) lost() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

func (r *ring) trim() {
	for len(r.entries)-r.head > r.maxEntries || (r.bytes > r.maxBytes && len(r.entries)-r.head > 1) {
		r.shift()
		r.dropped++
	}
}

func (r *ring) shift() *entry {
	e := r.entries[r.head]
	r.entries[r.head] = nil
	r.head++
	r.bytes -= e.size()
	if r.head > 1024 && r.head > len(r.entries)/2 {
		r.entries = slices.Clone(r.entries[r.head:])
		r.head = 0
	}
	return e
}

func (r *ring) tell() {
	select {
	case r.filled <- struct{}{}:
	default:
	}
}
