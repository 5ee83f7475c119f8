package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// SessionLength is how long a session lasts after the login.
const SessionLength = 7 * 24 * time.Hour

const (
	maxSession = 1 << 10 // bytes of a cookie that is looked at
	kindUser   = "user"
	kindToken  = "token"
)

// sealed is what a cookie holds: signed, and not secret. Print is of the
// password's hash, or of the token: with another one the session ends.
type sealed struct {
	Kind  string `json:"k"`
	Name  string `json:"n"`
	End   int64  `json:"e"` // seconds since the epoch
	Print string `json:"p"`
}

var encoding = base64.RawURLEncoding

func derive(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return mac.Sum(nil)
}

// print is of a secret; nothing can be learned from it without the key.
func (g *Guard) print(kind, name, secret string) string {
	return encoding.EncodeToString(derive(g.key, "print", kind, name, secret)[:16])
}

func (g *Guard) seal(kind, name, secret string, end time.Time) string {
	content, _ := json.Marshal(sealed{kind, name, end.Unix(), g.print(kind, name, secret)}) // of strings and a number
	text := encoding.EncodeToString(content)
	return text + "." + encoding.EncodeToString(derive(g.key, "session", text))
}

// session is whose session a cookie is. The role is that of the configuration now.
func (g *Guard) session(cookie string, now time.Time) (Person, Refusal) {
	text, signature, _ := strings.Cut(cookie, ".")
	given, err := encoding.DecodeString(signature)
	if len(cookie) > maxSession || err != nil || !hmac.Equal(given, derive(g.key, "session", text)) {
		return Person{}, Ended
	}
	var s sealed
	content, err := encoding.DecodeString(text)
	if err != nil || json.Unmarshal(content, &s) != nil || !now.Before(time.Unix(s.End, 0)) {
		return Person{}, Ended
	}
	p := Person{Name: s.Name, Until: time.Unix(s.End, 0), Signed: true}
	same := func(kind, secret string) bool {
		return s.Kind == kind && hmac.Equal([]byte(s.Print), []byte(g.print(kind, s.Name, secret)))
	}
	for _, u := range g.config.Users {
		if u.Name == s.Name && same(kindUser, u.Password) {
			p.Role = u.Role
			return p, Admitted
		}
	}
	for _, t := range g.tokens {
		if owner, refusal := t.person(now); t.Name == s.Name && refusal == Admitted && same(kindToken, t.Token) {
			p.Role = owner.Role
			return p, Admitted
		}
	}
	return Person{}, Ended
}

// CookieName is that of a session's cookie. Over TLS its prefix has the browser
// refuse one that another site of the same domain, or a page without TLS, sets.
func (g *Guard) CookieName(req *http.Request) string {
	switch {
	case !g.Secure(req):
		return "logstream"
	case g.config.BasePath == "":
		return "__Host-logstream"
	}
	return "__Secure-logstream"
}

// Cookie is the cookie of a session until end; an empty session removes it.
// SameSite is Lax, because with Strict a person who follows a notification's
// link would have to log in again; each change also checks the origin.
func (g *Guard) Cookie(req *http.Request, session string, end time.Time) *http.Cookie {
	c := &http.Cookie{Name: g.CookieName(req), Value: session, Path: g.config.BasePath + "/", Expires: end,
		HttpOnly: true, Secure: g.Secure(req), SameSite: http.SameSiteLaxMode}
	if session == "" {
		c.MaxAge, c.Expires = -1, time.Unix(1, 0)
	}
	return c
}
