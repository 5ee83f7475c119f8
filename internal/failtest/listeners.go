//go:build unix

package failtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
)

const (
	tenBytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

	// nginxPlain is what nginx 1.22.1 answers to plain HTTP on a port of TLS.
	nginxPlain = "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nDate: Sat, 28 Nov 2026 17:33:02 GMT\r\n" +
		"Content-Type: text/html\r\nContent-Length: 255\r\nConnection: close\r\n\r\n" +
		"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n" +
		"<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n" +
		"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)

// The ways in which a name server fails: codes of an answer, or none.
const (
	silence       = -1
	serverFailure = 2
	nameError     = 3
)

// listeners are sockets below HTTP, until the test ends.
type listeners struct {
	t     testing.TB
	ctx   context.Context
	group *errgroup.Group
}

func newListeners(t testing.TB) *listeners {
	ctx, cancel := context.WithCancel(context.Background())
	l := &listeners{t: t, ctx: ctx, group: &errgroup.Group{}}
	t.Cleanup(func() {
		cancel()
		if err := l.group.Wait(); err != nil {
			t.Errorf("a listener panicked: %v", err)
		}
	})
	return l
}

// step is a part of a conversation; what it returns says whether it goes on.
type step func(net.Conn) bool

// http takes connections, goes through the steps with each, and closes it.
func (l *listeners) http(steps ...step) string {
	l.t.Helper()
	listener := l.listen()
	l.t.Cleanup(func() { listener.Close() })
	supervise.Go(l.ctx, l.group, "listener", func(ctx context.Context) error {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return nil // the test is over
			}
			supervise.Go(ctx, l.group, "connection", func(ctx context.Context) error {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				for _, next := range steps {
					if !next(conn) {
						break
					}
				}
				return nil
			})
		}
	})
	return "http://" + listener.Addr().String()
}

func (l *listeners) listen() net.Listener {
	l.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	return listener
}

// request reads the beginning of what the check sends.
func request(conn net.Conn) bool {
	_, err := conn.Read(make([]byte, 1<<12))
	return err == nil
}

func say(words ...string) step {
	return func(conn net.Conn) bool {
		for _, word := range words {
			if _, err := io.WriteString(conn, word); err != nil {
				return false
			}
		}
		return true
	}
}

func endlessly(word string, pause time.Duration) step {
	return func(conn net.Conn) bool {
		for say(word)(conn) {
			time.Sleep(pause)
		}
		return false
	}
}

func wait(d time.Duration) step {
	return func(net.Conn) bool {
		time.Sleep(d)
		return true
	}
}

// forever reads until the check gives up.
func forever(conn net.Conn) bool {
	_, _ = io.Copy(io.Discard, conn) // how the check gives up does not matter
	return false
}

// reset has the kernel send RST in place of FIN, once what was said has arrived.
func reset(conn net.Conn) bool {
	time.Sleep(slow)
	_ = conn.(*net.TCPConn).SetLinger(0) // fails only on a connection that is closed
	return false
}

// refused is an address where nothing listens: it is taken, so that no other process
// gets it.
func (l *listeners) refused() string {
	l.t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = syscall.Close(socket) }) // the test is over
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		l.t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		l.t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// fullBacklog is an address whose listener has no room for another connection,
// so that the kernel answers no attempt to make one.
func (l *listeners) fullBacklog() string {
	l.t.Helper()
	listener := l.listen()
	l.t.Cleanup(func() { listener.Close() })
	socket, err := listener.(*net.TCPListener).SyscallConn()
	if err == nil {
		var inner error
		err = socket.Control(func(fd uintptr) { inner = syscall.Listen(int(fd), 0) })
		if err == nil {
			err = inner
		}
	}
	if err != nil {
		l.t.Fatal(err)
	}
	for range 10 {
		conn, err := net.DialTimeout("tcp", listener.Addr().String(), hang)
		if err != nil {
			return "http://" + listener.Addr().String()
		}
		l.t.Cleanup(func() { conn.Close() })
	}
	l.t.Fatal("the kernel takes ten connections for a listener without a backlog")
	return ""
}

// nameServer resolves by a server that answers every question with that code.
func (l *listeners) nameServer(code int) *net.Resolver {
	l.t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { socket.Close() })
	supervise.Go(l.ctx, l.group, "name server", func(context.Context) error {
		message := make([]byte, 1<<12)
		for {
			n, from, err := socket.ReadFrom(message)
			if err != nil {
				return nil // the test is over
			}
			if code == silence || n < 12 {
				continue
			}
			message[2] |= 0x80                        // the question, as an answer
			message[3] = message[3]&0xf0 | byte(code) // with this code
			_, _ = socket.WriteTo(message[:n], from)  // the resolver queries again
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
}
