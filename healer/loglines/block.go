package loglines

import (
	"regexp"
	"slices"
	"strings"
)

// block is a message with the lines that belong to it, such as a stack trace:
// lines[from:to].
type block struct {
	from, to int
	head     int // the line that is the message
	weight   weight
	score    float64
	again    bool // an earlier one says the same
}

var (
	// belongs are lines that continue a message, in the trace formats of Java,
	// Python, Go, Node, Ruby, .NET, PHP, and of databases that explain an error.
	belongs = regexp.MustCompile(`^(?:\s+|at \S|Caused by: |Suppressed: |\.\.\. \d+ more|goroutine \d+ |created by |\[signal |exit status|[\w./*()-]+\([^)]*\)$|---> |\S+\.go:\d+ \+0x|#\d+ |[\^~]+$|[{}\])]+[,;]?$|Stack trace:|stack traceback|thrown in )`)
	details = regexp.MustCompile(`(?:^|\s)(?:DETAIL|HINT|CONTEXT|STATEMENT|LOCATION|QUERY):\s`) // of PostgreSQL
	python  = regexp.MustCompile(`^\s*Traceback \(most recent call last\)`)
	chained = regexp.MustCompile(`^\s*(?:During handling of|The above exception)`)
	raised  = regexp.MustCompile(`^[A-Za-z_][\w.]*(?::\s|$)`) // the last line of a traceback
	thrown  = regexp.MustCompile(`^\s*(?:Exception in thread "[^"]*" )?(?:[\w$.]+[.$])?[A-Z]\w*(?:Error|Exception|Fault)(?:: | \(|$)`)
	cause   = regexp.MustCompile(`^\s*(?:Caused by: |---> |Suppressed: |\[signal |\[?cause\]?:|caused by)`)
	frame   = regexp.MustCompile(`^\s*(?:at\s|from \S+:\d+|File "[^"]+", line \d+|#\d+ |\S+\.go:\d+|\S+\(.*\)$|goroutine \d+ |created by |\d+: 0x)|\S+\.(?:go|py|js|ts|tsx|rb|java|cs|php|rs|kt|scala|ex):(?:line )?\d+`)
	foreign = regexp.MustCompile(`/usr/(?:local/)?lib/|/lib/python\d|site-packages|dist-packages|node_modules|node:|internal/process|<anonymous>|<frozen |java\.base/|jdk\.internal|\bsun\.|^\s*at (?:java|javax|jdk|scala|kotlin|System|Microsoft|org\.(?:springframework|apache|eclipse|junit|hibernate)|io\.netty)[.$]|^\s*(?:at )?(?:runtime|internal/\w+|sync|testing|net/http|reflect|panic)[./(]|^panic\(|\bruntime/\w+\.(?:go|s):|\bnet/http/\S+\.go:|\binternal/\S+\.go:|\b(?:sync|testing)/\S+\.go:|/gems/|/vendor/|/rustc/|goroutine \d+ |---.*---|lambda\$|\[native|^\s*\d+: 0x`)
	carets  = regexp.MustCompile(`^\s*[\^~|]+\s*$`)
)

const (
	maxBlock = 200 // what goes on for longer is several
	mostOf   = 5   // lines of one block, while other messages have none yet
)

// parse parts lines into blocks.
func parse(lines []line) []block {
	var all []block
	inPython := false // a traceback has begun, and its exception has not come
	for i, l := range lines {
		last := len(all) - 1
		indented := startsIndented(l.body)
		open := last >= 0 && i-all[last].from < maxBlock
		switch {
		case python.MatchString(l.body):
			// It belongs to the message that announces it, or is the next of a chain.
			if open && (inPython || all[last].weight >= warning && all[last].to-all[last].from <= 2 || chained.MatchString(lines[i-1].body)) {
				all[last].to = i + 1
				all[last].weight = max(all[last].weight, failure)
			} else {
				all = append(all, block{from: i, to: i + 1, head: i, weight: failure})
			}
			inPython = true
		case inPython && open && !indented && raised.MatchString(l.body):
			all[last].to = i + 1
			if lines[all[last].head].weight < failure || python.MatchString(lines[all[last].head].body) {
				all[last].head = i // the exception's own line is the message
			}
			inPython = false
		case open && chained.MatchString(l.body):
			all[last].to = i + 1
		case open && indented && all[last].weight < hint && l.weight >= hint && !frame.MatchString(l.body):
			all = append(all, block{from: i, to: i + 1, head: i, weight: l.weight}) // the first line said nothing
		case open && (indented || all[last].weight >= hint && (belongs.MatchString(l.body) || details.MatchString(l.body) || thrown.MatchString(l.body) && i == all[last].head+1)):
			all[last].to = i + 1
		default:
			inPython = false
			all = append(all, block{from: i, to: i + 1, head: i, weight: l.weight})
		}
	}
	return all
}

func startsIndented(body string) bool { return body != "" && (body[0] == ' ' || body[0] == '\t') }

// informative are the lines of a block that say what happened, the most informative
// first: its message, what was thrown, what caused it, and the frames in the
// program's own code. rest are its other lines.
func (b block) informative(lines []line) (list, rest []int) {
	var causes, messages, own []int
	isPython := false
	for i := b.from; i < b.to; i++ {
		body := lines[i].body
		isPython = isPython || python.MatchString(body)
		switch {
		case i == b.head:
		case carets.MatchString(body) || python.MatchString(body) || chained.MatchString(body):
			rest = append(rest, i)
		case cause.MatchString(body) || thrown.MatchString(body):
			causes = append(causes, i)
		case frame.MatchString(body):
			if foreign.MatchString(body) || i+1 < b.to && foreign.MatchString(lines[i+1].body) && !startsIndented(body) {
				rest = append(rest, i)
			} else {
				own = append(own, i)
			}
		case i > b.from && (foreign.MatchString(lines[i-1].body) && frame.MatchString(lines[i-1].body)):
			rest = append(rest, i) // the source of a frame in foreign code
		case i > b.from && slices.Contains(own, i-1) && isPython:
			own = append(own, i) // the source of a frame
		case foreign.MatchString(body):
			rest = append(rest, i)
		case strings.TrimSpace(body) != "":
			messages = append(messages, i)
		}
	}
	if isPython { // the deepest frame stands last
		for i := 0; i+1 < len(own); i++ {
			if frame.MatchString(lines[own[i]].body) && own[i+1] == own[i]+1 {
				own[i], own[i+1] = own[i+1], own[i] // after the reversal the frame stands before its source
				i++
			}
		}
		slices.Reverse(own)
	}
	list = append(list, b.head)
	if n := len(causes); n > 1 { // the deepest cause is the last
		causes = append([]int{causes[n-1]}, causes[:n-1]...)
	}
	for _, part := range [][]int{first(causes, 2), first(messages, 2), first(own, 2), beyond(causes, 2), beyond(own, 2), beyond(messages, 2)} {
		list = append(list, part...)
	}
	return list, rest
}

func first(list []int, n int) []int  { return list[:min(n, len(list))] }
func beyond(list []int, n int) []int { return list[min(n, len(list)):] }
