package dashboard

import (
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/time/rate"

	"logstream/internal/event"
)

// contentPolicy lets the page load its own files and talk to us, and nothing
// else.
const contentPolicy = "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// methods are what one path answers. Another method is 405.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	if answer, is := m[method]; is {
		answer(w, req)
		return
	}
	allowed := slices.Collect(maps.Keys(m))
	if m[http.MethodGet] != nil {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	notAllowed(w, req, allowed...)
}

func notAllowed(w http.ResponseWriter, req *http.Request, allowed ...string) {
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	failf(w, http.StatusMethodNotAllowed, "%s does not allow the method %s; it allows %s", short(req.URL.Path), short(req.Method), list)
}

// api are the calls of the API, by path.
func (r *run) api() map[string]methods {
	read := func(answer http.HandlerFunc) methods { return methods{http.MethodGet: answer} }
	command := func(answer http.HandlerFunc) http.HandlerFunc { return r.changing(r.limits.commands, answer) }
	return map[string]methods{
		"/api/v1/services":                   read(r.getServices),
		"/api/v1/services/{name}":            read(r.getService),
		"/api/v1/services/{name}/history":    read(r.getHistory),
		"/api/v1/services/{name}/logs":       read(r.getLogs),
		"/api/v1/services/{name}/silence":    {http.MethodPost: command(r.postSilence), http.MethodDelete: command(r.deleteSilence)},
		"/api/v1/services/{name}/heal":       {http.MethodPost: command(r.postHeal)},
		"/api/v1/services/{name}/chaos":      {http.MethodPost: command(r.postChaos)},
		"/api/v1/chaos":                      read(r.getChaos),
		"/api/v1/incidents":                  read(r.getIncidents),
		"/api/v1/incidents/{id}":             read(r.getIncident),
		"/api/v1/incidents/{id}/approve":     {http.MethodPost: command(r.postAnswer(event.CommandApprove))},
		"/api/v1/incidents/{id}/deny":        {http.MethodPost: command(r.postAnswer(event.CommandDeny))},
		"/api/v1/incidents/{id}/undo":        {http.MethodPost: command(r.postUndo)},
		"/api/v1/incidents/{id}/acknowledge": {http.MethodPost: command(r.postAcknowledge)},
		"/api/v1/hold":                       {http.MethodPost: command(r.postHold), http.MethodDelete: command(r.deleteHold)},
		"/api/v1/commands/{id}":              read(r.getCommand),
		"/api/v1/health-logs":                {http.MethodPost: r.changing(r.limits.health, r.postHealthLogs)},
		"/api/v1/probe":                      {http.MethodPost: command(r.postProbe)},
		"/api/v1/info":                       read(r.getInfo),
		"/api/v1/summary":                    read(r.getSummary),
		"/api/v1":                            read(r.getCalls),
		"/api/v1/openapi.json":               read(r.getOpenAPI),
	}
}

// routes is every address that is answered, from the outside in: headers and
// Host for all, the token for all of the API, then the method, and origin,
// rate and type for what changes anything.
func (r *run) routes() http.Handler {
	mux := http.NewServeMux()
	for path, answers := range r.api() {
		mux.Handle(path, r.authorized(answers.ServeHTTP))
	}
	for path, answers := range r.hooks() {
		mux.Handle(path, r.hooked(strings.TrimPrefix(path, hooksPath), answers))
	}
	mux.Handle("/api/", r.authorized(func(w http.ResponseWriter, req *http.Request) {
		failf(w, http.StatusNotFound, "unknown call %s %s", short(req.Method), short(req.URL.Path))
	}))
	mux.Handle("/ws", r.authorized(methods{http.MethodGet: r.sameOrigin(r.socket)}.ServeHTTP))
	mux.Handle("/metrics", r.authorized(methods{http.MethodGet: r.getMetrics}.ServeHTTP))
	mux.Handle("/healthz", methods{http.MethodGet: r.getHealth})
	mux.Handle("/readyz", methods{http.MethodGet: r.getReady})
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
	r.log.Error("request panicked", "method", req.Method, "path", req.URL.Path,
		"error", fmt.Sprintf("%v\n\n%s", value, debug.Stack()))
	fail(w, http.StatusInternalServerError, "internal error; see the server log")
}

// authorized lets in who knows the token.
func (r *run) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !r.guard.knows(req) {
			if !r.limits.guesses.Allow() {
				fail(w, http.StatusTooManyRequests, "too many requests without a valid token; try again in a second")
				return
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "a token is required: send dashboard.token of config.yaml as Authorization: Bearer …")
			return
		}
		next(w, req)
	}
}

// sameOrigin lets in programs and our own page.
func (r *run) sameOrigin(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if no := r.guard.origin(req); no.is() {
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
			fail(w, http.StatusTooManyRequests, "too many requests; try again in a second")
			return
		}
		if no := r.guard.contentType(req.Header.Get("Content-Type")); no.is() {
			fail(w, no.status, no.why)
			return
		}
		next(w, req)
	})
}
