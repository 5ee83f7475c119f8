package check

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"logstream/internal/event"
	"logstream/internal/service"
)

const protocolPostgres = "PostgreSQL"

var postgresKind = Kind{Name: "postgres", Schemes: []string{"postgres", "postgresql"}, Example: "postgres://user:password@localhost:5432/database",
	Problems: postgresProblems, New: newPostgres}

// sslModes are libpq's that make sense here. As there, TLS is used where the
// server offers it, and the certificate is verified only by verify-full, or
// where tls.ca says by what.
var sslModes = []string{"disable", "prefer", "require", "verify-full"}

// postgresCheck logs in, and has SELECT 1 answered.
type postgresCheck struct {
	stateless
	def service.Definition
	url *url.URL
}

func newPostgres(def service.Definition, env Env) Checker {
	c := &postgresCheck{stateless: statelessOf(def, env, protocolPostgres, "5432"), def: def, url: urlOf(def)}
	c.run = c.query
	return c
}

func postgresProblems(_ service.Definition, u *url.URL) []service.Problem {
	if u.User.Username() == "" {
		return urlProblem(u, "has no user; write postgres://user:password@host/database")
	}
	if strings.Contains(strings.TrimPrefix(u.Path, "/"), "/") {
		return urlProblem(u, "has a path that is not the name of one database, such as postgres://user@host/database")
	}
	return urlProblems(u, queryKey{"sslmode", sslModes})
}

func (c *postgresCheck) query(ctx context.Context, p *progress) error {
	s := p.session(ctx)
	defer s.end()
	config, err := c.config(ctx, s)
	if err != nil {
		return err
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return c.judge(s, err)
	}
	p.noteAnswer("server version", conn.ParameterStatus("server_version"))
	if _, err = conn.Exec(ctx, "SELECT 1").ReadAll(); err != nil {
		err = c.judge(s, err)
		s.end()
		if conn.IsClosed() {
			<-conn.CleanupDone() // which has no connection to wait for
		}
		return err
	}
	conn.Frontend().Send(&pgproto3.Terminate{}) // or else the server's log has a connection that was lost
	_ = conn.Frontend().Flush()                 // it served, whether it reads this or not
	return nil
}

// config takes nothing from the environment nor from files of the user's home:
// of every variable it has its own value. Only PGSERVICE has to name a service
// that there is, for the library searches it whatever becomes of it.
func (c *postgresCheck) config(ctx context.Context, s *session) (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=h port=5432 user=u password=p sslmode=disable sslnegotiation=postgres sslcertmode=disable channel_binding=disable " +
		"require_auth='' connect_timeout=0 min_protocol_version=3.0 max_protocol_version=3.0 target_session_attrs=any")
	if err != nil {
		return nil, failed(event.FailureCheck, "the check could not run: variables of PostgreSQL (PG…) in LogStream's environment are not valid: %s", s.p.foreign(err.Error()))
	}
	password, _ := c.url.User.Password()
	user := c.url.User.Username()
	config.Host, config.User, config.Password = c.hostname, user, password
	config.Database = cmp.Or(strings.TrimPrefix(c.url.Path, "/"), user)
	config.RuntimeParams = map[string]string{"application_name": "logstream"}
	config.ConnectTimeout, config.SSLCertMode, config.RequireAuth = 0, "", ""
	config.ChannelBinding = "disable" // TLS is made below the library
	config.MaxProtocolMessageBodyLen = maxForeign
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		conn, err := s.open()
		if err != nil {
			return nil, err
		}
		return c.secure(ctx, s.p, conn)
	}
	return config, nil
}

// secure makes a TLS connection where the url wants it and the server offers it.
func (c *postgresCheck) secure(ctx context.Context, p *progress, conn net.Conn) (net.Conn, error) {
	mode := cmp.Or(c.url.Query().Get("sslmode"), "prefer")
	if mode == "disable" {
		return conn, nil
	}
	request, err := (&pgproto3.SSLRequest{}).Encode(nil)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	var offers [1]byte
	if _, err := io.ReadFull(conn, offers[:]); err != nil {
		return nil, err
	}
	p.reach(stageWaiting)
	switch {
	case offers[0] == 'N' && mode == "prefer":
		return conn, nil
	case offers[0] == 'N':
		return nil, failed(event.FailureProtocol, "%s does not offer TLS, and the url has sslmode=%s", p.host, mode)
	case offers[0] != 'S':
		return nil, failed(event.FailureProtocol, "what %s answers is not valid PostgreSQL", p.host)
	}
	config, err := p.tlsConfig(c.def.TLS)
	if err != nil {
		return nil, err
	}
	config.InsecureSkipVerify = c.def.TLS.Insecure || mode != "verify-full" && c.def.TLS.CA == ""
	secure, err := p.handshake(ctx, conn, config)
	if err != nil { // and not a nil *tls.Conn
		return nil, err
	}
	return secure, nil
}

// postgresAuth are the SQLSTATEs of a login that is refused.
var postgresAuth = []string{
	"28000", // invalid_authorization_specification: no such role, or no line of pg_hba.conf for it
	"28P01", // invalid_password
	"42501", // insufficient_privilege: of the database, or of CONNECT
}

func (c *postgresCheck) judge(s *session, err error) error {
	said, is := errors.AsType[*pgconn.PgError](err)
	switch {
	case !is:
		return s.cause(err)
	case slices.Contains(postgresAuth, said.Code):
		return failed(event.FailureAuth, "%s refuses the login: %s (SQLSTATE %s)", s.p.host, s.p.said(said.Message), s.p.foreign(said.Code))
	}
	return failed(event.FailureAnswer, "%s answers with an error: %s (SQLSTATE %s)", s.p.host, s.p.said(said.Message), s.p.foreign(said.Code))
}
