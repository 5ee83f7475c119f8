package dashboard

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"golang.org/x/time/rate"
)

// contentPolicy lets the page load its own files and talk to us, and nothing
// else.
const contentPolicy = "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// routes is every address that is answered, from the outside in: headers and
// Host for all, the token for what tells anything, Origin, rate and type for
// what changes anything.
func (r *run) routes() http.Handler {
	mux := http.NewServeMux()
	read := func(pattern string, h http.HandlerFunc) { mux.Handle("GET "+pattern, r.authorized(h)) }
	change := func(pattern string, limit *rate.Limiter, h http.HandlerFunc) {
		mux.Handle(pattern, r.authorized(r.changing(limit, h)))
	}
	commands := r.limits.commands

	read("/api/v1/services", r.getServices)
	read("/api/v1/services/{name}", r.getService)
	read("/api/v1/services/{name}/history", r.getHistory)
	read("/api/v1/services/{name}/logs", r.getLogs)
	change("POST /api/v1/services/{name}/heal", commands, r.postHeal)
	change("POST /api/v1/services/{name}/chaos", commands, r.postChaos)
	read("/api/v1/chaos", r.getChaos)
	read("/api/v1/incidents", r.getIncidents)
	read("/api/v1/incidents/{id}", r.getIncident)
	change("POST /api/v1/hold", commands, r.postHold)
	change("DELETE /api/v1/hold", commands, r.deleteHold)
	read("/api/v1/commands/{id}", r.getCommand)
	change("POST /api/v1/health-logs", r.limits.health, r.postHealthLogs)
	read("/api/v1/info", r.getInfo)
	mux.Handle("/api/", r.authorized(func(w http.ResponseWriter, req *http.Request) {
		failf(w, http.StatusNotFound, "there is no call %s %s", req.Method, req.URL.Path)
	}))
	mux.Handle("GET /ws", r.authorized(r.sameOrigin(r.socket)))
	mux.HandleFunc("GET /healthz", r.getHealth)
	mux.HandleFunc("GET /readyz", r.getReady)
	mux.HandleFunc("/", r.pages.serve)
	return r.outermost(mux)
}

// outermost is around everything.
func (r *run) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer r.recovered(w, req)
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if no := r.guard.host(req.Host); no.is() {
			fail(w, no.status, no.why)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// recovered answers for a handler that panicked: one request fails, and the
// log has the stack.
func (r *run) recovered(w http.ResponseWriter, req *http.Request) {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value)
	}
	r.log.Error("a request panicked", "method", req.Method, "path", req.URL.Path,
		"error", fmt.Sprintf("%v\n\n%s", value, debug.Stack()))
	fail(w, http.StatusInternalServerError, "this request met a fault of logstream; its log has the details")
}

// authorized lets in who knows the token.
func (r *run) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !r.guard.knows(req) {
			if !r.limits.guesses.Allow() {
				fail(w, http.StatusTooManyRequests, "too many requests without the right token")
				return
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "the token of config.yaml is needed: Authorization: Bearer …")
			return
		}
		next(w, req)
	}
}

// sameOrigin lets in our own page.
func (r *run) sameOrigin(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if no := r.guard.origin(req.Header.Get("Origin"), req.Host); no.is() {
			fail(w, no.status, no.why)
			return
		}
		next(w, req)
	}
}

// changing lets through what may change something.
func (r *run) changing(limit *rate.Limiter, next http.HandlerFunc) http.HandlerFunc {
	return r.sameOrigin(func(w http.ResponseWriter, req *http.Request) {
		if !limit.Allow() {
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusTooManyRequests, "too many changes at once: try again in a second")
			return
		}
		if no := r.guard.contentType(req.Header.Get("Content-Type")); no.is() {
			fail(w, no.status, no.why)
			return
		}
		next(w, req)
	})
}
