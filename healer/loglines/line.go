package loglines

import (
	"regexp"
	"strings"
	"time"

	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	judgedHead = 768 // bytes at the beginning of a line by which it is judged,
	judgedTail = 256 // and at its end, where structured logs put the error
	shownHead  = 16 << 10
)

// line is what is known of a line of the log.
type line struct {
	place  int    // in what was given
	text   string // printable, without secrets; long lines without their middle
	body   string // text without the time, host and process that a wrapper put before it
	weight weight
	key    uint64 // of its template
	time   time.Time

	unusual bool // its message is not known from healthy times
	isNew   bool // nor from any other, nor from before in this log
}

// read judges a raw line. ok: it shows anything.
func read(raw string) (l line, ok bool) {
	if len(raw) > judgedHead+judgedTail {
		l.text = clean(wide(raw[:judgedHead])) + " " + clean(wide(raw[len(raw)-judgedTail:]))
	} else {
		l.text = clean(wide(raw))
	}
	l.body = bodyOf(l.text)
	l.weight = weigh(l.body)
	l.key = keyOf(l.body, l.weight)
	return l, strings.TrimSpace(l.text) != ""
}

// wide keeps the indentation by tabs, which shows that a line continues another.
func wide(raw string) string { return strings.ReplaceAll(raw, "\t", "    ") }

// clean makes raw text printable, and masks secrets in it.
func clean(raw string) string { return redact.Text(text.Line(raw)) }

// show is a raw line as it is shown: bounded.
func show(raw string) string { return text.Clip(clean(raw[:min(len(raw), shownHead)]), maxLine) }

// wrapped is what a wrapper writes before each line: the time of a build server
// or of `docker logs -t`, the name of Compose, the host and process of syslog.
var wrapped = regexp.MustCompile(`^(?:[\w.-]{1,40} +\| )?(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d) ?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [\w.@/-]+(?:\[\d+\])?: ?)?(?:std(?:out|err) [FP] )?`)

func bodyOf(text string) string { return text[len(wrapped.FindString(text)):] }
