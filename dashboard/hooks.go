package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"logstream/dashboard/access"
	"logstream/dashboard/hook"
	"logstream/internal/event"
	"logstream/internal/service"
)

const hooksPath = "/api/v1/hooks/"

// hooks are the calls of other monitors, by path. They need no role of the
// dashboard, but the hook's own token. A page of another site is refused before that is
// looked at: a browser that is led there must not use up its user's attempts to log in.
func (r *run) hooks() map[string]methods {
	all := map[string]methods{}
	for _, kind := range hook.Kinds {
		all[hooksPath+kind] = methods{http.MethodPost: {access.Anyone, r.sameOrigin(r.hooked(kind, r.throttled(r.limits.health, tooManyRequests, r.postHook(kind))))}}
	}
	return all
}

// hooked lets in who knows the token of a hook of that kind. The token of the
// dashboard is another one: a monitor that reports needs no other right.
func (r *run) hooked(kind string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !slices.ContainsFunc(r.deps.Hooks, func(c hook.Config) bool { return c.Kind == kind }) {
			failf(w, http.StatusNotFound, "no hook of kind %s is configured; add one to hooks in config.yaml", kind)
			return
		}
		if _, is := hook.Find(r.deps.Hooks, kind, hookToken(kind, req)); !is {
			if !r.attempt(req) {
				tooManyAttempts(w)
				return
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			failf(w, http.StatusUnauthorized, "a valid token is required: send the token of a hook of kind %s as Authorization: Bearer …", kind)
			return
		}
		next(w, req)
	}
}

// hookToken is the token that a request carries. Alertmanager, Gatus and Uptime
// Kuma can all send a header. Of other senders not every one can, and may put it
// into the address, which proxies on the way may log.
func hookToken(kind string, req *http.Request) string {
	if scheme, given, _ := strings.Cut(req.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(given)
	}
	if kind == hook.Generic {
		return req.URL.Query().Get("token")
	}
	return ""
}

// postHook publishes what another monitor sends.
func (r *run) postHook(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		all, bad := body(w, req, maxObserved)
		if bad.is() {
			fail(w, bad.status, bad.why)
			return
		}
		sender, _ := hook.Find(r.deps.Hooks, kind, hookToken(kind, req)) // it was let in by it
		read, err := sender.Read(all, r.configured, now())
		if err != nil {
			r.log.Warn("hook refused", "hook", sender.Name, "error", err)
			status := http.StatusBadRequest
			if errors.As(err, new(*hook.TooManyError)) {
				status = http.StatusRequestEntityTooLarge
			}
			fail(w, status, err.Error())
			return
		}
		if len(read.Skipped) > 0 {
			r.log.Info("hook message accepted in part", "hook", sender.Name, "accepted", len(read.Observations), "skipped", read.Skipped)
		}
		if r.publish(w, req, read.Observations) {
			reply(w, http.StatusAccepted, accepted{len(read.Observations), read.Skipped})
		}
	}
}

// configured says whether our configuration has a service of that name.
func (r *run) configured(name string) bool {
	return slices.ContainsFunc(r.deps.Services(), func(d service.Definition) bool { return d.Name == name })
}

// repeatHooks says again, in their names, what other monitors said once, while
// this instance owns its host: a standby only follows.
func (r *run) repeatHooks(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var due []event.HealthLog
		if r.inLoop(ctx, func(l *loop) {
			if l.caughtUp() && l.fleet.Owner() == r.deps.Identity.Instance {
				due = l.repeats.Due(now())
			}
		}) != nil {
			return nil // the loop has ended, and so does this
		}
		for _, h := range due {
			r.deps.Log.Enqueue(event.TopicHealth, h.Service, event.Encode(h))
		}
	}
}
