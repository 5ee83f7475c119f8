package bus

import (
	"fmt"
	"slices"
	"testing"
)

func pushed(r *ring, names ...string) {
	for _, name := range names {
		r.push(&entry{value: []byte(name)})
	}
}

func drained(r *ring) (all []string) {
	for e := r.take(); e != nil; e = r.take() {
		all = append(all, string(e.value))
	}
	return all
}

func TestRing(t *testing.T) {
	r := newRing(3, 1<<20)
	pushed(r, "a", "b", "c", "d", "e")
	if r.lost() != 2 || r.len() != 3 {
		t.Errorf("dropped %d, holds %d; want 2 and 3", r.lost(), r.len())
	}
	c, d := r.take(), r.take()
	pushed(r, "f", "g")
	r.putBack([]*entry{d, c}) // in any order: c d e f g, of which three stay
	if got := drained(r); !slices.Equal(got, []string{"e", "f", "g"}) || r.lost() != 4 {
		t.Errorf("got %v, dropped %d; want e f g, and 4", got, r.lost())
	}
}

func TestRingBoundsBytes(t *testing.T) {
	r := newRing(1000, 1000)
	for range 10 {
		r.push(&entry{value: make([]byte, 200)})
	}
	if r.len() != 3 || r.lost() != 7 { // each weighs 264
		t.Errorf("holds %d and dropped %d, want 3 and 7", r.len(), r.lost())
	}
	r.push(&entry{value: make([]byte, 5000)}) // one is kept, however large
	if r.len() != 1 {
		t.Errorf("holds %d, want the newest", r.len())
	}
	drained(r)
	if r.bytes != 0 {
		t.Errorf("an empty ring weighs %d", r.bytes)
	}
}

func TestRingOverManyRounds(t *testing.T) {
	r := newRing(5000, 1<<20)
	next := 0
	for i := range 20_000 {
		pushed(r, fmt.Sprint(i))
		if i%3 == 0 {
			continue // it grows by a third
		}
		if got := string(r.take().value); got != fmt.Sprint(next) {
			t.Fatalf("took %s, want %d", got, next)
		}
		next++
		if dropped := int(r.lost()); dropped > 0 {
			t.Fatalf("dropped %d of %d", dropped, r.len())
		}
		if r.len() > 4000 {
			next += len(drained(r))
		}
	}
}
