//go:build e2e

package checks

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"logstream/internal/event"
	"logstream/internal/service"
)

func TestPostgres(t *testing.T) {
	s := newServer(t, "postgres")
	bin := func(name string) string { return program(t, "/usr/lib/postgresql/*/bin/"+name) }
	data := filepath.Join(s.dir, "data")
	s.run(s.command(bin("initdb"), "-D", data, "-U", "ann", "--auth=scram-sha-256", "--pwfile="+s.write("password", []byte(canary)), "--no-sync"))
	cert, key := s.certify()
	start := func() {
		s.start(s.command(bin("postgres"), "-D", data, "-h", "127.0.0.1", "-p", s.port, "-k", s.dir, "-F",
			"-c", "max_connections=3", "-c", "superuser_reserved_connections=0", "-c", "max_wal_senders=0",
			"-c", "ssl=on", "-c", "ssl_cert_file="+cert, "-c", "ssl_key_file="+key), s.up("postgres://ann:"+canary+"@"+s.address+"/postgres"))
	}
	start()
	base := "postgres://ann:" + canary + "@" + s.address
	ofServer := func(d *service.Definition) { d.TLS.CA = cert }

	expects(t, base+"/postgres", "", "")
	expects(t, base+"/postgres?sslmode=disable", "", "")
	expects(t, base+"/postgres?sslmode=require", "", "")
	expects(t, base+"/postgres?sslmode=verify-full", event.FailureTLSCertificate, "unknown authority")
	expects(t, base+"/postgres?sslmode=verify-full", "", "", ofServer)
	expects(t, base+"/postgres", event.FailureLatency, "slower than 1ns", slow)
	expects(t, base+"/missing", event.FailureAnswer, `database "missing" does not exist (SQLSTATE 3D000)`)
	expects(t, "postgres://ann:wrong@"+s.address+"/postgres", event.FailureAuth, `refuses the login: password authentication failed for user "ann" (SQLSTATE 28P01)`)
	expects(t, "postgres://ann@"+s.address+"/postgres", event.FailureAuth, "SQLSTATE 28P01")
	expects(t, "postgres://bob:"+canary+"@"+s.address+"/postgres", event.FailureAuth, "SQLSTATE 28P01")

	held := hold(t, base+"/postgres?sslmode=disable", 3)
	expects(t, base+"/postgres", event.FailureAnswer, "too many clients already (SQLSTATE 53300)")
	for _, conn := range held[1:] {
		conn.Close(t.Context())
	}
	for end := time.Now().Add(10 * time.Second); checkOnce(t, base+"/postgres").Status != event.Up && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond) // the server ends their processes
	}

	s.hangs(func() { expects(t, base+"/postgres", event.FailureHeaderTimeout, "did not answer within 500ms", soon) })
	expects(t, base+"/postgres", "", "")

	s.signal(syscall.SIGTERM) // waits for whom it serves, and takes no one else
	for end := time.Now().Add(10 * time.Second); checkOnce(t, base+"/postgres").Status == event.Up && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	expects(t, base+"/postgres", event.FailureAnswer, "the database system is shutting down (SQLSTATE 57P03)")
	held[0].Close(t.Context())
	s.end(os.Interrupt)
	expects(t, base+"/postgres", event.FailureConnectRefused, "nothing listens there")

	start()
	expects(t, base+"/postgres", "", "")
}

// hold opens connections and keeps them.
func hold(t *testing.T, url string, n int) []*pgconn.PgConn {
	t.Helper()
	var held []*pgconn.PgConn
	for range n {
		conn, err := pgconn.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	return held
}
