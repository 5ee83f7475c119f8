//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain is also the servers that the benchmark starts: it starts itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "-role" {
		if err := run(context.Background(), os.Args[2], "", load{services: 10}, nil, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestBenchmark runs it as a whole, small, so that it still works when it is wanted.
func TestBenchmark(t *testing.T) {
	var table bytes.Buffer
	l := load{clients: 3, services: 10, most: 50, measure: time.Second, rounds: 1, stalled: 1, limit: time.Minute}
	if err := run(t.Context(), "", "", l, []string{"naive", "logstream"}, &table); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", table.String())
	for _, want := range []string{"naive", "logstream", "50/s", "of the others' observations 100.0% came"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("%q is not in the table", want)
		}
	}
}
