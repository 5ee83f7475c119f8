package check

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"golang.org/x/net/icmp"

	"logstream/internal/event"
	"logstream/internal/service"
)

// mayPing says whether the kernel lets this process request echoes: as root, or
// by net.ipv4.ping_group_range.
func mayPing(t *testing.T) bool {
	t.Helper()
	for _, network := range []string{echo4.unprivileged, echo4.raw} {
		socket, err := icmp.ListenPacket(network, echo4.any)
		if err == nil {
			socket.Close()
			return true
		}
		if !errors.Is(err, fs.ErrPermission) {
			t.Fatal(err)
		}
	}
	return false
}

func TestEchoIsJudged(t *testing.T) {
	for _, c := range []struct {
		url  string
		want event.Failure
		says string
	}{
		{"icmp://127.0.0.1", "", ""},
		{"ping://localhost/", "", ""},
		{"icmp://255.255.255.255", event.FailureUnreachable, "255.255.255.255"}, // to which the kernel sends nothing, or none answers
		{"icmp://shop.invalid", event.FailureDNS, "shop.invalid"},
	} {
		t.Run(c.url, func(t *testing.T) {
			seen := lookOnce(t, c.url, func(d *service.Definition) { d.Timeout = patience })
			switch {
			case c.want != event.FailureDNS && !mayPing(t):
				sees(t, seen, event.Down, event.FailureCheck, "net.ipv4.ping_group_range")
			case c.want == "":
				sees(t, seen, event.Up, "", "")
			default:
				sees(t, seen, event.Down, c.want, c.says)
			}
		})
	}
	if _, err := os.Stat("/proc/net/if_inet6"); err == nil {
		t.Run("IPv6", func(t *testing.T) {
			if seen := lookOnce(t, "icmp://[::1]", func(d *service.Definition) { d.Timeout = patience }); mayPing(t) {
				sees(t, seen, event.Up, "", "")
			}
		})
	}
}
