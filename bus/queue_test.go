package bus

import (
	"fmt"
	"slices"
	"testing"
)

func pushed(q *queue, names ...string) {
	for _, name := range names {
		q.push(&entry{value: []byte(name)})
	}
}

func drained(q *queue) (all []string) {
	for e := q.take(); e != nil; e = q.take() {
		all = append(all, string(e.value))
	}
	return all
}

func TestQueueKeepsOrderAndDropsTheOldest(t *testing.T) {
	q := newQueue(3, 1<<20)
	pushed(q, "a", "b", "c", "d", "e")
	if q.lost() != 2 || q.len() != 3 {
		t.Errorf("dropped %d, holds %d; want 2 and 3", q.lost(), q.len())
	}
	c, d := q.take(), q.take()
	pushed(q, "f", "g")
	q.putBack([]*entry{d, c}) // in any order: c d e f g, of which three stay
	if got := drained(q); !slices.Equal(got, []string{"e", "f", "g"}) || q.lost() != 4 {
		t.Errorf("got %v, dropped %d; want e f g, and 4", got, q.lost())
	}
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	q := newQueue(1000, 1000)
	for range 10 {
		q.push(&entry{value: make([]byte, 200)})
	}
	if q.len() != 3 || q.lost() != 7 { // each weighs 264
		t.Errorf("holds %d and dropped %d, want 3 and 7", q.len(), q.lost())
	}
	q.push(&entry{value: make([]byte, 5000)}) // one is kept, however large
	if q.len() != 1 {
		t.Errorf("holds %d, want the newest", q.len())
	}
	drained(q)
	if q.bytes != 0 {
		t.Errorf("an empty queue weighs %d", q.bytes)
	}
}

func TestQueueKeepsOrderOverManyRounds(t *testing.T) {
	q := newQueue(5000, 1<<20)
	next := 0
	for i := range 20_000 {
		pushed(q, fmt.Sprint(i))
		if i%3 == 0 {
			continue // it grows by a third
		}
		if got := string(q.take().value); got != fmt.Sprint(next) {
			t.Fatalf("took %s, want %d", got, next)
		}
		next++
		if dropped := int(q.lost()); dropped > 0 {
			t.Fatalf("dropped %d of %d", dropped, q.len())
		}
		if q.len() > 4000 {
			next += len(drained(q))
		}
	}
}
