package dashboard

import (
	"encoding/json"
	"net/http"

	"logstream/internal/event"
)

// maxProbes is how many checks that were asked for are under way at a time.
const maxProbes = 4

// probeRequest is a definition to check.
type probeRequest struct {
	Service json.RawMessage `json:"service"` // with the keys of a service in config.yaml
}

// postProbe has a definition that is not saved checked once. A user who may change
// something here may have this machine connect to any address: so only those
// may, as for every change.
func (r *run) postProbe(w http.ResponseWriter, req *http.Request) {
	definition, is := r.definition(w, req, r.deps.Probe != nil, "this instance cannot probe a definition; use logstream probe")
	if !is {
		return
	}
	select {
	case r.limits.probes <- struct{}{}:
		defer func() { <-r.limits.probes }()
	default:
		w.Header().Set("Retry-After", "1")
		failf(w, http.StatusTooManyRequests, "%d probes are running; try again in a second", maxProbes)
		return
	}
	seen, err := r.deps.Probe(req.Context(), definition)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if seen.Detail == nil {
		seen.Detail = []event.ProbeDetail{}
	}
	r.log.Info("definition checked", "url", seen.URL, "status", seen.Status, "by", caller(req), "remote", r.guard.Address(req))
	reply(w, http.StatusOK, seen)
}
