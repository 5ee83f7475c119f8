package view

import (
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
)

const (
	maxThoughts = 64       // incidents whose thinking is kept at once
	maxThought  = 64 << 10 // bytes of one; what comes after it is not kept here
)

// Thought is what a model has written so far about an incident for which it
// is queried.
type Thought struct {
	Incident string    `json:"incident"`
	Service  string    `json:"service"`
	Text     string    `json:"text"`
	Since    time.Time `json:"since"` // when it was queried
}

// thoughts folds TopicThinking: which models are queried, and what they wrote. It
// ends with the last piece, and with what was diagnosed: from there on the
// incident has it.
type thoughts []Thought

func (t *thoughts) apply(piece event.Thinking) {
	i := slices.IndexFunc(*t, func(known Thought) bool { return known.Incident == piece.Incident })
	switch {
	case piece.Done:
		t.end(piece.Incident)
	case piece.Text == "":
		t.end(piece.Incident)
		if len(*t) == maxThoughts {
			*t = slices.Delete(*t, 0, 1)
		}
		*t = append(*t, Thought{Incident: piece.Incident, Service: piece.Service, Since: piece.Time})
	case i >= 0 && len((*t)[i].Text) < maxThought:
		(*t)[i].Text = strings.ToValidUTF8((*t)[i].Text+piece.Text, "")
	}
}

func (t *thoughts) end(incident string) {
	*t = slices.DeleteFunc(*t, func(known Thought) bool { return known.Incident == incident })
}
