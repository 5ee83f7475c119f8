package dashboard

import (
	"net/http"
	"time"

	"logstream/internal/event"
)

const maxSilence = 30 * 24 * time.Hour

// silenceRequest silences a service.
type silenceRequest struct {
	For    string `json:"for"` // such as 10m, at most 720h
	Reason string `json:"reason"`
}

// postSilence silences a service: it is observed, and not repaired meanwhile.
func (r *run) postSilence(w http.ResponseWriter, req *http.Request) {
	var ask silenceRequest
	_, def, is := r.serviceCommand(w, req, &ask)
	if !is || !shortEnough(w, ask.Reason) {
		return
	}
	switch d, err := time.ParseDuration(ask.For); {
	case ask.For == "":
		fail(w, http.StatusBadRequest, `"for" is missing: a silence ends by itself, such as after 10m`)
	case err != nil || d <= 0 || d > maxSilence:
		failf(w, http.StatusBadRequest, `"for" must be a duration up to 720h, such as 10m, not %s`, quoted(ask.For))
	default:
		r.issue(w, req, def.Name, event.CommandSilence, event.CommandArgs{For: ask.For, Reason: ask.Reason})
	}
}

// deleteSilence ends a silence.
func (r *run) deleteSilence(w http.ResponseWriter, req *http.Request) {
	shown, def, is := r.serviceCommand(w, req, &struct{}{})
	if !is {
		return
	}
	silenced := shown.SilencedUntil != nil && now().Before(*shown.SilencedUntil)
	awaited := false
	if !r.fetch(w, req, func(l *loop) {
		awaited = !l.caughtUp() || l.fleet.Commands.Awaited(event.CommandSilence, now())
	}) {
		return
	}
	if !silenced && !awaited {
		failf(w, http.StatusConflict, "%q is not silenced", def.Name)
		return
	}
	r.issue(w, req, def.Name, event.CommandUnsilence, event.CommandArgs{})
}
