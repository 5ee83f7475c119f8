package dashboard

import (
	"fmt"
	"net/http"
)

// failure is the answer to what was not done.
type failure struct {
	Error string `json:"error"` // one sentence
	// Command is the id of a command that may not have been recorded.
	Command string `json:"command,omitempty"`
	// Login is the page where people log in, of an answer to one who is not known.
	Login string `json:"login,omitempty"`
}

// fail answers with one sentence.
func fail(w http.ResponseWriter, status int, why string) { reply(w, status, failure{Error: why}) }

func failf(w http.ResponseWriter, status int, format string, args ...any) {
	fail(w, status, fmt.Sprintf(format, args...))
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(v), '\n')) // a client that disconnected needs no answer
}
