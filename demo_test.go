package main

import (
	"context"
	"net"
	"testing"
	"time"
)

// TestAfterListening: what checks the demo's services begins when they
// accept connections, at the latest when the wait is over, and waits only once.
func TestAfterListening(t *testing.T) {
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := reserved.Addr().String()
	if err := reserved.Close(); err != nil {
		t.Fatal(err)
	}
	began := make(chan bool)
	run := afterListening([]string{address}, func(ctx context.Context) error {
		began <- accepts(ctx, address)
		return nil
	})
	go run(t.Context())
	select {
	case <-began:
		t.Fatal("it began before anything listened")
	case <-time.After(5 * listenEvery):
	}
	late, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if !<-began {
		t.Error("it began, and nothing listened")
	}
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	again := time.Now()
	go run(t.Context())
	if <-began; time.Since(again) > listenWithin/2 {
		t.Error("it waited a second time")
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if never := afterListening([]string{address}, context.Cause); never(ended) == nil {
		t.Error("it was not run when the wait ended early")
	}
}
