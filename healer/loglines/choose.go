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
//	severity.go  how much a line says about a failure
//	template.go  a message without its numbers
//	memory.go    which messages were seen before
package loglines

import (
	"cmp"
	"slices"

	"logstream/internal/container"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	Most    = 12   // lines that are chosen
	Read    = 1000 // of which it is chosen at most: the newest
	maxLine = 500  // bytes of a line that is chosen
	mostOf  = 5    // lines of one block, while others have none yet
)

// Chosen is a line that was chosen: printable, bounded, without secrets.
type Chosen struct {
	Text  string
	Place int  // in what was given, from 0
	New   bool // its message is not in the memory, which is not empty
}

// clean is a line as it is shown, at its full length.
func clean(raw string) string { return redact.Text(text.Line(raw[:min(len(raw), 16<<10)])) }

// Choose picks at most Most lines, in the log's order, and says whether others
// were left out. memory may be nil: then nothing is new.
func Choose(raw []container.Line, memory *Memory) (chosen []Chosen, truncated bool) {
	left := max(0, len(raw)-Read)
	var lines []string
	var places []int
	for i, line := range raw[left:] {
		if shown := clean(line.Text); shown != "" {
			lines, places = append(lines, shown), append(places, left+i)
		}
	}
	picked := pick(lines, memory)
	for _, i := range picked {
		chosen = append(chosen, Chosen{Text: text.Clip(lines[i], maxLine), Place: places[i], New: isNew(memory, lines[i])})
	}
	return chosen, left > 0 || len(picked) < len(lines)
}

func isNew(m *Memory, line string) bool { return m != nil && len(m.seen) > 0 && !m.Knows(line) }

// pick gives the places of the chosen lines, in their order.
func pick(lines []string, memory *Memory) []int {
	if len(lines) <= Most {
		return upTo(0, len(lines))
	}
	blocks := parse(lines)
	rank(blocks, lines, memory)
	byScore := slices.SortedStableFunc(slices.Values(blocks), func(a, b block) int { return cmp.Compare(b.score, a.score) })
	taken := map[int]bool{}
	take := func(list []int, most int) {
		for _, i := range list {
			if len(taken) < Most && most > 0 && !taken[i] {
				taken[i] = true
				most--
			}
		}
	}
	for _, b := range byScore {
		if b.score > 0 {
			take(b.important(lines), mostOf)
		}
	}
	// What is left is context: of the most telling message what stands before it,
	// and then the end of the log.
	if best := byScore[0]; best.score > 0 && len(taken) < Most {
		take(upTo(max(0, best.from-2), best.from), 2)
		take(upTo(best.from, best.to), Most)
	}
	for i := len(lines) - 1; i >= 0 && len(taken) < Most; i-- {
		take([]int{i}, 1)
	}
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

// rank gives each block its score.
func rank(blocks []block, lines []string, memory *Memory) {
	count := map[uint64]int{}
	for _, b := range blocks {
		count[key(b.message(lines))]++
	}
	met := map[uint64]bool{}
	quiet := burst // how many blocks ago the last failure was
	for i := range blocks {
		b := &blocks[i]
		message := b.message(lines)
		k := key(message)
		first := !met[k]
		met[k] = true
		isFailure := b.weight >= hint
		switch {
		case b.weight == closing:
			b.score = 1
		case b.weight == routine && isNew(memory, message):
			b.score = 4
		case b.weight == routine:
			b.score = 0
		default:
			b.score = map[weight]float64{hint: 10, warning: 12, failure: 22, fatal: 28}[b.weight]
		}
		if isFailure {
			if isNew(memory, message) {
				b.score += 14
			}
			if b.to-b.from > 2 {
				b.score += 5 // a message with a stack trace
			}
			if quiet >= burst {
				b.score += 6 // the first of a burst
			}
			b.score += 6 * float64(i) / float64(len(blocks)) // near the end
			b.score -= 2 * min(4, float64(count[k]-1))       // what is written again and again is not special
			quiet = 0
		} else {
			quiet++
		}
		if !first {
			b.score = min(b.score, 2) // its first occurrence says the same
		}
	}
}

// burst is after how many other messages a failure is not of the same burst.
const burst = 15
