package notify

import (
	"slices"
	"strings"
)

// plainKinds show a text as it is. All other receivers may read markup in it: a
// chat program mentions whom <!channel> and @everyone name, and hides an address
// behind other words.
var plainKinds = []string{"ntfy", "telegram", "smtp", "http", "https"}

func (r Receiver) plain() bool {
	kind, _, _ := strings.Cut(strings.ToLower(r.URL), ":")
	kind, _, _ = strings.Cut(kind, "+")
	return slices.Contains(plainKinds, kind)
}

// unmarked takes from text its meaning as markup: it mentions no one and has no
// link but an address that is seen. It stays as readable.
var unmarked = strings.NewReplacer("<", "‹", ">", "›", "@", "＠", "](", "] (", "][", "] [").Replace

// inert is n with what others wrote as text without markup: monitored programs,
// other monitors and those who propose repairs. What the configuration and its
// templates say keeps theirs.
func (n Note) inert() Note {
	for _, field := range []*string{&n.Error, &n.Cause, &n.Command, &n.Reason, &n.Cost, &n.Undo, &n.What, &n.Works, &n.OnHold, &n.Remedy} {
		*field = unmarked(*field)
	}
	n.Lines, n.items = slices.Clone(n.Lines), slices.Clone(n.items)
	for i := range n.Lines {
		n.Lines[i] = unmarked(n.Lines[i])
	}
	for i := range n.items {
		n.items[i] = n.items[i].inert()
	}
	return n
}
