package check

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"logstream/internal/event"
	"logstream/internal/service"
)

// nameServer answers over UDP and TCP at one port of loopback.
func nameServer(t *testing.T, handler dns.HandlerFunc) string {
	t.Helper()
	packets, listener := samePort(t)
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}} {
		ended := make(chan struct{})
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(ended)
			server.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			server.Shutdown()
			<-ended
		})
	}
	return packets.LocalAddr().String()
}

// samePort is a port that is free for both.
func samePort(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 50 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if listener, err := net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, listener
		}
		packets.Close()
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, nil
}

// zone answers with records as a zone file has them, of the type that is asked for.
func zone(records ...string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, question *dns.Msg) {
		answer := new(dns.Msg).SetReply(question)
		for _, record := range records {
			if parsed, err := dns.NewRR(record); err == nil && parsed.Header().Rrtype == question.Question[0].Qtype {
				answer.Answer = append(answer.Answer, parsed)
			}
		}
		w.WriteMsg(answer)
	}
}

func code(rcode int) dns.HandlerFunc {
	return func(w dns.ResponseWriter, question *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(question, rcode)) }
}

func TestDNSAnswersAreJudged(t *testing.T) {
	shop := zone("shop.test. 60 A 192.0.2.2", "shop.test. 60 A 192.0.2.1", "shop.test. 60 MX 10 mail.shop.test.", `shop.test. 60 TXT "v=spf1 -all"`, "shop.test. 60 AAAA 2001:db8::1")
	for _, c := range []struct {
		name, path string
		handler    dns.HandlerFunc
		body       string
		failure    event.Failure
		says       string
	}{
		{"an address", "/shop.test", shop, "", "", ""},
		{"the address that is expected", "/shop.test?type=A", shop, `^192\.0\.2\.1\n192\.0\.2\.2$`, "", ""},
		{"another address", "/shop.test?type=a", shop, `^192\.0\.2\.9$`, event.FailureAnswer, `"192.0.2.1 192.0.2.2"`},
		{"a mail server", "/shop.test?type=MX", shop, `^10 mail\.shop\.test\.$`, "", ""},
		{"text", "/shop.test?type=TXT", shop, `v=spf1`, "", ""},
		{"an address of IPv6", "/shop.test?type=AAAA", shop, `^2001:db8::1$`, "", ""},
		{"no record of the type", "/shop.test?type=SRV", shop, "", event.FailureAnswer, "no record of type SRV"},
		{"NXDOMAIN", "/nowhere.test", code(dns.RcodeNameError), "", event.FailureAnswer, "NXDOMAIN"},
		{"SERVFAIL", "/shop.test", code(dns.RcodeServerFailure), "", event.FailureAnswer, "SERVFAIL"},
		{"REFUSED", "/shop.test", code(dns.RcodeRefused), "", event.FailureAnswer, "REFUSED"},
		{"silence", "/shop.test", func(dns.ResponseWriter, *dns.Msg) {}, "", event.FailureHeaderTimeout, "did not answer within 400ms"},
		{"an answer to another question", "/shop.test", func(w dns.ResponseWriter, question *dns.Msg) {
			question.Id++
			shop(w, question)
		}, "", event.FailureHeaderTimeout, "did not answer"},
		{"nonsense", "/shop.test", func(w dns.ResponseWriter, _ *dns.Msg) { w.Write([]byte("what?")) }, "", event.FailureProtocol, "not valid DNS"},
		{"the question itself", "/shop.test", func(w dns.ResponseWriter, question *dns.Msg) { w.WriteMsg(question) }, "", event.FailureProtocol, "not valid DNS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := nameServer(t, c.handler)
			seen := lookOnce(t, "dns://"+address+c.path, func(d *service.Definition) {
				d.Timeout, d.Expect.Body = 10*time.Second, c.body
				if c.failure == event.FailureHeaderTimeout {
					d.Timeout = patience
				}
			})
			if c.failure == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, c.failure, c.says)
			}
		})
	}
}

func TestDNSRepeatsTheQueryWhenAPacketIsLost(t *testing.T) {
	var asked atomic.Int32
	address := nameServer(t, func(w dns.ResponseWriter, question *dns.Msg) {
		if asked.Add(1) == dnsTries {
			zone("shop.test. 60 A 192.0.2.1")(w, question)
		}
	})
	sees(t, lookOnce(t, "dns://"+address+"/shop.test", func(d *service.Definition) { d.Timeout = time.Second }), event.Up, "", "")
}

func TestDNSLongAnswerComesOverTCP(t *testing.T) {
	long := zone("shop.test. 60 TXT " + strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 30) + `"the end"`)
	address := nameServer(t, func(w dns.ResponseWriter, question *dns.Msg) {
		if w.LocalAddr().Network() == "udp" {
			answer := new(dns.Msg).SetReply(question)
			answer.Truncated = true
			w.WriteMsg(answer)
			return
		}
		long(w, question)
	})
	seen := lookOnce(t, "dns://"+address+"/shop.test?type=TXT", func(d *service.Definition) { d.Expect.Body = "the end" })
	sees(t, seen, event.Up, "", "")
}

// TestDNSOverTCPEndsInTime has a server that says over UDP to query over TCP, and
// hangs there.
func TestDNSOverTCPEndsInTime(t *testing.T) {
	address := nameServer(t, func(w dns.ResponseWriter, question *dns.Msg) {
		if w.LocalAddr().Network() == "udp" {
			answer := new(dns.Msg).SetReply(question)
			answer.Truncated = true
			w.WriteMsg(answer)
		}
	})
	seen := lookOnce(t, "dns://"+address+"/shop.test", func(d *service.Definition) { d.Timeout = patience })
	sees(t, seen, event.Down, event.FailureHeaderTimeout, "did not answer within 400ms")
}
