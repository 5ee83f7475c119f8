package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
)

func TestTailIsBounded(t *testing.T) {
	long := strings.Repeat("x", 3*maxText)
	for _, test := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"lines", []string{"one\ntwo\n"}, []string{"one", "two"}},
		{"in pieces", []string{"o", "ne\nt", "wo", "\n"}, []string{"one", "two"}},
		{"no end yet", []string{"one\ntwo"}, []string{"one"}},
		{"empty lines", []string{"\n\n"}, []string{"", ""}},
		{"Windows ends", []string{"one\r\n"}, []string{"one"}},
		{"too long", []string{long + "\nnext\n"}, []string{long[:maxText], "next"}},
		{"too long, in pieces", []string{long, long, "\nnext\n"}, []string{long[:maxText], "next"}},
		{"no text", []string{"a\xff\xfeb\n"}, []string{"a?b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept := newTail(newHub().now)
			for _, w := range test.writes {
				if n, err := kept.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write of %d bytes gives %d, %v", len(w), n, err)
				}
			}
			var got []string
			for _, line := range kept.last(100) {
				got = append(got, line.Text)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("kept %q, want %q", got, test.want)
			}
		})
	}
	kept := newTail(newHub().now)
	for i := range maxLines + 7 {
		fmt.Fprintln(kept, i)
	}
	if lines := kept.last(1 << 20); len(lines) != maxLines || lines[0].Text != "7" {
		t.Errorf("kept %d lines from %q on, want %d from 7 on", len(lines), lines[0].Text, maxLines)
	}
}

func TestClockNeverStandsStill(t *testing.T) {
	h := newHub()
	for last := h.now(); h.next < 100; h.next++ {
		now := h.now()
		if !now.After(last) {
			t.Fatalf("%v comes after %v", now, last)
		}
		last = now
	}
	ahead := time.Now().UTC().Round(0).Add(time.Hour)
	h.last = ahead // the system's clock was set back since
	if now := h.now(); !now.After(ahead) {
		t.Errorf("%v comes after %v", now, ahead)
	}
}

// TestHubKeepsTheNewestEventsOnly: it keeps 256, and a reader that lost some gets an error.
func TestHubKeepsTheNewestEventsOnly(t *testing.T) {
	h := newHub()
	add := func(n int) {
		for range n {
			h.add(container.Event{Action: container.ActionStart})
		}
	}
	add(remembered + 10)
	position := h.position(time.Unix(1, 0))
	if position != 10 {
		t.Fatalf("the past begins at %d, want 10", position)
	}
	events, _, err := h.from(position)
	if err != nil || len(events) != remembered {
		t.Fatalf("the past has %d events and the error %v, want %d", len(events), err, remembered)
	}
	if at := h.position(events[5].Time); at != 15 {
		t.Errorf("from the sixth on begins at %d, want 15", at)
	}
	if at := h.position(events[5].Time.Add(1)); at != 16 {
		t.Errorf("after the sixth begins at %d, want 16", at)
	}

	var handled int
	err = h.follow(t.Context(), nil, time.Unix(1, 0), func() {}, func(container.Event) {
		if handled++; handled == 1 {
			add(2 * remembered)
		}
	})
	if err == nil || errors.Is(err, container.ErrUnavailable) || !strings.Contains(err.Error(), "behind") {
		t.Errorf("a reader that fell behind gets the error %v", err)
	}
	if handled != remembered {
		t.Errorf("it had handled %d, want the %d it had taken", handled, remembered)
	}
}

func TestHubEndsWithinABatch(t *testing.T) {
	h := newHub()
	h.add(container.Event{})
	h.add(container.Event{})
	ctx, cancel := context.WithCancel(t.Context())
	var handled int
	err := h.follow(ctx, nil, time.Unix(1, 0), func() {}, func(container.Event) { handled++; cancel() })
	if !errors.Is(err, context.Canceled) || handled != 1 {
		t.Errorf("handled %d and ended with %v, want 1 and context.Canceled", handled, err)
	}
}

// TestSpecHash: it changes with the arguments and the names of the variables,
// and not with their order or values.
func TestSpecHash(t *testing.T) {
	base := Child{Name: "a", Args: []string{"x", "y"}, Env: []string{"B=2", "A=1"}}
	hash := specHash(base)
	for _, same := range []Child{
		{Name: "other", Args: []string{"x", "y"}, Env: []string{"A=secret", "B="}},
		{Args: []string{"x", "y"}, Env: []string{"B", "A"}, StopTimeout: time.Second},
	} {
		if got := specHash(same); got != hash {
			t.Errorf("%+v has another hash than %+v", same, base)
		}
	}
	for _, other := range []Child{
		{Args: []string{"y", "x"}, Env: []string{"A=1", "B=2"}},
		{Args: []string{"x y"}, Env: []string{"A=1", "B=2"}},
		{Args: []string{"x", "y"}, Env: []string{"A=1"}},
		{Args: []string{"x", "y", "A"}, Env: []string{"B=2"}},
		{},
	} {
		if got := specHash(other); got == hash {
			t.Errorf("%+v has the hash of %+v", other, base)
		}
	}
}
