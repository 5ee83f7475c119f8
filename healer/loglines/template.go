package loglines

import (
	"hash/fnv"
	"regexp"
	"strings"
)

// variable are the parts of a line that differ between two occurrences of the
// same message. The order matters: what contains numbers is masked before them.
var variable = regexp.MustCompile(strings.Join([]string{
	`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?`, // an instant
	`\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b`,                                               // a time of day
	`\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b`,                      // a UUID
	`\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b`,                                          // an address
	`\[[0-9a-fA-F:]*::[0-9a-fA-F:]*\](?::\d+)?`,                                     // of IPv6
	`\b0x[0-9a-fA-F]+\b`,
	`\b[0-9a-fA-F]*\d[0-9a-fA-F]{6,}\b`, // an id in hex
	`"(?:[^"\\]|\\.){24,}"`,             // a long quoted text
	`\d+`,
}, "|"))

// Template is a message without its numbers, ids, times and addresses: two lines
// with the same template say the same.
func Template(line string) string { return variable.ReplaceAllString(line, "#") }

// key is a template as the memory keeps it.
func key(line string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(Template(line))) // it never fails
	return h.Sum64()
}
