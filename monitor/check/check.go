// Package check checks a service once, in the way that its url asks for: one
// file for each kind, one entry in Kinds. It publishes nothing, and knows
// neither schedules nor thresholds.
package check

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// Checker checks one service. Its methods are called by one goroutine at a
// time. After Close it keeps no connection and no goroutine; one that waits for
// the kernel, which dials or reads a file system, ends with the answer.
type Checker interface {
	// Check runs once, and returns within the service's timeout.
	Check(ctx context.Context) Observation
	// Fresh makes the next check open a new connection.
	Fresh()
	// Close gives back what is kept between checks.
	Close()
}

// Observation is what one check saw.
type Observation struct {
	Began   time.Time
	Took    time.Duration
	Status  event.Status  // Up, Degraded or Down
	Code    int           // of HTTP; 0: no answer
	Failure event.Failure // why it is not Up
	Error   string        // the same in one sentence
	Unknown error         // the check could not be made, for a reason of this machine's own: nothing was seen
	Detail  []Detail      // with Env.Detail: what a person who asked for this check wants to see beside it, bounded and redacted
}

// Detail is one line about a check: an address, a header, an answer.
type Detail struct{ Key, Value string }

// Env is what checks take from their surroundings. The zero value is this
// machine's own resolver and authorities.
type Env struct {
	Version  string // of logstream, for the User-Agent
	Resolver *net.Resolver
	Roots    *x509.CertPool
	Detail   bool // observations carry their detail, which costs time: for a person who asked
	Discreet bool // nothing of what an answer holds is said: for a definition that came over the network
	// Address (host:port) is dialled in place of the url's own; the names in
	// requests and certificates stay those of the url. Empty: the url's.
	Address string
}

// redirected is what is dialled for an address: another one for that of the url.
func (t target) redirected(address string) string {
	if t.env.Address != "" && address == t.address {
		return t.env.Address
	}
	return address
}

// ErrNotAt says that this kind of check cannot be made at another address.
var ErrNotAt = errors.New("this kind of check is not made at another address than its url's")

// At checks a service once at another address (host:port) than its url's.
func At(ctx context.Context, def service.Definition, env Env, address string) (Observation, error) {
	kind, is := Of(def.URL)
	if !is || !slices.Contains([]string{"http", "tcp", "tls", "ws", "redis"}, kind.Name) {
		return Observation{}, ErrNotAt
	}
	env.Address = address
	checker := kind.New(def, env)
	defer checker.Close()
	seen := checker.Check(ctx)
	return seen, seen.Unknown
}

func (e Env) agent() string { return "logstream/" + e.Version }

// Kind is a way to check a service.
type Kind struct {
	Name    string   // as records have it in check
	Schemes []string // of the urls that ask for it
	Example string   // such a url
	// Problems are what is wrong with a definition of this kind; nil: nothing
	// beside what holds for every kind.
	Problems func(def service.Definition, u *url.URL) []service.Problem
	New      func(def service.Definition, env Env) Checker
	Local    bool // it reads this machine's files: not for a definition that came over the network
}

// Kinds are all ways to check a service.
var Kinds = []Kind{
	{Name: "http", Schemes: []string{"http", "https"}, Example: "http://localhost:8080", Problems: httpProblems,
		New: func(def service.Definition, env Env) Checker { return newHTTP(def, env) }},
	{Name: "tcp", Schemes: []string{"tcp"}, Example: "tcp://localhost:6379", Problems: tcpProblems,
		New: func(def service.Definition, env Env) Checker { return newTCP(def, env) }},
	{Name: "tls", Schemes: []string{"tls"}, Example: "tls://localhost:465", Problems: tcpProblems,
		New: func(def service.Definition, env Env) Checker { return newTCP(def, env) }},
	{Name: "ws", Schemes: []string{"ws", "wss"}, Example: "ws://localhost:8080/live", Problems: httpProblems,
		New: func(def service.Definition, env Env) Checker { return newWS(def, env) }},
	redisKind, dnsKind, icmpKind, grpcKind, postgresKind, mysqlKind, kafkaKind, diskKind,
}

// Of is the kind that a url asks for; false where there is none, or where
// nothing is checked because others are the source (docker, push).
func Of(rawURL string) (Kind, bool) {
	scheme, _, _ := strings.Cut(rawURL, ":")
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return slices.Contains(k.Schemes, strings.ToLower(scheme)) })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// Schemes are those of every kind, and of what has none.
func Schemes() []string {
	var all []string
	for _, k := range Kinds {
		all = append(all, k.Schemes...)
	}
	return append(all, service.SchemeDocker, service.SchemePush)
}

// Problems are what is wrong with a definition's url, and with what its kind
// of check needs. service.Definition.Problems has the rest.
func Problems(def service.Definition) []service.Problem {
	wrong := func(message, suggestion string) []service.Problem {
		return []service.Problem{{Key: "url", Value: service.MaskURL(def.URL), Message: message, Suggestion: suggestion}}
	}
	if def.URL == "" && def.Container != "" {
		return nil
	}
	if def.URL == "" {
		return wrong("is missing: a service needs a url such as http://localhost:8080, or a container", "")
	}
	u, err := url.Parse(def.URL)
	if assumed, is := service.AssumeHTTP(def.URL); is && (err != nil || !slices.Contains(Schemes(), u.Scheme)) {
		return wrong("does not begin with http:// or https://", service.MaskURL(assumed))
	}
	if err != nil {
		return wrong("is not a url such as http://localhost:8080", "") // the parser's words repeat parts of it, a password among them
	}
	if kind, is := Of(def.URL); is {
		_, problems := compile(def.Expect)
		if kind.Problems != nil {
			problems = append(problems, kind.Problems(def, u)...)
		}
		return problems
	}
	if slices.Contains(Schemes(), u.Scheme) {
		return nil
	}
	return wrong(fmt.Sprintf("has the scheme %q; use one of %s", u.Scheme, strings.Join(Schemes(), ", ")), "")
}

// needsHost is the problem of a url that names none.
func needsHost(_ service.Definition, u *url.URL) []service.Problem {
	if u.Hostname() != "" {
		return nil
	}
	return []service.Problem{{Key: "url", Value: service.MaskURL(u.String()), Message: "names no host"}}
}
