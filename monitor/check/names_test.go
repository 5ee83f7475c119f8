package check

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"logstream/internal/event"
	"logstream/internal/service"
)

// TestNamesInOtherScriptsAreAskedForAsNameServersHaveThem: a host, and the name
// that dns:// queries.
func TestNamesInOtherScriptsAreAskedForAsNameServersHaveThem(t *testing.T) {
	const name = "xn--bcher-kva.test."
	server := nameServer(t, func(w dns.ResponseWriter, question *dns.Msg) {
		if question.Question[0].Name != name {
			w.WriteMsg(new(dns.Msg).SetRcode(question, dns.RcodeNameError))
			return
		}
		zone(name+" 60 A 127.0.0.1")(w, question)
	})
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}
	_, port, _ := net.SplitHostPort(closedPort(t))
	host := "bücher.test:" + port
	for _, url := range []string{"http://" + host, "https://" + host, "tcp://" + host, "ws://" + host, "wss://" + host, "redis://" + host, "kafka://" + host,
		"grpc://" + host, "grpcs://" + host, "postgres://a@" + host, "mysql://a@" + host, "dns://" + host + "/shop.test"} {
		seen := once(t, definitionOf(t, url, nil), Env{Resolver: resolver})
		sees(t, seen, event.Down, event.FailureConnectRefused, "connection refused by ")
	}
	seen := once(t, definitionOf(t, "dns://"+server+"/bücher.test", nil), Env{})
	sees(t, seen, event.Up, "", "")
}

// TestAddressesWithAZoneAreDialled: link-local addresses of IPv6 need one.
func TestAddressesWithAZoneAreDialled(t *testing.T) {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return // this machine has no IPv6
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	for _, scheme := range []string{"http://", "https://", "tcp://", "ws://", "wss://", "redis://", "kafka://", "grpc://", "grpcs://", "postgres://a@", "mysql://a@"} {
		seen := once(t, definitionOf(t, scheme+"[::1%25lo]:"+port, func(d *service.Definition) { d.Timeout = 2 * time.Second }), Env{})
		if sees(t, seen, event.Down, event.FailureConnectRefused, "connection refused by "); strings.Contains(seen.Error, "could not run") {
			t.Errorf("%s: %s", scheme, seen.Error)
		}
	}
}
