package dashboard

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/time/rate"

	"logstream/dashboard/access"
	"logstream/internal/event"
)

// contentPolicy lets the page load its own files and talk to us, and nothing
// else.
const contentPolicy = "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// endpoint is what one method of a path does, and the role that it needs.
type endpoint struct {
	need   access.Role
	answer http.HandlerFunc
}

// methods are what one path answers. Another method is 405.
type methods map[string]endpoint

func (m methods) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	if end, is := m[method]; is {
		end.answer(w, req)
		return
	}
	allowed := slices.Collect(maps.Keys(m))
	if _, is := m[http.MethodGet]; is {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	notAllowed(w, req, allowed...)
}

// need is the role for a method. What is not there needs as much as the least of
// what is: an unknown path or method is answered to those who may read.
func (m methods) need(method string) access.Role {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if end, is := m[method]; is {
		return end.need
	}
	least := access.Viewer
	for _, end := range m {
		if end.need == access.Anyone {
			least = access.Anyone
		}
	}
	return least
}

func notAllowed(w http.ResponseWriter, req *http.Request, allowed ...string) {
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	failf(w, http.StatusMethodNotAllowed, "%s does not allow the method %s; it allows %s", short(req.URL.Path), short(req.Method), list)
}

// read is a path that viewers may read.
func read(answer http.HandlerFunc) methods {
	return methods{http.MethodGet: {access.Viewer, answer}}
}

// api are the calls of the API, by path.
func (r *run) api() map[string]methods {
	command := func(answer http.HandlerFunc) endpoint {
		return endpoint{access.Operator, r.changing(r.limits.commands, tooManyRequests, answer)}
	}
	return map[string]methods{
		"/api/v1/services":                   read(r.getServices),
		"/api/v1/services/{name}":            read(r.getService),
		"/api/v1/services/{name}/history":    read(r.getHistory),
		"/api/v1/services/{name}/logs":       read(r.getLogs),
		"/api/v1/services/{name}/container":  read(r.getContainer),
		"/api/v1/services/{name}/silence":    {http.MethodPost: command(r.postSilence), http.MethodDelete: command(r.deleteSilence)},
		"/api/v1/services/{name}/heal":       {http.MethodPost: command(r.postHeal)},
		"/api/v1/services/{name}/propose":    {http.MethodPost: {access.Proposer, r.changing(r.limits.proposals, tooManyProposals, r.postPropose)}},
		"/api/v1/services/{name}/chaos":      {http.MethodPost: command(r.postChaos)},
		"/api/v1/chaos":                      read(r.getChaos),
		"/api/v1/incidents":                  read(r.getIncidents),
		"/api/v1/incidents/{id}":             read(r.getIncident),
		"/api/v1/incidents/{id}/approve":     {http.MethodPost: command(r.postAnswer(event.CommandApprove))},
		"/api/v1/incidents/{id}/deny":        {http.MethodPost: command(r.postAnswer(event.CommandDeny))},
		"/api/v1/incidents/{id}/undo":        {http.MethodPost: command(r.postUndo)},
		"/api/v1/incidents/{id}/acknowledge": {http.MethodPost: command(r.postAcknowledge)},
		"/api/v1/incidents/{id}/note":        {http.MethodPost: command(r.postNote)},
		"/api/v1/hold":                       {http.MethodPost: command(r.postHold), http.MethodDelete: command(r.deleteHold)},
		"/api/v1/commands":                   read(r.getCommands),
		"/api/v1/commands/{id}":              read(r.getCommand),
		"/api/v1/health-logs":                {http.MethodPost: {access.Operator, r.changing(r.limits.health, tooManyRequests, r.postHealthLogs)}},
		"/api/v1/probe":                      {http.MethodPost: command(r.postProbe)},
		"/api/v1/definition":                 {http.MethodPost: command(r.postDefinition)},
		"/api/v1/notify/test":                {http.MethodPost: command(r.postNotifyTest)},
		"/api/v1/info":                       read(r.getInfo),
		"/api/v1/summary":                    read(r.getSummary),
		"/api/v1":                            read(r.getCalls),
		"/api/v1/openapi.json":               read(r.getOpenAPI),
	}
}

// others are the paths that are not the API's. Here belongs what needs no role,
// or a credential of its own, such as a signed link.
func (r *run) others() map[string]methods {
	public := func(answer http.HandlerFunc) methods { return methods{http.MethodGet: {access.Anyone, answer}} }
	return map[string]methods{
		socketPath: read(r.socket),
		"/metrics": r.openable("metrics", read(r.getMetrics)),
		"/healthz": public(r.getHealth),
		"/readyz":  public(r.getReady),
		"/login":   {http.MethodGet: {access.Anyone, r.getLogin}, http.MethodPost: {access.Anyone, r.sameOrigin(r.postLogin)}},
		"/logout":  {http.MethodPost: {access.Anyone, r.sameOrigin(r.postLogout)}},
	}
}

// openable needs no role where dashboard.open has the name.
func (r *run) openable(name string, m methods) methods {
	if slices.Contains(r.deps.Config.Open, name) {
		for method, end := range m {
			m[method] = endpoint{access.Anyone, end.answer}
		}
	}
	return m
}

// table is every address but the page's own files, with the role that each
// method needs: the one place that says so.
func (r *run) table() map[string]methods {
	all := map[string]methods{}
	for _, part := range []map[string]methods{r.api(), r.hooks(), r.others(), r.acts(), r.published()} {
		maps.Copy(all, part)
	}
	return all
}

// socketPath is that of the WebSocket: the one address at which the page of another
// site can send a token.
const socketPath = "/ws"

// routes is every address that is answered, from the outside in: headers and
// Host for all, then who it is and whether the role is enough, then the method,
// and origin, rate and type for what changes anything.
func (r *run) routes() http.Handler {
	mux := http.NewServeMux()
	for path, answers := range r.table() {
		handler := r.authorized(answers.need, answers.ServeHTTP)
		if path == socketPath {
			handler = r.sameOrigin(handler) // before its token, which any page could try out
		}
		mux.Handle(path, handler)
	}
	mux.Handle("/api/", r.authorized(methods(nil).need, func(w http.ResponseWriter, req *http.Request) {
		failf(w, http.StatusNotFound, "unknown call %s %s", short(req.Method), short(req.URL.Path))
	}))
	mux.HandleFunc("/", r.pages.serve)
	return r.outermost(r.below(mux))
}

// below lets next see addresses without the base path. They are served without it
// as well: a proxy may have removed it, or not.
func (r *run) below(next http.Handler) http.Handler {
	base := r.deps.Config.BasePath
	if base == "" {
		return next
	}
	stripped := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.URL.Path == base:
			to := url.URL{Path: base + "/", RawQuery: req.URL.RawQuery}
			http.Redirect(w, req, to.String(), http.StatusPermanentRedirect)
		case strings.HasPrefix(req.URL.Path, base+"/"):
			if to := cleaned(req.URL); to != req.URL.EscapedPath() {
				if req.URL.RawQuery != "" {
					to += "?" + req.URL.RawQuery
				}
				http.Redirect(w, req, to, http.StatusTemporaryRedirect)
				return
			}
			stripped.ServeHTTP(w, req)
		default:
			next.ServeHTTP(w, req)
		}
	})
}

// cleaned is an address without // and dots. net/http leads there, too, but from
// below the base path to what is beside it, which is another program's.
func cleaned(of *url.URL) string {
	escaped := of.EscapedPath()
	clean := path.Clean(escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// outermost is around everything.
func (r *run) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer r.recovered(w, req)
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if age := r.deps.Config.TLS.HSTS; age > 0 && req.TLS != nil {
			h.Set("Strict-Transport-Security", fmt.Sprintf("max-age=%d", int(age.Seconds())))
		}
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

// tooMany is what is answered beyond a limit: when one more is allowed, and why not now.
type tooMany struct {
	retryAfter int // seconds
	why        string
}

var (
	tooManyRequests  = tooMany{1, "too many requests; try again in a second"}
	tooManyProposals = tooMany{5, "too many proposals; try again in 5 seconds"}
)

func (t tooMany) fail(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(t.retryAfter))
	fail(w, http.StatusTooManyRequests, t.why)
}

// changing lets through what may change something.
func (r *run) changing(limit *rate.Limiter, beyond tooMany, next http.HandlerFunc) http.HandlerFunc {
	return r.sameOrigin(r.throttled(limit, beyond, next))
}

// throttled lets through as much as the limit allows, of the types that are read.
func (r *run) throttled(limit *rate.Limiter, beyond tooMany, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !limit.Allow() {
			beyond.fail(w)
			return
		}
		if no := r.guard.contentType(req.Header.Get("Content-Type")); no.is() {
			fail(w, no.status, no.why)
			return
		}
		next(w, req)
	}
}
