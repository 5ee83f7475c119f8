package check

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// maxAnswer is how much is read of what a server answers over tcp, tls or ws.
const maxAnswer = 64 << 10

// closesAtOnce is how long at most a connection is watched that is closed at once
// where nothing listens: docker-proxy does so within a millisecond or two.
const closesAtOnce = 250 * time.Millisecond

// tcpCheck opens a connection, over tls:// with a TLS handshake, sends
// request.body, and reads until what came is as expected. Where nothing is
// expected the connection is enough. Each check opens its own.
type tcpCheck struct {
	target
	def    service.Definition
	expect *expectation
	send   []byte
	// proxied says that the connection may be one to docker-proxy, which accepts
	// for a published port whether something listens in the container or not.
	proxied bool
}

func newTCP(def service.Definition, env Env) *tcpCheck {
	c := &tcpCheck{def: def, target: newTarget(def, env, strings.ToUpper(def.Scheme()), "")}
	c.expect, _ = compile(def.Expect) // Problems has said what is wrong
	c.send, _ = bytesOf(def.Request.Body)
	c.proxied = def.Container != "" && def.Scheme() == "tcp" && env.Address == "" && isOfThisMachine(c.host) // another address is the container's own
	return c
}

// isOfThisMachine says whether an address, with its port, is one of this machine, where
// docker-proxy listens.
func isOfThisMachine(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip.IsLoopback() {
		return true
	}
	own, _ := net.InterfaceAddrs() // none: it is taken for another machine's
	return ip != nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		of, is := a.(*net.IPNet)
		return is && of.IP.Equal(ip)
	})
}

// tcpProblems are what is wrong with a definition that is checked over TCP or TLS.
func tcpProblems(def service.Definition, u *url.URL) []service.Problem {
	problems := needsHost(def, u)
	if u.Hostname() != "" && u.Port() == "" {
		problems = append(problems, service.Problem{Key: "url", Value: service.MaskURL(def.URL), Message: "names no port, such as " + u.Scheme + "://" + u.Host + ":6379"})
	}
	if _, is := bytesOf(def.Request.Body); !is {
		problems = append(problems, service.Problem{Key: "request.body", Message: `has a backslash that begins no escape such as \r, \n, \t or \xff; for a plain one write \\`})
	}
	return problems
}

// bytesOf is what s stands for, with the escapes of Go's strings, such as \r\n
// and \xff; false where a backslash begins none.
func bytesOf(s string) ([]byte, bool) {
	var all []byte
	for s != "" {
		char, multibyte, rest, err := strconv.UnquoteChar(s, 0)
		switch {
		case err != nil:
			return []byte(s), false
		case multibyte:
			all = append(all, string(char)...)
		default:
			all = append(all, byte(char))
		}
		s = rest
	}
	return all, true
}

func (c *tcpCheck) Fresh() {}
func (c *tcpCheck) Close() {}

func (c *tcpCheck) Check(ctx context.Context) Observation { return c.target.check(ctx, c.run) }

func (c *tcpCheck) run(ctx context.Context, p *progress) error {
	conn, state, err := c.connect(ctx, p)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.proxied && len(c.send) == 0 && !c.expect.ofContent() {
		return c.stays(ctx, p, conn)
	}
	defer untilEnd(ctx, conn)()
	if _, err := conn.Write(c.send); err != nil {
		return err
	}
	if err := c.read(conn); err != nil {
		return err
	}
	return c.expect.certificate(c.target, state)
}

// connect opens the connection; over TLS its state says how.
func (c *tcpCheck) connect(ctx context.Context, p *progress) (net.Conn, *tls.ConnectionState, error) {
	if c.def.Scheme() == "tcp" {
		conn, err := p.dial(ctx, "tcp", c.address)
		return conn, nil, err
	}
	secure, err := p.dialTLS(ctx, c.def.TLS)
	if err != nil {
		return nil, nil, err
	}
	state := secure.ConnectionState()
	return secure, &state, nil
}

// stays watches for a moment whether the other side closes the connection without
// a byte. The service has answered before: that moment is no part of its latency.
func (c *tcpCheck) stays(ctx context.Context, p *progress, conn net.Conn) error {
	p.answered = time.Now()
	ctx, cancel := context.WithTimeout(ctx, min(c.timeout/4, closesAtOnce))
	defer cancel()
	defer untilEnd(ctx, conn)()
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !isReset(err) {
		return nil
	}
	return failed(event.FailureReset, "%s closed the connection at once, without sending a byte: probably no process in the container listens on the published port; if the service closes on purpose, set request.body", c.host)
}

// read reads until the answer is as expected, ends, or is too long.
func (c *tcpCheck) read(conn net.Conn) error {
	if !c.expect.ofContent() {
		return nil
	}
	var answer []byte
	judged := 0
	for chunk := make([]byte, 4<<10); ; {
		n, err := conn.Read(chunk)
		answer = append(answer, chunk[:n]...)
		last := err != nil || len(answer) >= maxAnswer
		if err != nil && len(answer) == 0 {
			return err
		}
		// A long answer that comes byte by byte is not compared at each of them.
		if !last && len(answer) > 4<<10 && len(answer)-judged < 1<<10 {
			continue
		}
		judged = len(answer)
		if wrong := c.expect.content(c.target, event.FailureAnswer, "the answer", answer); wrong == nil || last {
			return wrong
		}
	}
}
