package check

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/service"
)

const protocolDNS = "DNS"

var dnsKind = Kind{Name: "dns", Schemes: []string{"dns"}, Example: "dns://127.0.0.1:53/example.com?type=A",
	Problems: dnsProblems, New: newDNS}

const (
	// dnsTries is how often a query is sent: a lost packet is no failure.
	dnsTries = 3
	// resolvConf names this machine's own servers, for a url without one.
	resolvConf = "/etc/resolv.conf"
)

// dnsCheck queries a server for the records of one type that a name has. expect.body
// is compared with what they hold, one a line, in order of the alphabet.
type dnsCheck struct {
	stateless
	name   string
	typ    uint16
	expect *expectation
}

func newDNS(def service.Definition, env Env) Checker {
	u := urlOf(def)
	c := &dnsCheck{stateless: statelessOf(def, env, protocolDNS, "53"), name: dns.Fqdn(asciiName(strings.TrimPrefix(u.Path, "/")))}
	c.typ = dns.StringToType[recordType(u)]
	c.expect, _ = compile(def.Expect)
	c.run = c.query
	return c
}

func recordType(u *url.URL) string { return strings.ToUpper(cmp.Or(u.Query().Get("type"), "A")) }

func dnsProblems(_ service.Definition, u *url.URL) []service.Problem {
	name := strings.TrimPrefix(u.Path, "/")
	if _, valid := dns.IsDomainName(name); name == "" || !valid {
		return urlProblem(u, "has no valid domain name; write dns://server/example.com?type=A, or dns:///example.com for this machine's own server")
	}
	if _, known := dns.StringToType[recordType(u)]; !known {
		usual := []string{"A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"}
		return []service.Problem{{Key: "url", Value: service.MaskURL(u.String()), Suggestion: nearest.Of(recordType(u), usual),
			Message: "has an unknown type of record; use one such as " + strings.Join(usual, ", ")}}
	}
	if u.User != nil {
		return urlProblem(u, "has a user, and dns:// takes none")
	}
	return slices.Concat(portProblems(u), queryProblems(u, queryKey{name: "type"}))
}

// query queries each server in turn, until one answers or the time is over.
func (c *dnsCheck) query(ctx context.Context, p *progress) error {
	servers := []string{c.address}
	if c.hostname == "" {
		config, err := dns.ClientConfigFromFile(resolvConf)
		if err != nil || len(config.Servers) == 0 {
			return failed(event.FailureCheck, "the check could not run: %s names no DNS server; write one into the url, such as dns://1.1.1.1/example.com", resolvConf)
		}
		servers = nil
		for _, server := range config.Servers {
			servers = append(servers, net.JoinHostPort(server, config.Port))
		}
	}
	var err error
	for i := range max(dnsTries, len(servers)) {
		if c.hostname == "" {
			p.host = servers[i%len(servers)]
		}
		if err = c.exchange(ctx, p, servers[i%len(servers)], c.timeout/time.Duration(dnsTries)); !isTransient(err) {
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if (isTimeout(err) || ctx.Err() != nil) && p.at.Load() >= int32(stageWaiting) {
		return failed(event.FailureHeaderTimeout, "%s did not answer within %s", p.host, c.timeout)
	}
	return err
}

// isTransient says whether to query again may help.
func isTransient(err error) bool {
	return err != nil && !is[*fault](err) && !is[*net.DNSError](err)
}

// exchange queries one server once over UDP, and over TCP where the answer is too long for that.
func (c *dnsCheck) exchange(ctx context.Context, p *progress, server string, wait time.Duration) error {
	s := p.session(ctx)
	defer s.end()
	question := new(dns.Msg).SetQuestion(c.name, c.typ).SetEdns0(dns.DefaultMsgSize, false)
	answer, err := c.overUDP(s, server, question, wait)
	if err == nil && answer.Truncated {
		answer, err = c.overTCP(s, server, question)
	}
	if err != nil {
		return err
	}
	return c.judge(p, answer)
}

func (c *dnsCheck) overUDP(s *session, server string, question *dns.Msg, wait time.Duration) (*dns.Msg, error) {
	packet, err := question.Pack()
	if err != nil {
		return nil, failed(event.FailureCheck, "the check could not run: the DNS query cannot be encoded: %s", s.p.foreign(err.Error()))
	}
	conn, err := s.dial(s.ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	buffer := make([]byte, dns.DefaultMsgSize)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, err
		}
		answer := new(dns.Msg)
		if err := answer.Unpack(buffer[:n]); err == nil && isAnswer(question, answer) {
			return answer, nil
		} else if n < dnsHeader || answer.Id == question.Id {
			return nil, errNotDNS
		} // anything else is of another question, or forged
	}
}

func (c *dnsCheck) overTCP(s *session, server string, question *dns.Msg) (*dns.Msg, error) {
	conn, err := s.dial(s.ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	over := &dns.Conn{Conn: conn} // the session ends what hangs
	if err := over.WriteMsg(question); err != nil {
		return nil, err
	}
	answer, err := over.ReadMsg()
	if err != nil {
		return nil, err
	}
	if !isAnswer(question, answer) {
		return nil, errNotDNS
	}
	return answer, nil
}

// dnsHeader is how long a message's header is.
const dnsHeader = 12

var errNotDNS = errors.New("not an answer to the question")

func isAnswer(question, answer *dns.Msg) bool {
	return answer.Response && answer.Id == question.Id && (len(answer.Question) == 0 ||
		len(answer.Question) == 1 && answer.Question[0].Qtype == question.Question[0].Qtype &&
			strings.EqualFold(answer.Question[0].Name, question.Question[0].Name))
}

func (c *dnsCheck) judge(p *progress, answer *dns.Msg) error {
	typ, name := dns.TypeToString[c.typ], p.foreign(c.name)
	switch answer.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return failed(event.FailureAnswer, "%s answers that %s does not exist (NXDOMAIN)", p.host, name)
	default:
		return failed(event.FailureAnswer, "%s cannot answer for %s: %s", p.host, name, cmp.Or(dns.RcodeToString[answer.Rcode], "unknown code"))
	}
	var held []string
	for _, record := range answer.Answer {
		if t := record.Header().Rrtype; t == c.typ || c.typ == dns.TypeANY {
			held = append(held, strings.TrimPrefix(record.String(), record.Header().String()))
		}
		p.noteAnswer("answer", record.String())
	}
	if len(held) == 0 {
		return failed(event.FailureAnswer, "%s answers that %s has no record of type %s", p.host, name, typ)
	}
	slices.Sort(held)
	return c.expect.content(p.target, event.FailureAnswer, "the answer of "+p.host, []byte(strings.Join(held, "\n")))
}
