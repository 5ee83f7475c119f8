package access

import (
	"fmt"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"logstream/internal/service"
)

// Config is who may enter, and as what.
type Config struct {
	Token    string // an operator's
	Tokens   []Token
	Users    []User
	Proxy    Proxy
	BasePath string // of the page, without a slash at its end
}

// User is a person who logs in.
type User struct {
	Name         string `yaml:"name"`          // recorded with each command
	Password     string `yaml:"password"`      // a bcrypt hash, as logstream password prints it
	PasswordFile string `yaml:"password_file"` // a file with the hash, instead
	Role         Role   `yaml:"role"`          // viewer, proposer or operator
}

// Token is what a program sends.
type Token struct {
	Name      string `yaml:"name"`       // recorded with each command
	Token     string `yaml:"token"`      // 16 or more characters
	TokenFile string `yaml:"token_file"` // a file with the token, instead
	Role      Role   `yaml:"role"`       // viewer, proposer or operator
	Expires   string `yaml:"expires"`    // a date such as 2027-06-30 (from 00:00 UTC), or an instant such as 2027-06-30T12:00:00Z; default: never
}

// Proxy is one before LogStream that knows who a person is. It must remove the
// header from what clients send.
type Proxy struct {
	From         []string `yaml:"from"`          // its addresses or networks, such as 172.18.0.0/16: only from there its headers count
	Header       string   `yaml:"header"`        // the header that names the person, such as Remote-User; default: none
	GroupsHeader string   `yaml:"groups_header"` // the header that names the person's groups; default Remote-Groups
	Operators    string   `yaml:"operators"`     // the group whose members are operators, or "*" for everyone; the others are viewers
}

// GroupsHeader is the default: Authelia's.
const GroupsHeader = "Remote-Groups"

// Guarded says that there is a credential without which no one enters.
func (c Config) Guarded() bool {
	return c.Token != "" || len(c.Tokens) > 0 || len(c.Users) > 0 || len(c.Proxy.From) > 0 && c.Proxy.Header != ""
}

const (
	minToken         = 16     // characters
	minCost, maxCost = 10, 14 // of bcrypt: 14 takes a second or more
)

var roles = []string{string(Viewer), string(Proposer), string(Operator)}

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, service.Problem{Key: key, Value: value, Message: fmt.Sprintf(format, args...)})
	}
	if c.Token != strings.TrimSpace(c.Token) || strings.ContainsAny(c.Token, "\r\n") {
		add("token", "***", "begins or ends with white space, or holds a line break")
	}
	names, tokens := []string{}, []string{c.Token}
	name := func(key, of string) {
		switch {
		case of == "" || Name(of) != of:
			add(key+".name", of, "must be 1 to %d letters, digits, spaces and . _ - @ +", maxName)
		case slices.Contains(names, of):
			add(key+".name", of, "is already the name of another user or token: names must be unique")
		}
		names = append(names, of)
	}
	role := func(key string, of Role) {
		if !slices.Contains(roles, string(of)) {
			add(key+".role", string(of), "must be viewer, proposer or operator")
		}
	}
	for i, u := range c.Users {
		key := fmt.Sprintf("users[%d]", i)
		name(key, u.Name)
		role(key, u.Role)
		cost, err := bcrypt.Cost([]byte(u.Password))
		switch {
		case u.Password == "":
			add(key+".password", "", "is missing: print a hash with logstream password")
		case err != nil:
			add(key+".password", "***", "is not a bcrypt hash: print one with logstream password")
		case cost < minCost || cost > maxCost:
			add(key+".password", "***", "is a bcrypt hash of cost %d; it must be from %d to %d: print one with logstream password", cost, minCost, maxCost)
		}
	}
	for i, t := range c.Tokens {
		key := fmt.Sprintf("tokens[%d]", i)
		name(key, t.Name)
		role(key, t.Role)
		switch {
		case t.Token == "":
			add(key+".token", "", "is missing: create one with openssl rand -hex 16")
		case len(t.Token) < minToken || strings.ContainsFunc(t.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
			add(key+".token", "***", "must be %d or more printable characters without spaces", minToken)
		case slices.Contains(tokens, t.Token):
			add(key+".token", "***", "is already another token: each needs its own")
		}
		tokens = append(tokens, t.Token)
		if _, err := t.end(); err != nil {
			add(key+".expires", t.Expires, "is neither a date such as 2027-06-30 nor an instant such as 2027-06-30T12:00:00Z")
		}
	}
	return append(all, c.Proxy.problems()...)
}

func (p Proxy) problems() []service.Problem {
	var all []service.Problem
	add := func(key, value, message string) {
		all = append(all, service.Problem{Key: "proxy." + key, Value: value, Message: message})
	}
	for _, from := range p.From {
		switch prefix, err := parsePrefix(from); {
		case err != nil:
			add("from", from, "is neither an address nor a network, such as 172.18.0.0/16")
		case prefix.Addr().Is4In6():
			add("from", from, "is IPv4 written as IPv6 and matches no address; write it as IPv4, such as 172.18.0.0/16")
		case prefix.Bits() < widest(prefix.Addr()):
			add("from", from, fmt.Sprintf("is wider than /%d: any program in it could claim any name in the header; give the address of the proxy", widest(prefix.Addr())))
		}
	}
	for _, of := range []struct{ key, header string }{{"header", p.Header}, {"groups_header", p.GroupsHeader}} {
		if of.header != "" && (strings.ContainsFunc(of.header, notOfHeader) || slices.Contains(otherHeaders, textproto.CanonicalMIMEHeaderKey(of.header))) {
			add(of.key, of.header, "is not a header that can name a person, such as Remote-User")
		}
	}
	if p.Header != "" && strings.EqualFold(p.Header, p.GroupsHeader) {
		add("groups_header", p.GroupsHeader, "is also the header that names the person, so a person with the name of the group would be an operator; use two headers, such as Remote-User and "+GroupsHeader)
	}
	if len(p.From) == 0 && (p.Header != "" || p.Operators != "") {
		add("from", "", "is missing: without the proxy's address its header does not count")
	}
	if p.Operators != "" && p.Header == "" {
		add("header", "", "is missing: it is the header that names the person; the groups alone let in no one")
	}
	return all
}

// widest is the shortest prefix of a network that may be a proxy's.
func widest(of netip.Addr) int {
	if of.Is4() {
		return 8
	}
	return 16
}

// otherHeaders mean something else.
var otherHeaders = []string{"Authorization", "Cookie", "Host", "Origin", "X-Forwarded-For", "X-Forwarded-Proto"}

func notOfHeader(r rune) bool {
	return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// Ended says whether a token that is valid otherwise counts no longer.
func (t Token) Ended(now time.Time) bool {
	end, _ := t.end()
	return !end.IsZero() && !now.Before(end)
}

// end is from when a token counts no longer; zero: never.
func (t Token) end() (time.Time, error) {
	if t.Expires == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, t.Expires); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, t.Expires)
}
