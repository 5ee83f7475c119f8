package loglines

import "strings"

// words of failure, in lower case. Those that end in error or exception need no
// entry.
var words = map[string]bool{}

func init() {
	for _, word := range strings.Fields(`
		error errors err exception failed failure failures fail fails failing fatal panic panicked
		cannot couldn unable refused denied forbidden unauthorized unauthenticated
		timeout oom oomkilled segfault traceback abort aborted aborting corrupt corrupted corruption
		invalid illegal unexpected undefined unhandled uncaught unrecognized unsupported unresolved deadlock
		exceeded exceeds exhausted missing unreachable unavailable killed kill crash crashed expired mismatch
		conflict overflow sigsegv sigabrt sigbus sigkill misspelled malformed unknown assertion assert
		rejected violates violation duplicate incompatible insufficient stale broken misconfigured`) {
		words[word] = true
	}
}

// phrases of failure, in lower case, each with a letter by which most lines can be
// passed by.
var phrases = []string{
	"can't", "can not", "could not", "couldn't", "timed out", "not found", "no such", "no space", "out of memory", "core dumped",
	"too many", "broken pipe", "reset by peer", "already in use", "read-only", "not permitted", "bad gateway", "bad request", "stack trace", "not allowed",
	"does not exist", "doesn't exist", "did not", "no route", "no module", "not defined", "not available", "not ready", "gave up", "given up", "heap limit", "data race", "unable to",
	"is full", "disk full", "bad file", "bad address", "not recognized", "no host", "not posted", "not made", "but got", "but received", "expected ", "must be of", "is not a",
}

// failingWords says whether a text speaks of a failure.
func failingWords(body string) bool {
	lower := strings.ToLower(body)
	start := -1
	for i := 0; i <= len(lower); i++ {
		if i < len(lower) && (lower[i] == '_' || isWord(lower[i])) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			word := lower[start:i]
			if words[word] || len(word) > 5 && (strings.HasSuffix(word, "error") || strings.HasSuffix(word, "exception")) {
				return true
			}
			start = -1
		}
	}
	for _, phrase := range phrases {
		if strings.Contains(lower, phrase) {
			return true
		}
	}
	return false
}
