// Package access decides who sends a request: a Config and a request give a
// Person, or why there is none. It is pure but for the keys that it was made
// with: it keeps no session, so that a restart ends none.
//
// The ways to be known, in the order in which they are looked for:
//
//  1. A token as a bearer, or for a WebSocket, where a page can set no header,
//     as a subprotocol: dashboard.token, which is an operator's, or one of
//     dashboard.tokens, with its own role and end. A token that is sent decides
//     alone, so that no other credential hides that tokens are tried out.
//  2. The header of a trusted proxy. It counts only on a connection from an
//     address of proxy.from; from anywhere else it is as if it were not there.
//  3. The cookie of a session, which the login page gives.
//
// Where no way is configured, everyone is an operator: then only this machine
// can connect, and only by a loopback name.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Role is what a person may do.
type Role string

const (
	Anyone   Role = ""         // needs no credential
	Viewer   Role = "viewer"   // reads
	Proposer Role = "proposer" // reads, and proposes repairs, which an operator approves
	Operator Role = "operator" // reads, and sends commands
)

// May says whether r is enough for what needs the other.
func (r Role) May(need Role) bool {
	return need == Anyone || r == Operator || r == need || r == Proposer && need == Viewer
}

// Person is who sends a request.
type Person struct {
	Name   string // empty: a token without a name, or no credential is needed
	Role   Role
	Until  time.Time // from then on the credential counts no longer; zero: no end
	Signed bool      // by a session, which can be ended
}

// Refusal is why a request has no Person.
type Refusal int

const (
	Admitted Refusal = iota
	Missing          // no credential was sent
	Wrong            // a token that is none: it may be a guess
	Expired          // a token that was one
	Ended            // a session that has ended, or whose password was changed
)

// Guard knows persons. Make one with New.
type Guard struct {
	config Config
	tokens []Token // dashboard.token is the first, with no name, if there is one
	sums   [][sha256.Size]byte
	from   []netip.Prefix
	key    []byte
}

// New is a guard for c, which has no Problems. secret signs the sessions: the
// same secret knows them after a restart.
func New(c Config, secret []byte) *Guard {
	g := &Guard{config: c, key: derive(secret, "logstream: sessions of the dashboard")}
	if c.Token != "" {
		g.tokens = append(g.tokens, Token{Token: c.Token, Role: Operator})
	}
	g.tokens = append(g.tokens, c.Tokens...)
	for _, t := range g.tokens {
		g.sums = append(g.sums, sha256.Sum256([]byte(t.Token)))
	}
	for _, from := range c.Proxy.From {
		if prefix, err := parsePrefix(from); err == nil {
			g.from = append(g.from, prefix)
		}
	}
	return g
}

// Open says that no credential is needed, for none is configured.
func (g *Guard) Open() bool { return !g.config.Guarded() }

// Who is the person that sends req.
func (g *Guard) Who(req *http.Request, now time.Time) (Person, Refusal) {
	if g.Open() {
		return Person{Role: Operator}, Admitted
	}
	if sent, is := sentToken(req); is {
		return g.bearer(sent, now)
	}
	if p, is := g.proxied(req); is {
		return p, Admitted
	}
	if cookie, err := req.Cookie(g.CookieName(req)); err == nil {
		return g.session(cookie.Value, now)
	}
	return Person{}, Missing
}

// bearer is whose token was sent. Every token is compared, each in constant
// time, whatever its length.
func (g *Guard) bearer(sent string, now time.Time) (Person, Refusal) {
	sum, found := sha256.Sum256([]byte(sent)), -1
	for i := range g.sums {
		if subtle.ConstantTimeCompare(sum[:], g.sums[i][:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Person{}, Wrong
	}
	return g.tokens[found].person(now)
}

func (t Token) person(now time.Time) (Person, Refusal) {
	if t.Ended(now) {
		return Person{}, Expired
	}
	end, _ := t.end() // it was validated
	return Person{Name: t.Name, Role: t.Role, Until: end}, Admitted
}

// SendsToken says whether req carries a token, right or wrong. What needs no role
// must not say which: wrong ones are counted where one is needed.
func SendsToken(req *http.Request) bool {
	_, is := sentToken(req)
	return is
}

// sentToken is the token that req carries, wrong or not.
func sentToken(req *http.Request) (string, bool) {
	if scheme, given, _ := strings.Cut(req.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(given), true
	}
	for _, list := range req.Header.Values("Sec-WebSocket-Protocol") {
		for item := range strings.SplitSeq(list, ",") {
			if encoded, is := strings.CutPrefix(strings.TrimSpace(item), "token."); is {
				token, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
				return string(token), err == nil || encoded != ""
			}
		}
	}
	return "", false
}

// compare is what takes the time of a login.
var compare = bcrypt.CompareHashAndPassword

// MaxPassword is how much of a password bcrypt reads, in bytes.
const MaxPassword = 72

// Login is the session of the user of that name, where the password is theirs. A
// name that no user has takes as long as one that a user has, where all hashes
// have one cost.
func (g *Guard) Login(name, password string, now time.Time) (session string, end time.Time, is bool) {
	if len(g.config.Users) == 0 || len(password) > MaxPassword {
		return "", time.Time{}, false
	}
	user, known := g.config.Users[0], false
	for _, u := range g.config.Users {
		if u.Name == name {
			user, known = u, true
		}
	}
	right := compare([]byte(user.Password), []byte(password)) == nil
	if !right || !known {
		return "", time.Time{}, false
	}
	end = now.Add(SessionLength)
	return g.seal(kindUser, user.Name, user.Password, end), end, true
}

// LoginToken is a session for who has a token.
func (g *Guard) LoginToken(token string, now time.Time) (session string, end time.Time, is bool) {
	p, refusal := g.bearer(token, now)
	if refusal != Admitted {
		return "", time.Time{}, false
	}
	end = now.Add(SessionLength)
	if !p.Until.IsZero() && p.Until.Before(end) {
		end = p.Until
	}
	return g.seal(kindToken, p.Name, token, end), end, true
}
