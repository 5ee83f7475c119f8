package dashboard

import (
	"context"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"logstream/dashboard/access"
)

// Bounds on what is asked for. All callers share them: they protect Kafka.
const (
	commandRate, commandBurst = 10, 40   // a second; changes by people
	proposeRate, proposeBurst = 0.2, 20  // a second; proposals by programs: they take nothing from what people send
	linkRate, linkBurst       = 5, 30    // a second; signed links that are opened
	oneLinkRate, oneLinkBurst = 0.5, 15  // a second; of one of them
	publicRate, publicBurst   = 50, 200  // a second; badges and the status page
	healthRate, healthBurst   = 100, 400 // a second; observations by programs
	searchRate, searchBurst   = 20, 60   // a second; text searches of incidents, which occupy the loop
	maxConnections            = 4096     // open at a time, without WebSockets
	maxHashing                = 2        // passwords that are compared at a time: each costs a good part of a second
)

type limits struct {
	commands, health, proposals *rate.Limiter
	attempts                    *access.Attempts // wrong tokens, and logins

	links, wrongLinks, public, searches *rate.Limiter

	link *access.Each[string] // each signed link, by its id

	probes      chan struct{} // holds one for each check under way
	hashing     chan struct{} // and one for each password that is compared
	notifyTests chan struct{} // and one while test messages are sent

	connections int // that are open at a time

	result time.Duration // for which the page of a link waits for the result of its command, or for a request that it has not read yet
}

func newLimits() *limits {
	return &limits{
		commands: rate.NewLimiter(commandRate, commandBurst),
		health:   rate.NewLimiter(healthRate, healthBurst), proposals: rate.NewLimiter(proposeRate, proposeBurst),
		attempts: access.NewAttempts(),
		links:    rate.NewLimiter(linkRate, linkBurst), wrongLinks: rate.NewLimiter(linkRate, linkBurst), public: rate.NewLimiter(publicRate, publicBurst),
		searches:    rate.NewLimiter(searchRate, searchBurst),
		link:        access.NewEach[string](oneLinkRate, oneLinkBurst),
		probes:      make(chan struct{}, maxProbes),
		hashing:     make(chan struct{}, maxHashing),
		notifyTests: make(chan struct{}, 1),
		connections: maxConnections,
		result:      resultWithin,
	}
}

// refusal is why a request is not let in; the zero value lets it in.
type refusal struct {
	status int
	why    string
}

func (f refusal) is() bool { return f.status != 0 }

// guard decides who may call. The page can stop containers, and a browser on
// this machine visits foreign pages: those must be able to do nothing.
//
//   - Host: see host. A foreign name that is made to lead here (DNS rebinding) is
//     refused.
//   - Who it is, and whether that person's role is enough: access.Guard.
//   - Origin and Sec-Fetch-Site: on every change, on a login, and on the
//     WebSocket, a browser says where it comes from, and a foreign page can't
//     forge that.
//   - Content-Type: a change is application/json, which a foreign page can't
//     send without being asked about first.
type guard struct {
	*access.Guard
	names       []string // by which we may be reached, beside those of this machine
	strict      bool     // no other name may lead here
	byAddress   bool     // an address may, in place of a name
	crossOrigin *http.CrossOriginProtection
}

func newGuard(c Config, secret []byte) guard {
	g := guard{Guard: access.New(c.access(), secret), crossOrigin: http.NewCrossOriginProtection()}
	name, _, _ := net.SplitHostPort(c.Listen)
	for _, own := range append([]string{name}, c.Hosts...) {
		if own != "" {
			g.names = append(g.names, strings.ToLower(own))
		}
	}
	if public, err := url.Parse(c.PublicURL); err == nil && public.Host != "" {
		g.names = append(g.names, strings.ToLower(public.Hostname()))
		_ = g.crossOrigin.AddTrustedOrigin(public.Scheme + "://" + public.Host) // behind a proxy that sends another Host; it was validated
	}
	g.strict = g.Open() || c.Proxy.Header != "" || len(c.Hosts) > 0
	g.byAddress = !g.Open()
	return g
}

// host decides about the Host header.
//
//   - Without any credential only loopback names of any port (it may have been
//     forwarded) and those that are configured.
//   - With a token or users, any name, unless dashboard.hosts lists some: nothing
//     is given out without a credential, and a browser sends neither the token by
//     itself nor the cookie to another name.
//   - Where a proxy's header is believed, no foreign name: a page that leads its own
//     name here could send that header, from a browser beside the proxy. An address
//     in place of a name leads nowhere else, and is let in.
func (g guard) host(host string) refusal {
	if !g.strict || g.ours(host) {
		return refusal{}
	}
	return refusal{http.StatusForbidden, "request refused: the Host header names another site; use an address of this machine, such as 127.0.0.1, or add the name to dashboard.hosts in config.yaml"}
}

func (g guard) ours(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if name == "localhost" || slices.Contains(g.names, name) {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && (g.byAddress || address.Unmap().IsLoopback())
}

// origin decides whether a browser sent req from the page of another site. A
// program sends neither Origin nor Sec-Fetch-Site and is let in. A WebSocket
// opens with a GET, which the check would let pass from everywhere.
func (g guard) origin(req *http.Request) refusal {
	change := *req
	change.Method = http.MethodPost
	if g.crossOrigin.Check(&change) != nil {
		return refusal{http.StatusForbidden, "request refused: it comes from a page of another site (see Origin and Sec-Fetch-Site)"}
	}
	return refusal{}
}

// contentType decides about the Content-Type header of a change.
func (g guard) contentType(value string) refusal {
	if media, _, err := mime.ParseMediaType(value); err != nil || media != "application/json" {
		return refusal{http.StatusUnsupportedMediaType, "send Content-Type: application/json"}
	}
	return refusal{}
}

// personKey is where a request's context has its Person.
type personKey struct{}

// person is who sends req, as authorized found.
func person(req *http.Request) access.Person {
	p, _ := req.Context().Value(personKey{}).(access.Person)
	return p
}

func withPerson(req *http.Request, p access.Person) *http.Request {
	return req.WithContext(context.WithValue(req.Context(), personKey{}, p))
}

// unknownPerson are the answers to a request without a valid credential.
var unknownPerson = map[access.Refusal]string{
	access.Missing: "a token is required: send dashboard.token of config.yaml as Authorization: Bearer …",
	access.Wrong:   "this token is not valid: send dashboard.token of config.yaml, or one of dashboard.tokens, as Authorization: Bearer …",
	access.Expired: "this token has expired: an operator can extend it in dashboard.tokens of config.yaml",
	access.Ended:   "the session has ended: log in again",
}

func (r *run) unknown(refused access.Refusal) string {
	c := r.deps.Config
	switch tokens := c.Token != "" || len(c.Tokens) > 0; {
	case refused == access.Missing && len(c.Users) > 0:
		return "a login is required: open " + c.BasePath + "/login, or send a token as Authorization: Bearer …"
	case refused == access.Missing && !tokens:
		return "this request names no person: open the page through the proxy that dashboard.proxy in config.yaml names"
	}
	return unknownPerson[refused]
}

// authorized lets in who has the role that next needs, and says to it who that is.
func (r *run) authorized(need func(method string) access.Role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		p, refused := r.guard.Who(req, now())
		role := need(req.Method)
		if refused != access.Admitted && role != access.Anyone {
			if refused == access.Wrong && !r.attempt(req) {
				tooManyAttempts(w)
				return
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			reply(w, http.StatusUnauthorized, failure{Error: r.unknown(refused), Login: r.loginPage()})
			return
		}
		if !p.Role.May(role) {
			failf(w, http.StatusForbidden, "your role is %s; this needs the role %s", p.Role, role)
			return
		}
		next(w, withPerson(req, p))
	}
}

// attempt counts a wrong token or a login, and says whether it may be made.
func (r *run) attempt(req *http.Request) bool {
	return r.limits.attempts.Allow(r.guard.Address(req), now())
}

func tooManyAttempts(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	fail(w, http.StatusTooManyRequests, "too many requests without a valid token; try again in a few seconds")
}

// loginPage is where people log in; empty where there are none to.
func (r *run) loginPage() string {
	if len(r.deps.Config.Users) == 0 {
		return ""
	}
	return "/login"
}
