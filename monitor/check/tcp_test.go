package check

import (
	"net"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// TestAContainersPortThatClosesAtOnce: docker-proxy accepts for a published port,
// and closes at once where nothing listens in the container.
func TestAContainersPortThatClosesAtOnce(t *testing.T) {
	closing := rawServer(t, func(net.Conn) {})
	of := func(change func(*service.Definition)) service.Definition {
		return definition("tcp://"+closing, func(d *service.Definition) {
			d.Container = "pay"
			if change != nil {
				change(d)
			}
		})
	}
	seen := once(t, of(nil), Env{})
	if seen.Status != event.Down || seen.Failure != event.FailureReset || seen.Code != 0 ||
		seen.Error != closing+" closed the connection at once, without sending a byte: probably no process in the container listens on the published port; if the service closes on purpose, set request.body" {
		t.Errorf("saw %+v", seen)
	}
	for name, def := range map[string]service.Definition{
		"without a container": of(func(d *service.Definition) { d.Container = "" }),
		"of what is sent to":  of(func(d *service.Definition) { d.Request.Body = `\n` }),
	} {
		if seen := once(t, def, Env{}); seen.Status != event.Up {
			t.Errorf("a service %s: saw %+v", name, seen)
		}
	}
	// Past docker-proxy a connection is one with the service itself.
	if seen, err := At(t.Context(), of(nil), Env{}, closing); err != nil || seen.Status != event.Up {
		t.Errorf("at the container's own address: saw %+v, %v", seen, err)
	}
}

// TestAContainersPortThatStaysOpen is UP, as fast as it was connected to.
func TestAContainersPortThatStaysOpen(t *testing.T) {
	silent := rawServer(t, func(c net.Conn) { readAll(c) })
	greets := rawServer(t, func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n")) })
	closesLater := rawServer(t, func(net.Conn) { time.Sleep(2 * closesAtOnce) })
	for name, address := range map[string]string{"silent": silent, "one that greets, and closes": greets, "one that closes later": closesLater} {
		for timeout, wait := range map[time.Duration]time.Duration{5 * time.Second: closesAtOnce, 800 * time.Millisecond: 200 * time.Millisecond} {
			began := time.Now()
			seen := once(t, definition("tcp://"+address, func(d *service.Definition) {
				d.Container, d.Timeout, d.Expect.Latency = "pay", timeout, wait
			}), Env{})
			took := time.Since(began)
			if seen.Status != event.Up {
				t.Errorf("%s, timeout %s: saw %+v", name, timeout, seen)
			}
			if watched := !strings.Contains(name, "greets"); watched && took-seen.Took < wait || took > timeout {
				t.Errorf("%s, timeout %s: the check took %s, and says %s", name, timeout, took, seen.Took)
			}
		}
	}
}
