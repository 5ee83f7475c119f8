package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"logstream/internal/event"
	"logstream/internal/service"
)

const protocolICMP = "ICMP"

var icmpKind = Kind{Name: "icmp", Schemes: []string{"icmp", "ping"}, Example: "icmp://192.0.2.1", Problems: icmpProblems, New: newICMP}

// icmpTries is how many echoes are asked for, one after the other, until one
// comes back: a lost packet is no failure.
const icmpTries = 3

// icmpCheck requests an echo of a host.
type icmpCheck struct{ stateless }

func newICMP(def service.Definition, env Env) Checker {
	c := &icmpCheck{statelessOf(def, env, protocolICMP, "")}
	c.run = c.ping
	return c
}

func icmpProblems(_ service.Definition, u *url.URL) []service.Problem {
	switch {
	case u.Port() != "":
		return urlProblem(u, "has a port, and ICMP has none; write icmp://"+u.Hostname())
	case u.User != nil || u.Path != "" && u.Path != "/":
		return urlProblem(u, "has more than a host; write icmp://"+u.Hostname())
	}
	return urlProblems(u)
}

// echo is a version of IP as ICMP has it.
type echo struct {
	unprivileged, raw, any string
	number                 int // of the protocol
	request, reply         icmp.Type
}

var (
	echo4 = echo{"udp4", "ip4:icmp", "0.0.0.0", 1, ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply}
	echo6 = echo{"udp6", "ip6:ipv6-icmp", "::", 58, ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply}
)

func (c *icmpCheck) ping(ctx context.Context, p *progress) error {
	ip, err := c.resolve(ctx, p)
	if err != nil {
		return err
	}
	version := echo4
	if ip.IP.To4() == nil {
		version = echo6
	}
	socket, raw, err := version.listen()
	if err != nil {
		return err
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	var to net.Addr = &net.UDPAddr{IP: ip.IP, Zone: ip.Zone}
	if raw {
		to = &ip
	}
	p.reach(stageWaiting)
	began, payload := time.Now(), []byte(rand.Text())
	for seq := 1; seq <= icmpTries; seq++ {
		message := icmp.Message{Type: version.request, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: seq, Data: payload}}
		packet, err := message.Marshal(nil)
		if err != nil {
			return err
		}
		if _, err := socket.WriteTo(packet, to); err != nil && ctx.Err() == nil {
			return c.unsent(p, err)
		}
		deadline := began.Add(c.timeout * time.Duration(seq) / icmpTries)
		if err := version.await(socket, payload, deadline); err == nil {
			p.note("echo", precise(time.Since(began)).String())
			return nil
		} else if !errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
			return c.unsent(p, err)
		}
	}
	return failed(event.FailureUnreachable, "no echo reply from %s within %s", c.host, c.timeout)
}

// resolve is the host's address, of IPv4 where it has one.
func (c *icmpCheck) resolve(ctx context.Context, p *progress) (net.IPAddr, error) {
	p.reach(stageResolving)
	resolver := c.env.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	ips, err := resolver.LookupIPAddr(ctx, c.hostname)
	if err != nil {
		return net.IPAddr{}, err
	}
	i := max(0, slices.IndexFunc(ips, func(ip net.IPAddr) bool { return ip.IP.To4() != nil }))
	p.note("address", ips[i].String())
	return ips[i], nil
}

// unsent is of an echo that the kernel could not request, or reported that it
// cannot come.
func (c *icmpCheck) unsent(p *progress, err error) error {
	if isOwnFault(err) {
		return err
	}
	return failed(event.FailureUnreachable, "cannot reach %s: %s", c.host, p.reason(err))
}

// listen opens a socket for echoes: one that needs no privileges, or else the
// raw one that root may open.
func (e echo) listen() (socket *icmp.PacketConn, raw bool, err error) {
	socket, err = icmp.ListenPacket(e.unprivileged, e.any)
	if err == nil || isOwnFault(err) {
		return socket, false, err
	}
	if socket, err2 := icmp.ListenPacket(e.raw, e.any); err2 == nil {
		return socket, true, nil
	}
	return nil, false, failed(event.FailureCheck, "the check could not run: this machine forbids ping to LogStream's user; "+
		`allow it with sysctl -w net.ipv4.ping_group_range="0 2147483647", or give LogStream the capability NET_RAW`)
}

// await reads until the echo with that payload comes; a raw socket gets those of
// others too.
func (e echo) await(socket *icmp.PacketConn, payload []byte, deadline time.Time) error {
	if err := socket.SetReadDeadline(deadline); err != nil {
		return err
	}
	buffer := make([]byte, 1500)
	for {
		n, _, err := socket.ReadFrom(buffer)
		if err != nil {
			return err
		}
		message, err := icmp.ParseMessage(e.number, buffer[:n])
		if err != nil || message.Type != e.reply {
			continue
		}
		if back, is := message.Body.(*icmp.Echo); is && bytes.Equal(back.Data, payload) {
			return nil
		}
	}
}
