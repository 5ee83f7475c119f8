// Package loglines chooses the lines of a container's log that a person, or a
// model, needs to understand a failure. It is pure, and what it is given is
// hostile: its choice is shown and never decides.
//
// The rules, in order of weight: what the line says of its own severity; a
// message that was never seen before; the first failure of a burst before its
// repetitions; what is near the end. A stack trace stays with its message. Lines
// that only say that it is over ("exited with code 1") come last.
//
//	choose.go    lines in, at most Most out
//	block.go     a message and the lines that belong to it
//	line.go      a line, and what is judged of it
//	severity.go  how much a line says about a failure
//	words.go     the words that speak of one
//	template.go  a message without what varies
//	memory.go    which messages were seen before
package loglines

import (
	"cmp"
	"slices"

	"logstream/internal/container"
)

const (
	Most    = 12   // lines that are chosen
	Read    = 1000 // of which it is chosen at most: the newest
	maxLine = 500  // bytes of a line that is chosen
	burst   = 15   // so many other messages later a failure is not of the same burst
)

// Chosen is a line that was chosen: printable, bounded, without secrets.
type Chosen struct {
	Text  string
	Place int  // in what was given, from 0
	New   bool // its message was not seen before, as far as the memory reaches
}

// Choose picks at most Most lines, in the log's order, and says whether others
// were left out. memory may be nil: then nothing is new.
func Choose(raw []container.Line, memory *Memory) (chosen []Chosen, truncated bool) {
	left := max(0, len(raw)-Read)
	var lines []line
	for i, r := range raw[left:] {
		if l, ok := read(r.Text); ok {
			l.place, l.time = left+i, r.Time
			lines = append(lines, l)
		}
	}
	memory.compare(lines)
	picked := pick(lines)
	for _, i := range picked {
		chosen = append(chosen, Chosen{Text: show(raw[lines[i].place].Text), Place: lines[i].place, New: lines[i].isNew})
	}
	return chosen, left > 0 || len(picked) < len(lines)
}

// KeyLine is, of lines that were chosen, the one that says most about a failure;
// empty where all are routine.
func KeyLine(chosen []string) string {
	var lines []line
	for i, shown := range chosen {
		if l, ok := read(shown); ok {
			l.place = i
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	if best := rank(parse(lines), lines)[0]; best.score >= worthy {
		return chosen[lines[best.head].place]
	}
	return ""
}

// choice is what was taken so far.
type choice map[int]bool

// take takes of a list what fits, at most that many.
func (c choice) take(list []int, most int) {
	for _, i := range list {
		if len(c) < Most && most > 0 && !c[i] {
			c[i] = true
			most--
		}
	}
}

// fill takes the last lines, first those that say what none that was taken says.
func (c choice) fill(lines []line) {
	said := map[uint64]bool{}
	for i := range c {
		said[lines[i].key] = true
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if !said[lines[i].key] {
			said[lines[i].key] = true
			c.take([]int{i}, 1)
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		c.take([]int{i}, 1)
	}
}

// before are the n lines before a block.
func before(b block, n int) []int { return upTo(max(0, b.from-n), b.from) }

// pick gives the places of the chosen lines, in their order.
func pick(lines []line) []int {
	taken := choice{}
	if len(lines) <= Most {
		return upTo(0, len(lines))
	}
	blocks := rank(parse(lines), lines)
	best := blocks[0]
	for _, b := range blocks {
		if b.score >= worthy {
			informative, _ := b.informative(lines)
			taken.take(informative, mostOf)
		}
	}
	// What is left is context: what was before the most informative message, and the rest
	// of it; then what says little; then the end of the log.
	if best.score >= worthy {
		taken.take(before(best, 2), 2)
		informative, rest := best.informative(lines)
		taken.take(append(informative, rest...), mostOf)
	}
	for _, b := range blocks {
		switch {
		case b.score >= worthy:
			taken.take(before(b, 1), 1)
		case b.score > 0 && !b.again:
			taken.take([]int{b.head}, 1)
		}
	}
	taken.fill(lines)
	out := make([]int, 0, len(taken))
	for i := range taken {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

func upTo(from, to int) (list []int) {
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

// worthy is the score from which a message is worth more than context.
const worthy = 3

// rank gives each block its score, and the best first.
func rank(blocks []block, lines []line) []block {
	count := map[uint64]int{}
	for _, b := range blocks {
		count[lines[b.head].key]++
	}
	met := map[uint64]bool{}
	quiet := burst // how many blocks ago the last failure was
	for i := range blocks {
		b := &blocks[i]
		head := lines[b.head]
		near := float64(i) / float64(len(blocks)) // to the end
		switch {
		case met[head.key]:
			b.again = true // its first occurrence says the same
		case b.weight == closing:
			b.score = 1 + near
		case b.weight == routine && head.unusual:
			b.score = 4 + 2*near
		case b.weight == routine:
			b.score = 0
		default:
			b.score = map[weight]float64{hint: 10, warning: 12, failure: 22, fatal: 28}[b.weight]
			if head.unusual {
				b.score += 14
			}
			if b.to-b.from > 2 {
				b.score += 5 // a message with a stack trace
			}
			if quiet >= burst {
				b.score += 6 // the first of a burst
			}
			b.score += 6 * near
		}
		met[head.key] = true
		quiet++
		if b.weight >= hint {
			quiet = 0
		}
	}
	slices.SortStableFunc(blocks, func(a, b block) int { return cmp.Compare(b.score, a.score) })
	return blocks
}
