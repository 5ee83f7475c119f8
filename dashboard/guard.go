package dashboard

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"strings"

	"golang.org/x/time/rate"
)

// Bounds on what is asked for. All callers share them: they protect Kafka.
const (
	commandRate, commandBurst = 10, 40   // a second; changes by people
	healthRate, healthBurst   = 100, 400 // a second; observations by programs
	guessRate, guessBurst     = 1, 20    // a second; wrong tokens
)

type limits struct {
	commands, health, guesses *rate.Limiter

	probes chan struct{} // holds one for each check under way
}

func newLimits() *limits {
	return &limits{
		commands: rate.NewLimiter(commandRate, commandBurst),
		health:   rate.NewLimiter(healthRate, healthBurst),
		guesses:  rate.NewLimiter(guessRate, guessBurst),
		probes:   make(chan struct{}, maxProbes),
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
//   - Host: without a token only loopback names, of any port (it may have been
//     forwarded), so that a foreign name that is made to lead here (DNS
//     rebinding) is refused. With a token any name may lead here, for nothing
//     but the page's own files is given out without the token, which a browser
//     never sends by itself.
//   - Origin and Sec-Fetch-Site: on every change, and on the WebSocket, a browser
//     says where it comes from, and a foreign page can't forge that.
//   - Content-Type: a change is application/json, which a foreign page can't
//     send without being asked about first.
type guard struct {
	token [sha256.Size]byte // of the token
	open  bool              // there is none
	name  string            // that was configured to listen on

	crossOrigin *http.CrossOriginProtection
}

func newGuard(c Config) guard {
	name, _, _ := net.SplitHostPort(c.Listen)
	return guard{token: sha256.Sum256([]byte(c.Token)), open: c.Token == "", name: name, crossOrigin: http.NewCrossOriginProtection()}
}

// host decides about the Host header.
func (g guard) host(host string) refusal {
	if !g.open || loopback(host, g.name) {
		return refusal{}
	}
	return refusal{http.StatusForbidden, "request refused: the Host header names another site; use an address of this machine, such as 127.0.0.1"}
}

func loopback(host, configured string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if name == "localhost" || configured != "" && name == strings.ToLower(configured) {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
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

// knows says whether req carries the token, if there is one: as a bearer, or
// for a WebSocket, where a page can set no header, as a subprotocol.
func (g guard) knows(req *http.Request) bool {
	if g.open {
		return true
	}
	scheme, given, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") && g.same(strings.TrimSpace(given)) {
		return true
	}
	for _, list := range req.Header.Values("Sec-WebSocket-Protocol") {
		for item := range strings.SplitSeq(list, ",") {
			encoded, is := strings.CutPrefix(strings.TrimSpace(item), "token.")
			if !is {
				continue
			}
			token, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
			if err == nil && g.same(string(token)) {
				return true
			}
		}
	}
	return false
}

// same compares in constant time, whatever the length.
func (g guard) same(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}
