package runbook

import (
	"regexp"
	"slices"
)

// Sign is what a log line shows, as a code.
type Sign string

// The signs. Anyone who writes to a log may write any of them: a sign removes
// actions, or explains a failure, and never makes an action legal (see Diagnose).
const (
	SignNoSpace   Sign = "no_space"   // a write failed for lack of space
	SignReadOnly  Sign = "read_only"  // a write failed on a read-only file system
	SignOpenFiles Sign = "open_files" // no file or connection can be opened any more
	SignDNS       Sign = "dns"        // a host name could not be resolved
	SignNoHost    Sign = "no_host"    // the DNS server answered that there is no such host name
)

// signs are all of them: the lines that show each, and how a person reads it.
var signs = []struct {
	sign  Sign
	lines *regexp.Regexp
	words string
}{
	{SignNoSpace, regexp.MustCompile(`(?i)\bENOSPC\b|no space left on device|disk quota exceeded|not enough space on the disk`), "no space left"},
	// With a question mark it is a program's guess, and not what the system said: nginx's image starts with one.
	{SignReadOnly, regexp.MustCompile(`(?i)\bEROFS\b|read-only file ?system(?:[^?]|$)`), "read-only file system"},
	{SignOpenFiles, regexp.MustCompile(`(?i)\bEMFILE\b|\bENFILE\b|too many open files`), "too many open files"},
	{SignDNS, regexp.MustCompile(`(?i)temporary failure in name resolution|server misbehaving|could not resolve host|\bEAI_AGAIN\b|\blookup \S+(?: on \S+)?: .*(?:i/o timeout|deadline exceeded)`), "host name not resolved"},
	{SignNoHost, regexp.MustCompile(`(?i)no such host|name or service not known|\bENOTFOUND\b`), "no such host name"},
}

// Signed is a sign and the line that shows it: hostile text.
type Signed struct {
	Sign Sign   `json:"sign"`
	Line string `json:"line"`
}

// Signs are what lines show, each with the newest line that shows it, in a fixed
// order. The lines are those of the present run only, oldest first.
func Signs(lines []string) []Signed {
	var found []Signed
	for _, s := range signs {
		for _, line := range slices.Backward(lines) {
			if s.lines.MatchString(line) {
				found = append(found, Signed{s.sign, line})
				break
			}
		}
	}
	return found
}

// shows is a condition: the log of this run shows the sign.
func shows(sign Sign) func(Facts) bool {
	return func(f Facts) bool { _, is := lineOf(f, sign); return is }
}

// lineOf is the line that shows a sign.
func lineOf(f Facts, sign Sign) (string, bool) { return LineOf(f.Signs, sign) }

// LineOf is the line that shows a sign, if there is one.
func LineOf(signs []Signed, sign Sign) (string, bool) {
	i := slices.IndexFunc(signs, func(s Signed) bool { return s.Sign == sign })
	if i < 0 {
		return "", false
	}
	return signs[i].Line, true
}

// wordsOf is a sign as a person reads it.
func wordsOf(sign Sign) string {
	for _, s := range signs {
		if s.sign == sign {
			return s.words
		}
	}
	return string(sign)
}
