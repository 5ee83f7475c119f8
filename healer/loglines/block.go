package loglines

import (
	"regexp"
	"strings"
)

// block is a message with the lines that belong to it, such as a stack trace:
// lines[from:to].
type block struct {
	from, to int
	head     int // the line that is the message
	weight   weight
	score    float64
}

func (b block) message(lines []string) string { return lines[b.head] }

var (
	// belongs are lines that continue a message, in the trace formats of Java,
	// Python, Go, Node, Ruby, .NET and of databases that explain an error.
	belongs = regexp.MustCompile(`^(?:\s+|at \S|Caused by: |Suppressed: |\.\.\. \d+ more|goroutine \d+ \[|created by |During handling of|The above exception|stack traceback|\[signal |exit status|[\w./*()-]+\([^)]*\)$|---> |\S+\.go:\d+ \+0x|#\d+ |\^+$)`)
	details = regexp.MustCompile(`(?:^|\s)(?:DETAIL|HINT|CONTEXT|STATEMENT|LOCATION):\s`) // of PostgreSQL
	python  = regexp.MustCompile(`^Traceback \(most recent call last\)`)
	raised  = regexp.MustCompile(`^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Timeout|Refused)\b`)
	cause   = regexp.MustCompile(`^(?:Caused by: |---> |Suppressed: |\[signal |\s*caused by)`)
	ours    = regexp.MustCompile(`(?:^\s+at |\S+\.(?:go|py|js|ts|rb|java|cs|php|rs):\d+|File "[^"]+", line \d+)`)
	foreign = regexp.MustCompile(`(?:/usr/(?:local/)?lib/|site-packages|node_modules|node:internal|internal/process|java\.base/|jdk\.internal|sun\.reflect|org\.(?:springframework|apache|eclipse)\.|runtime/(?:panic|proc|asm)|net/http/)`)
)

// maxBlock bounds a block: what goes on for longer is several.
const maxBlock = 200

// parse parts lines into blocks.
func parse(lines []string) []block {
	var all []block
	inPython := false
	for i, line := range lines {
		last := len(all) - 1
		switch {
		case python.MatchString(line) || python.MatchString(strings.TrimSpace(line)):
			if inPython && last >= 0 || last >= 0 && all[last].to == i && chained(lines[i-1]) {
				all[last].to = i + 1
			} else {
				all = append(all, block{from: i, to: i + 1, head: i, weight: failure})
			}
			inPython = true
		case inPython && !startsIndented(line) && raised.MatchString(line):
			all[last].to, all[last].head = i+1, i // the exception's own line is the message
			inPython = false
		case last >= 0 && i-all[last].from < maxBlock && (belongs.MatchString(line) || details.MatchString(line)) && (all[last].to-all[last].from > 1 || all[last].weight >= hint || startsIndented(line)):
			all[last].to = i + 1
			if w := weigh(line); w > all[last].weight && w >= hint && !startsIndented(line) {
				all[last].weight = w
			}
		default:
			inPython = false
			all = append(all, block{from: i, to: i + 1, head: i, weight: weigh(line)})
		}
	}
	return all
}

func startsIndented(line string) bool { return line != "" && (line[0] == ' ' || line[0] == '\t') }

func chained(line string) bool {
	return strings.HasPrefix(line, "During handling of") || strings.HasPrefix(line, "The above exception")
}

// important are the lines of a block, the most telling first: its message, what
// caused it, and the frames in the program's own code.
func (b block) important(lines []string) []int {
	out := []int{b.head}
	var frames, rest []int
	var last = -1
	for i := b.from; i < b.to; i++ {
		switch {
		case i == b.head:
		case cause.MatchString(lines[i]) || details.MatchString(lines[i]):
			last = i // the deepest cause is the last
			out = append(out, i)
		case ours.MatchString(lines[i]) && !foreign.MatchString(lines[i]):
			frames = append(frames, i)
		default:
			rest = append(rest, i)
		}
	}
	if last > 0 && len(out) > 3 {
		out = append([]int{b.head, last}, out[1:len(out)-1]...)
	}
	return append(append(out, frames...), rest...)
}
