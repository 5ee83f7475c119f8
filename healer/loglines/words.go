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

// phrases of failure, in lower case.
var phrases = []string{
	"can't", "can not", "could not", "couldn't", "timed out", "not found", "no such", "no space", "out of memory", "core dumped",
	"too many", "broken pipe", "reset by peer", "already in use", "read-only", "not permitted", "bad gateway", "bad request", "stack trace", "not allowed",
	"does not exist", "doesn't exist", "did not", "no route", "no module", "not defined", "not available", "not ready", "gave up", "given up", "heap limit", "data race", "unable to",
	"is full", "disk full", "bad file", "bad address", "not recognized", "no host", "not posted", "not made", "but got", "but received", "expected ", "must be of", "is not a",
}

// errnos are the system's names of failures.
var errnos = map[string]bool{}

func init() {
	for _, word := range strings.Fields(`enospc erofs eacces eperm emfile enfile enoent eaddrinuse eaddrnotavail econnrefused econnreset
		etimedout epipe enomem eio eexist ehostunreach enetunreach eai_again enotfound edquot eisdir enotdir`) {
		errnos[word] = true
	}
}

// failingWords says whether a text speaks of a failure, and whether it names one
// as the system does.
func failingWords(body string) (speaks, isErrno bool) {
	lower := lowered(body)
	start := -1
	for i := 0; i <= len(lower); i++ {
		if i < len(lower) && isWord(lower[i]) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			word := lower[start:i]
			start = -1
			if word[0] == 'e' && errnos[word] && body[i-1] < 'a' { // in capitals
				return true, true
			}
			speaks = speaks || words[word] || len(word) > 5 && (strings.HasSuffix(word, "error") || strings.HasSuffix(word, "exception"))
		}
	}
	for _, phrase := range phrases {
		speaks = speaks || strings.Contains(lower, phrase)
	}
	return speaks, false
}

// lowered is text with the letters A to Z as a to z, and as long as it was.
func lowered(text string) string {
	out := []byte(text)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c | 0x20
		}
	}
	return string(out)
}
