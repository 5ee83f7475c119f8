//go:build e2e

package checks

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"logstream/internal/event"
)

func TestMariaDB(t *testing.T) {
	s := newServer(t, "nobody")
	mariadbd := program(t, "/usr/sbin/mariadbd", "/usr/bin/mariadbd")
	data := filepath.Join(s.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	s.own(data)
	options := []string{"--no-defaults", "--datadir=" + data, "--lc-messages-dir=/usr/share/mysql", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0"}
	// What mariadb-install-db does, which needs the programs of clients.
	bootstrap := s.command(mariadbd, append(options, "--bootstrap")...)
	script := "CREATE DATABASE mysql;\nUSE mysql;\n"
	for _, name := range []string{"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"} {
		part, err := os.ReadFile(program(t, "/usr/share/mysql/"+name, "/usr/share/mariadb/"+name))
		if err != nil {
			t.Fatal(err)
		}
		script += string(part)
	}
	bootstrap.Stdin = strings.NewReader("SET @auth_root_socket=NULL;\n" + script)
	s.run(bootstrap)

	users := s.write("users.sql", []byte(strings.ReplaceAll(`CREATE DATABASE IF NOT EXISTS shop;
CREATE USER IF NOT EXISTS ann@'%' IDENTIFIED BY 'PASSWORD';
GRANT ALL ON shop.* TO ann@'%';
CREATE USER IF NOT EXISTS locked@'%' IDENTIFIED BY 'PASSWORD' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS away@'192.0.2.1' IDENTIFIED BY 'PASSWORD';
`, "PASSWORD", canary)))
	base := "mysql://ann:" + canary + "@" + s.address
	start := func() {
		s.start(s.command(mariadbd, append(options, "--bind-address=127.0.0.1", "--port="+s.port, "--socket="+filepath.Join(s.dir, "socket"),
			"--pid-file="+filepath.Join(s.dir, "pid"), "--init-file="+users, "--max-connections=10", "--extra-max-connections=1", "--skip-name-resolve")...), s.up(base+"/shop"))
	}
	start()

	expects(t, base+"/shop", "", "")
	expects(t, base, "", "")
	expects(t, strings.Replace(base, "mysql://", "mariadb://", 1)+"/shop?tls=false", "", "")
	expects(t, base+"/shop?tls=true", event.FailureProtocol, "does not offer TLS, and the url has tls=true")
	expects(t, base+"/shop", event.FailureLatency, "slower than 1ns", slow)
	expects(t, base+"/missing", event.FailureAuth, "Access denied for user 'ann'@'%' to database 'missing' (error 1044)")
	expects(t, "mysql://ann:wrong@"+s.address+"/shop", event.FailureAuth, "refuses the login: Access denied for user 'ann'@'127.0.0.1' (using password: ***) (error 1045)")
	expects(t, "mysql://ann@"+s.address+"/shop", event.FailureAuth, "error 1045")
	expects(t, "mysql://locked:"+canary+"@"+s.address+"/", event.FailureAuth, "Access denied, this account is locked (error 4151)")
	expects(t, "mysql://away:"+canary+"@"+s.address+"/", event.FailureAuth, "error 1045")

	free := fill(t, s.address, 10)
	expects(t, base+"/shop", event.FailureAnswer, "Too many connections (error 1040)")
	free()
	for end := time.Now().Add(10 * time.Second); checkOnce(t, base+"/shop").Status != event.Up && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}

	s.hangs(func() { expects(t, base+"/shop", event.FailureHeaderTimeout, "did not answer within 500ms", soon) })
	expects(t, base+"/shop", "", "")
	s.end(os.Kill)
	expects(t, base+"/shop", event.FailureConnectRefused, "nothing listens there")
	start()
	expects(t, base+"/shop", "", "")
}

// fill opens as many connections as the server takes, and gives what closes them.
func fill(t *testing.T, address string, n int) (free func()) {
	t.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr = "ann", canary, "tcp", address
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(connector)
	var held []*sql.Conn
	for end := time.Now().Add(10 * time.Second); len(held) < n && time.Now().Before(end); {
		// One that was closed may still count.
		if conn, err := pool.Conn(context.Background()); err == nil {
			held = append(held, conn)
		}
	}
	return func() {
		for _, conn := range held {
			conn.Close()
		}
		pool.Close()
	}
}
