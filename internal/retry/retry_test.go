package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

const (
	first = 100 * time.Millisecond
	most  = 2 * time.Second
)

func TestDelaysDoubleUpToTheMaximum(t *testing.T) {
	for range 200 {
		b := NewBackoff(first, most)
		planned := first
		for n := range 20 {
			d := b.Next()
			if least, longest := planned*3/4, planned*5/4+1; d < least || d > longest || d > most {
				t.Fatalf("delay %d is %s, want %s to %s and at most %s", n, d, least, longest, most)
			}
			planned = min(2*planned, most*4/5)
		}
	}
}

func TestDelaysOfTwoBackoffsDiffer(t *testing.T) {
	a, b, same := NewBackoff(first, most), NewBackoff(first, most), 0
	for range 20 {
		if a.Next() == b.Next() {
			same++
		}
	}
	if same > 2 {
		t.Errorf("%d of 20 delays are the same", same)
	}
}

func TestResetBeginsAtTheFirstDelay(t *testing.T) {
	b := NewBackoff(first, most)
	for range 10 {
		b.Next()
	}
	b.Reset()
	if d := b.Next(); d > first*5/4+1 {
		t.Errorf("after a reset the delay is %s, want about %s", d, first)
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if Sleep(ctx, time.Hour) {
			t.Error("Sleep said that it slept although its context had ended")
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("Sleep returned after %s, want the context's second", waited)
		}
		if b := NewBackoff(first, most); !b.Wait(t.Context()) || time.Since(began) < time.Second+first*3/4 {
			t.Errorf("Wait returned after %s, want the first delay more", time.Since(began))
		}
	})
}
