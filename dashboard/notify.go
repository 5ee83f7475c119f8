package dashboard

import (
	"errors"
	"net/http"
)

// Notified is how a test message to one receiver went.
type Notified struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error"` // empty: the receiver has taken it
}

// Receiver is one of notifications. Its address is a secret, and not here.
type Receiver struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`     // such as ntfy
	On       []string `json:"on"`       // the events that it gets, such as escalated
	Services []string `json:"services"` // only these, and those of groups; both empty: all
	Groups   []string `json:"groups"`
}

// NotFoundError says that what was named does not exist.
type NotFoundError struct{ Why string }

func (e NotFoundError) Error() string { return e.Why }

// notifyTestRequest asks for test messages.
type notifyTestRequest struct {
	Receiver string `json:"receiver"` // absent: to all
}

// postNotifyTest sends a test message, and answers when each receiver has
// answered or had its time.
func (r *run) postNotifyTest(w http.ResponseWriter, req *http.Request) {
	var ask notifyTestRequest
	if !r.command(w, req, &ask) {
		return
	}
	if r.deps.Notify == nil {
		fail(w, http.StatusServiceUnavailable, "this instance has no notifications")
		return
	}
	select {
	case r.limits.notifyTests <- struct{}{}:
		defer func() { <-r.limits.notifyTests }()
	default:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "another test is running; try again when it has ended")
		return
	}
	results, err := r.deps.Notify(req.Context(), ask.Receiver)
	switch {
	case errors.As(err, new(NotFoundError)):
		fail(w, http.StatusNotFound, err.Error())
		return
	case err != nil:
		fail(w, http.StatusConflict, err.Error())
		return
	}
	r.log.Info("test messages sent", "receivers", len(results), "by", caller(req), "remote", req.RemoteAddr)
	reply(w, http.StatusOK, results)
}
