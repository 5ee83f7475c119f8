package dashboard

import (
	"net/http"

	"logstream/dashboard/view"
)

// Summary is the answer to GET /api/v1/summary. Other programs show it as it is:
// its fields never go, and never become null but for worst.since.
type Summary struct {
	view.Summary
	Held string `json:"held"` // why nothing is repaired on this host, or empty
	Mode string `json:"mode"` // of the healer: observe, approve or auto
}

func (r *run) getSummary(w http.ResponseWriter, req *http.Request) {
	var s Summary
	if r.fetch(w, req, func(l *loop) { s = Summary{l.fleet.Summary(now()), l.info().Held, r.deps.Mode} }) {
		reply(w, http.StatusOK, s)
	}
}
