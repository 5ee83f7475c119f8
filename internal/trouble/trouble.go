// Package trouble is the board on which every part says what it is missing,
// so that the page and /readyz can tell it: since when, what still works,
// what is on hold, and what mends it.
package trouble

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Parts that can be in trouble.
const (
	Bus       = "bus"
	Docker    = "docker"
	LLM       = "llm"
	Config    = "config"
	Monitor   = "monitor"
	Healer    = "healer"
	Dashboard = "dashboard"
	Chaos     = "chaos"
)

// Trouble is what is wrong with one part.
type Trouble struct {
	Part   string    `json:"part"`
	Since  time.Time `json:"since"`
	What   string    `json:"what"`    // one sentence
	Works  string    `json:"works"`   // what goes on meanwhile
	OnHold string    `json:"on_hold"` // what waits
	Mend   string    `json:"mend"`    // what a person can do, a command where there is one
}

// Board holds at most one trouble a part. The zero value is ready.
type Board struct {
	mu       sync.Mutex
	troubles map[string]Trouble
	changed  chan struct{}
}

// Raise says that a part is in trouble. While it stays so, Since stays.
func (b *Board) Raise(t Trouble) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, was := b.troubles[t.Part]
	if was {
		t.Since = old.Since
		if t == old {
			return
		}
	} else if t.Since.IsZero() {
		t.Since = time.Now().UTC()
	}
	if b.troubles == nil {
		b.troubles = map[string]Trouble{}
	}
	b.troubles[t.Part] = t
	b.tell()
}

// Clear says that a part is well.
func (b *Board) Clear(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, was := b.troubles[part]; was {
		delete(b.troubles, part)
		b.tell()
	}
}

// List is every trouble, in the order of the parts' names.
func (b *Board) List() []Trouble {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Trouble, 0, len(b.troubles))
	for _, t := range b.troubles {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Trouble) int { return strings.Compare(a.Part, b.Part) })
	return list
}

// Get is the trouble of one part.
func (b *Board) Get(part string) (Trouble, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, is := b.troubles[part]
	return t, is
}

// Changed is closed at the next change of the board.
func (b *Board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

func (b *Board) tell() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
