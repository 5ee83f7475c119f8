package main

import "testing"

func TestSettings(t *testing.T) {
	got := settings([]string{"PATH=/bin", "KAFKA_NODE_ID=1", "KAFKA_HEAP_OPTS=-Xmx1g", "KAFKA_LISTENERS=A://:1,B://:2", "KAFKA_X__Y___Z=a=b"})
	if want := "listeners=A://:1,B://:2\nnode.id=1\nx_y-z=a=b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
