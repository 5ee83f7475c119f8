package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

func TestThoughts(t *testing.T) {
	var all thoughts
	queried := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	say := func(incident, text string, done bool) {
		all.apply(event.Thinking{Time: queried, Incident: incident, Service: "svc", Text: text, Done: done})
	}
	say("i1", "whose beginning was missed", false)
	if len(all) != 0 {
		t.Errorf("a piece without its beginning: %+v", all)
	}
	say("i1", "", false)
	say("i2", "", false)
	say("i1", "It was ", false)
	say("i1", "killed.", false)
	if len(all) != 2 || all[0] != (Thought{"i1", "svc", "It was killed.", queried}) || all[1].Text != "" {
		t.Errorf("got %+v", all)
	}
	say("i1", "", false)
	if len(all) != 2 || all[1] != (Thought{"i1", "svc", "", queried}) {
		t.Errorf("queried anew: %+v", all)
	}
	say("i1", "so start it", true)
	if len(all) != 1 || all[0].Incident != "i2" {
		t.Errorf("after the last piece: %+v", all)
	}
	for i := range 3 * maxThoughts {
		say(fmt.Sprint(i), "", false)
		for range 3 {
			say(fmt.Sprint(i), strings.Repeat("x", maxThought), false)
		}
	}
	if len(all) != maxThoughts || len(all[0].Text) > 2*maxThought {
		t.Errorf("%d thoughts are kept, the first of %d bytes", len(all), len(all[0].Text))
	}
}
