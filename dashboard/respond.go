package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	maxBody     = 64 << 10 // bytes of a command
	maxObserved = 1 << 20  // bytes of observations
)

type failure struct {
	Error string `json:"error"`
}

// fail answers with one sentence.
func fail(w http.ResponseWriter, status int, why string) { reply(w, status, failure{why}) }

func failf(w http.ResponseWriter, status int, format string, args ...any) {
	fail(w, status, fmt.Sprintf(format, args...))
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(v), '\n')) // a client that went away needs no answer
}

// body reads a request's body of at most limit bytes. A refusal says what is
// wrong with it.
func body(w http.ResponseWriter, req *http.Request, limit int64) ([]byte, refusal) {
	all, err := io.ReadAll(http.MaxBytesReader(w, req.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit)}
	case err != nil:
		return nil, refusal{http.StatusBadRequest, "the body could not be read to its end"}
	}
	return all, refusal{}
}

// object reads a command's body into v: one JSON object, or nothing at all.
// What it doesn't know it skips.
func object(w http.ResponseWriter, req *http.Request, v any) refusal {
	all, bad := body(w, req, maxBody)
	if bad.is() {
		return bad
	}
	all = bytes.TrimSpace(all)
	if len(all) == 0 {
		return refusal{}
	}
	if all[0] != '{' {
		return refusal{http.StatusBadRequest, "the body is not a JSON object"}
	}
	if err := json.Unmarshal(all, v); err != nil {
		return refusal{http.StatusBadRequest, "the body is not valid: " + jsonError(err)}
	}
	return refusal{}
}

// jsonError is what is wrong with a body in the caller's words, without the
// names of our types.
func jsonError(err error) string {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) && mistyped.Field != "" {
		return fmt.Sprintf("%s is a %s", mistyped.Field, mistyped.Value)
	}
	return err.Error()
}
