package testlog

import (
	"context"
	"errors"
	"testing"
	"time"

	"logstream/internal/event"
)

func TestKeepsOrderAndSaysWhenCaughtUp(t *testing.T) {
	m := New()
	m.Put("a", "", []byte("1"), true, time.Now())
	m.Put("b", "", []byte("x"), true, time.Now())
	m.Put("a", "", []byte("2"), true, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 10)
	done := make(chan error)
	go func() {
		done <- m.Subscribe(ctx, event.Subscription{Topic: "a",
			Handle:   func(r event.Record) error { got <- string(r.Value); return nil },
			CaughtUp: func() { got <- "caught up" },
		})
	}()
	want := []string{"1", "2", "caught up"}
	for _, w := range want {
		if g := <-got; g != w {
			t.Fatalf("got %q, want %q", g, w)
		}
	}
	m.Put("a", "", []byte("3"), true, time.Now())
	if g := <-got; g != "3" {
		t.Fatalf("got %q, want 3", g)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe ended with %v", err)
	}
}
