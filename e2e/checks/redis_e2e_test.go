//go:build e2e

package checks

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"logstream/e2e/kafka"
	"logstream/internal/event"
	"logstream/internal/service"
)

func TestRedis(t *testing.T) {
	s := newServer(t, "")
	cert, key := s.certify()
	secure := kafka.Free(t)
	_, securePort, _ := net.SplitHostPort(secure)
	base := "redis://:" + canary + "@" + s.address
	config := s.write("redis.conf", []byte("user ann on >"+canary+" +ping +select\nuser bob on >"+canary+"\n"))
	start := func(ready func() bool, more ...string) {
		s.start(s.command(program(t, "/usr/bin/redis-server"), append([]string{config, "--bind", "127.0.0.1", "--port", s.port, "--dir", s.dir, "--requirepass", canary,
			"--maxclients", "5", "--save", "", "--tls-port", securePort, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"}, more...)...), ready)
	}
	start(s.up(base))
	ofServer := func(d *service.Definition) { d.TLS.CA = cert }

	expects(t, base, "", "")
	expects(t, base+"/15", "", "")
	expects(t, "redis://ann:"+canary+"@"+s.address+"/1", "", "")
	expects(t, "rediss://:"+canary+"@"+secure, "", "", ofServer)
	expects(t, "rediss://:"+canary+"@"+secure, event.FailureTLSCertificate, "unknown authority")
	expects(t, "rediss://:"+canary+"@"+s.address, event.FailureTLSTimeout, "did not finish the TLS handshake", soon) // it waits for the end of a line
	expects(t, base, event.FailureLatency, "slower than 1ns", slow)
	expects(t, base+"/16", event.FailureAnswer, "DB index is out of range")
	expects(t, "redis://"+s.address, event.FailureAuth, "requires a login: NOAUTH Authentication required.")
	expects(t, "redis://:wrong@"+s.address, event.FailureAuth, "refuses the login: WRONGPASS")
	expects(t, "redis://eve:"+canary+"@"+s.address, event.FailureAuth, "refuses the login: WRONGPASS")
	expects(t, "redis://bob:"+canary+"@"+s.address, event.FailureAuth, "refuses the login: NOPERM")

	var held []net.Conn
	for range 5 {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	expects(t, base, event.FailureAnswer, "ERR max number of clients reached")
	for _, conn := range held {
		conn.Close()
	}
	for end := time.Now().Add(10 * time.Second); checkOnce(t, base).Status != event.Up && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}

	s.hangs(func() { expects(t, base, event.FailureHeaderTimeout, "did not answer within 500ms", soon) })
	expects(t, base, "", "")
	store(t, s.address)
	expects(t, base, event.FailureConnectRefused, "nothing listens there")

	// It loads what it stored, slowly.
	start(func() bool { return checkOnce(t, base, soon).Failure == event.FailureAnswer }, "--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
	expects(t, base, event.FailureAnswer, "answers with an error: LOADING")
	s.end(os.Kill)
}

// store has the server write a thousand keys to its disk, and end.
func store(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var commands strings.Builder
	fmt.Fprintf(&commands, "AUTH %s\r\n", canary)
	for i := range 1000 {
		fmt.Fprintf(&commands, "SET key%d %s\r\n", i, strings.Repeat("x", 100))
	}
	commands.WriteString("SHUTDOWN SAVE\r\n")
	if _, err := io.WriteString(conn, commands.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Log(err) // it may reset what it has not read
	}
}
