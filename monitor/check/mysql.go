package check

import (
	"bufio"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"logstream/internal/event"
	"logstream/internal/service"
)

const protocolMySQL = "MySQL"

var mysqlKind = Kind{Name: "mysql", Schemes: []string{"mysql", "mariadb"}, Example: "mysql://user:password@localhost:3306/database",
	Problems: mysqlProblems, New: newMySQL}

// mysqlTLS are the driver's words for how TLS is used.
var mysqlTLS = []string{"false", "preferred", "skip-verify", "true"}

// mysqlCheck logs in to MySQL or MariaDB, and has SELECT 1 answered.
type mysqlCheck struct {
	stateless
	def      service.Definition
	url      *url.URL
	panicked time.Time // when the driver last did
}

// panicPause is how long a server is left alone after the driver panicked: of
// each panic at a login a goroutine of the driver's is left.
const panicPause = time.Minute

func (c *mysqlCheck) Fresh() { c.panicked = time.Time{} }

func newMySQL(def service.Definition, env Env) Checker {
	c := &mysqlCheck{stateless: statelessOf(def, env, protocolMySQL, "3306"), def: def, url: urlOf(def)}
	c.run = c.query
	return c
}

func mysqlProblems(_ service.Definition, u *url.URL) []service.Problem {
	if u.User.Username() == "" {
		return urlProblem(u, "has no user; write mysql://user:password@host/database")
	}
	if strings.Contains(strings.TrimPrefix(u.Path, "/"), "/") {
		return urlProblem(u, "has a path that is not the name of one database, such as mysql://user@host/database")
	}
	return urlProblems(u, queryKey{"tls", mysqlTLS})
}

// query recovers from the driver, which takes every packet to be as long as it
// should be: one that is not would end all checks.
func (c *mysqlCheck) query(ctx context.Context, p *progress) (err error) {
	if time.Since(c.panicked) < panicPause {
		p.raise(stageAnswering)
		return errNotMySQL
	}
	s := p.session(ctx)
	defer s.end()
	defer func() {
		if recover() != nil {
			p.raise(stageAnswering)
			c.panicked, err = time.Now(), errNotMySQL
		}
	}()
	config, err := c.config(s)
	if err != nil {
		return err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return c.judge(s, err)
	}
	defer conn.Close() // of a connection that broke off there is nothing to close
	if err := selectOne(ctx, conn); err != nil {
		return c.judge(s, err)
	}
	return nil
}

func (c *mysqlCheck) config(s *session) (*mysql.Config, error) {
	config := mysql.NewConfig()
	config.User = c.url.User.Username()
	config.Passwd, _ = c.url.User.Password()
	config.Net, config.Addr, config.DBName = "tcp", c.address, strings.TrimPrefix(c.url.Path, "/")
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return greeted(s) }
	config.Logger = &mysql.NopLogger{} // what it says is in the error too
	mode := cmp.Or(c.url.Query().Get("tls"), "preferred")
	if mode == "false" {
		return config, nil
	}
	secure, err := s.p.tlsConfig(c.def.TLS)
	if err != nil {
		return nil, err
	}
	secure.InsecureSkipVerify = c.def.TLS.Insecure || mode != "true" && c.def.TLS.CA == ""
	config.TLS, config.AllowFallbackToPlaintext = secure, mode == "preferred"
	return config, nil
}

// greeted is a connection to a server that begins as MySQL does: with a short
// packet, the first, which has version 10 of the protocol or an error. The
// driver takes what others say for the length of a packet, and waits for it.
func greeted(s *session) (net.Conn, error) {
	conn, err := s.open()
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	begins, err := in.Peek(5)
	if err != nil {
		return nil, err
	}
	if isShort := begins[1] < 16 && begins[2] == 0; !isShort || begins[3] != 0 || begins[4] != 10 && begins[4] != 255 {
		return nil, errNotMySQL
	}
	return &bufferedConn{Conn: conn, in: io.LimitReader(in, maxMySQL)}, nil
}

var errNotMySQL = errors.New("not a greeting of MySQL")

// maxMySQL is how much is read of a server, certificates included.
const maxMySQL = 256 << 10

// bufferedConn is a connection of which something was read ahead, and no more
// than in gives is read.
type bufferedConn struct {
	net.Conn
	in io.Reader
}

func (c *bufferedConn) Read(b []byte) (int, error) { return c.in.Read(b) }

// selectOne has the answer skipped: for the columns of a query, the driver
// reserves as much memory as the server says that there are.
func selectOne(ctx context.Context, conn driver.Conn) error {
	query, is := conn.(driver.ExecerContext)
	if !is {
		return errors.New("the driver has no queries")
	}
	_, err := query.ExecContext(ctx, "SELECT 1", nil)
	return err
}

// mysqlAuth are the numbers of a login that is refused.
var mysqlAuth = []uint16{
	1044, // ER_DBACCESS_DENIED_ERROR
	1045, // ER_ACCESS_DENIED_ERROR
	1130, // ER_HOST_NOT_PRIVILEGED
	1251, // ER_NOT_SUPPORTED_AUTH_MODE
	1698, // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
	1820, // ER_MUST_CHANGE_PASSWORD
	1862, // ER_MUST_CHANGE_PASSWORD_LOGIN
	4151, // ER_ACCOUNT_HAS_BEEN_LOCKED, of MariaDB
	3118, // the same, of MySQL
}

// mysqlMethods are the driver's errors about ways to log in that it does not use.
var mysqlMethods = []error{mysql.ErrCleartextPassword, mysql.ErrNativePassword, mysql.ErrOldPassword, mysql.ErrUnknownPlugin}

func (c *mysqlCheck) judge(s *session, err error) error {
	said, is := errors.AsType[*mysql.MySQLError](err)
	switch {
	case is && slices.Contains(mysqlAuth, said.Number):
		return failed(event.FailureAuth, "%s refuses the login: %s (error %d)", s.p.host, s.p.said(said.Message), said.Number)
	case is:
		return failed(event.FailureAnswer, "%s answers with an error: %s (error %d)", s.p.host, s.p.said(said.Message), said.Number)
	case isAny(err, mysqlMethods...):
		return failed(event.FailureAuth, "%s requires a login method that this check does not support; give the user another one, such as caching_sha2_password or ed25519", s.p.host)
	case errors.Is(err, mysql.ErrNoTLS):
		return failed(event.FailureProtocol, "%s does not offer TLS, and the url has tls=%s", s.p.host, c.url.Query().Get("tls"))
	}
	return s.cause(err)
}
