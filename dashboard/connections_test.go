package dashboard

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// A client that opens connections without end, with a request or without one, holds no
// more of them than the bound, and the requests of others are answered.
func TestConnectionsAreBounded(t *testing.T) {
	for what, send := range map[string]string{"silent": "", "idle": "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"} {
		s := open(t, nil)
		dash, err := New(s.deps)
		if err != nil {
			t.Fatal(err)
		}
		dash.limits.connections = 8
		if err := dash.Listen(); err != nil {
			t.Fatal(err)
		}
		s.dash, s.url = dash, "http://"+dash.Addr()
		s.start()
		var all []net.Conn
		for range 40 {
			conn, err := net.Dial("tcp", dash.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, send); err != nil {
				t.Fatal(err)
			}
			all = append(all, conn)
			if send == "" {
				continue
			}
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Fatalf("a new connection is not answered: %v", err)
			}
		}
		if got := s.status("GET", "/healthz", "", nil); got != http.StatusOK {
			t.Errorf("%s: another request = %d", what, got)
		}
		s.eventually("the oldest connections are closed", func() bool {
			open := 0
			for _, conn := range all {
				_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					open++
				}
			}
			return open <= 8
		})
	}
}
