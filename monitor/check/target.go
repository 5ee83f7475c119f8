package check

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"

	"logstream/internal/redact"
	"logstream/internal/service"
	"logstream/internal/text"
)

// target is what a check talks to, as its sentences name it. Every kind has one,
// made by newTarget, and checks through its method check:
//
//	func (c *redisCheck) Check(ctx context.Context) Observation { return c.target.check(ctx, c.run) }
//
//	func (c *redisCheck) run(ctx context.Context, p *progress) error {
//		conn, err := p.dial(ctx, "tcp", c.address)
//		…
//	}
//
// run returns nil where everything is as expected; an error made by failed or
// degraded where the check itself knows what is wrong; and any other error as
// it came from the connection or the client library: failureOf finds its failure,
// and explain its sentence. check does the rest: the timeout, the time that it
// took, expect.latency, and what is this machine's own fault.
//
// Text that the other side wrote goes into a sentence through foreign, and into
// the detail through note, which does the same.
type target struct {
	host     string // and port, as in the url, without credentials
	hostname string // without the port
	address  string // host:port to dial; the port is that of the url, or the protocol's usual one
	protocol string // as people write it: HTTP, PostgreSQL
	timeout  time.Duration
	latency  time.Duration // slower is DEGRADED; zero: no limit
	env      Env
	hides    bool              // what answers hold is in no sentence
	secrets  *strings.Replacer // masks what the definition keeps secret; nil: nothing
}

// newTarget is the target of a definition whose url is valid. The port is that
// of a url without one.
func newTarget(def service.Definition, env Env, protocol, port string) target {
	t := target{protocol: protocol, timeout: def.Timeout, latency: def.Expect.Latency, env: env, secrets: masking(def)}
	t.hides = env.Discreet || def.Discovered // the author of an image may have written the url, and records are read by many
	u, err := url.Parse(def.URL)
	if err != nil {
		return t // Problems has said so
	}
	t.host, t.hostname = u.Host, asciiName(u.Hostname())
	if u.Port() != "" {
		port = u.Port()
	}
	t.address = net.JoinHostPort(t.hostname, port)
	return t
}

// asciiName is a name in any script as name servers and certificates have it.
func asciiName(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		return name
	}
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		return ascii
	}
	return name
}

// foreign is text that others wrote, as part of a sentence: one line, bounded,
// without what looks like a secret or is one of the definition's.
func (t target) foreign(s string) string {
	line := text.Line(s[:min(len(s), maxForeign)])
	if t.secrets != nil {
		line = t.secrets.Replace(line) // before the other, which would leave the rest of one that it knows in part
	}
	line = redact.Text(line)
	if len(s) <= maxForeign {
		return text.Short(line)
	}
	return text.Short(line[:min(len(line), 150)]) + fmt.Sprintf(" … (%d bytes in all)", len(s))
}

// maxForeign is how many bytes of foreign text are read for a sentence. A
// secret that stands across their end is masked only in part, so no sentence
// comes near to it.
const maxForeign = 4 << 10

// masking hides the secrets of a definition where a server repeats them.
func masking(def service.Definition) *strings.Replacer {
	secrets := def.Secrets()
	if secrets == nil {
		return nil
	}
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, redact.Mask)
	}
	return strings.NewReplacer(pairs...)
}
